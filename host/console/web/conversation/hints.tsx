import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { fetchAgent } from '../client/api.ts';
import type { Session } from '../client/types.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import { Mark } from '../style/icons.tsx';
import classes from './hints.module.css';

/** What the demo provider understands, to try the host out with one click. */
const DEMO_HINTS = [
  { text: 'help', about: 'what this assistant can do' },
  { text: 'who am i', about: 'how you appear to the agent' },
  { text: 'ask me tea or coffee? tea, coffee', about: 'a question with buttons' },
  { text: 'remind me in 1 min to look up', about: 'a timer on the host' },
  { text: 'send a file', about: 'an attachment comes back' },
];
const ADMIN_HINT = { text: 'make an agent called writer that writes', about: 'another agent, in its own container' };
const LAST_HINT = { text: 'slow task 10', about: 'work that shows its progress' };

/** An empty conversation: who is there, and what to write first. */
export function Hints({ session, onPick }: { session: Session; onPick: (text: string) => void }) {
  const { agentId } = session;
  const agent = useQuery({ queryKey: ['agents', agentId, 'agent'], queryFn: () => fetchAgent(agentId) }).data;
  const me = useMe();
  const isDemo = agent?.provider === 'demo';
  return (
    <div className={classes.hints}>
      <Mark size={44} />
      <Title order={3} size="h4">
        Write to {session.agentName}
      </Title>
      <Text c="dimmed" size="sm" className={classes.text}>
        {isDemo
          ? 'It runs on the demo provider: rules, no model and no key. Try one of these.'
          : 'The first message starts its container; that takes a moment.'}
      </Text>
      {isDemo && administers(me, agent.id) && (
        <Text c="dimmed" size="sm" className={classes.text}>
          For a real model,{' '}
          <Link className={classes.link} to={`/agents/${agent.id}`}>
            choose what {agent.name} thinks with
          </Link>
          .
        </Text>
      )}
      {isDemo && session.writable && (
        <div className={classes.list}>
          {[...DEMO_HINTS, agent.isAdmin ? ADMIN_HINT : LAST_HINT].map(({ text, about }) => (
            <button key={text} type="button" className={classes.hint} onClick={() => onPick(text)}>
              <span>{text}</span>
              <small>{about}</small>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
