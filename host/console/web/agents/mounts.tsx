import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import classes from './agents.module.css';
import { Tone } from './tone.tsx';
import { useMounts } from './use-agents.ts';

/** Folders of the machine that the agent is given, and what the allowlist says of each now. */
export function Mounts({ agentId }: { agentId: string }) {
  const mounts = useMounts(agentId);
  return (
    <Section title="Folders of the machine">
      <Fetched query={mounts} what="folders">
        {({ items }) =>
          items.length === 0 ? (
            <p className={page.soft}>None: it sees its own folder alone.</p>
          ) : (
            <ul className={page.list}>
              {items.map(({ name, path, containerPath, isReadOnly, mountedAs, why }) => (
                <li key={name} className={page.card}>
                  <div className={classes.head}>
                    <b>{name}</b>
                    <Tone
                      look={
                        mountedAs === null
                          ? { label: 'not allowed now', tone: 'bad' }
                          : { label: isReadOnly || mountedAs.isReadOnly ? 'read only' : 'may write', tone: 'quiet' }
                      }
                    />
                  </div>
                  <code className={page.code}>
                    {path} → {containerPath}
                  </code>
                  {why !== null && <p className={classes.reason}>{why}</p>}
                </li>
              ))}
            </ul>
          )
        }
      </Fetched>
    </Section>
  );
}
