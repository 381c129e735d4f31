import type { AgentConfig } from '../client/types.ts';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { describeServer } from './agent.ts';
import classes from './agents.module.css';
import { Tone } from './tone.tsx';

/** Programs that give the agent tools: the whole command of each, and how it came up. */
export function McpServers({ config }: { config: AgentConfig }) {
  const now = useNow();
  return (
    <Section title="MCP servers">
      {config.mcpServers.length === 0 && <p className={page.soft}>None.</p>}
      <ul className={page.list}>
        {config.mcpServers.map((server) => {
          const report = config.mcpReports.find(({ name }) => name === server.name);
          const look = describeServer(report);
          return (
            <li key={server.name} className={page.card} data-server={server.name}>
              <div className={classes.head}>
                <b>{server.name}</b>
                <span>
                  <Tone look={look} />
                  {report !== undefined && <span className={page.soft}> · {formatMoment(report.reportedAt, now)}</span>}
                </span>
              </div>
              <pre className={page.raw}>{server.commandLine}</pre>
              {look.problem !== null && (
                <>
                  <p className={classes.reason}>It did not come up; in its container’s words:</p>
                  <pre className={page.raw}>{look.problem}</pre>
                </>
              )}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
