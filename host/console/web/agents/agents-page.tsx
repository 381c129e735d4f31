import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Agent } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Page } from '../frame/page.tsx';
import { administers, useMe } from '../sign-in/use-me.ts';
import { describeImage } from './agent.ts';
import classes from './agents.module.css';
import { NewAgent } from './new-agent.tsx';
import { RemovedAgents } from './removed-agents.tsx';
import { Tone } from './tone.tsx';
import { useAgentList, useConfig, useRunning } from './use-agents.ts';

/** Whose config this person may see. */
export function AgentsPage() {
  const agents = useAgentList();
  const running = useRunning();
  const me = useMe();
  const mayManage = me?.may.manageAgents === true;
  const [isMaking, setIsMaking] = useState(false);
  return (
    <Page
      title="Agents"
      about="What each agent’s containers are made of, and how that came to be."
      actions={
        mayManage && (
          <Button size="sm" onClick={() => setIsMaking(true)}>
            New agent
          </Button>
        )
      }
    >
      <Fetched query={agents} what="agents">
        {({ items }) => {
          const own = items.filter(({ id }) => administers(me, id));
          if (own.length === 0) return <p className={page.soft}>No agents yet.</p>;
          return (
            <ul className={page.list}>
              {own.map((agent) => (
                <li key={agent.id}>
                  <AgentRow agent={agent} running={running.get(agent.id) ?? 0} />
                </li>
              ))}
            </ul>
          );
        }}
      </Fetched>
      {mayManage && <RemovedAgents />}
      {isMaking && <NewAgent onClose={() => setIsMaking(false)} />}
    </Page>
  );
}

function AgentRow({ agent, running }: { agent: Agent; running: number }) {
  const config = useConfig(agent.id, false).data;
  const look = config === undefined ? null : describeImage(config.image);
  const problems = config?.mcpReports.filter(({ problem }) => problem !== null).length ?? 0;
  return (
    <Link to={`/agents/${agent.id}`} className={classes.row}>
      <span className={classes.name}>{agent.name}</span>
      {look === null ? <span /> : <Tone look={{ ...look, label: `image ${look.label}` }} />}
      <span className={page.soft}>
        {[agent.provider, agent.model, agent.isAdmin ? 'may create agents' : null].filter(Boolean).join(' · ')}
      </span>
      <span className={page.soft}>
        {running === 0 ? 'no session runs' : running === 1 ? '1 session runs' : `${running} sessions run`}
      </span>
      {problems > 0 && (
        <Tone
          look={{ label: problems === 1 ? '1 MCP server is down' : `${problems} MCP servers are down`, tone: 'bad' }}
        />
      )}
    </Link>
  );
}
