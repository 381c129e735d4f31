import { Link, useParams } from 'react-router';
import { isMissing } from '../client/fault.ts';
import type { AgentConfig } from '../client/types.ts';
import { CopyableId, Facts } from '../details/facts.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { Budgets } from '../usage/budgets.tsx';
import { Access } from './access.tsx';
import { describeImage, describePackages, describeResources } from './agent.ts';
import { AgentActions } from './agent-actions.tsx';
import classes from './agents.module.css';
import { Builds } from './builds.tsx';
import { History } from './history.tsx';
import { McpServers } from './mcp-servers.tsx';
import { Mounts } from './mounts.tsx';
import { Thinking } from './thinking.tsx';
import { Tone } from './tone.tsx';
import { useConfig } from './use-agents.ts';

/** One agent: what its containers are made of now, its builds, and how its config came to be. */
export function AgentPage() {
  const { agentId = '' } = useParams();
  const config = useConfig(agentId, true);
  return (
    <Page
      title={config.data?.agentName ?? 'Agent'}
      about="A change holds from the next container on: sessions follow when they are idle."
      back={
        <Link to="/agents" className={classes.back ?? ''}>
          ← All agents
        </Link>
      }
      actions={<AgentActions agentId={agentId} />}
    >
      <Fetched query={config} what="agent’s settings">
        {(data) =>
          isMissing(config.error) ? (
            <Gone />
          ) : (
            <>
              <Thinking agentId={agentId} />
              <Access agentId={agentId} agentName={data.agentName} />
              <Budgets agentId={agentId} />
              <Config config={data} />
              <McpServers config={data} />
              <Mounts agentId={agentId} />
              <Builds agentId={agentId} image={data.image} />
              <History config={data} />
            </>
          )
        }
      </Fetched>
    </Page>
  );
}

/** What is known of it is from before: none of it holds, and nothing can be done with it here. */
function Gone() {
  return (
    <p className={page.soft} role="status">
      There is no such agent any more. Whoever may remove agents can restore them, on the page Agents.
    </p>
  );
}

function Config({ config }: { config: AgentConfig }) {
  const now = useNow();
  const { image } = config;
  return (
    <Section
      title="Config"
      note={`Revision ${config.revision}, ${formatMoment(config.changedAt, now)}, by ${config.changedBy.name || config.changedBy.id}: ${config.reason}`}
    >
      <div className={page.card}>
        <Facts
          facts={[
            ['Time zone', config.timezone],
            ['Packages', describePackages(config.packages) ?? 'none beside the base’s'],
            ['Resources', describeResources(config.resources)],
            ['Image', <Tone key="image" look={describeImage(image)} />],
            ['Why', image.reason],
            ['Id', <CopyableId key="id" id={config.agentId} />],
          ]}
        />
      </div>
    </Section>
  );
}
