import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { BuildLog } from '../builds/build-log.tsx';
import { LogDetails } from '../builds/log-details.tsx';
import { retryBuild } from '../client/admin-api.ts';
import type { AgentConfig, Build } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { useNotices } from '../style/notices.tsx';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { describeBuild, describeBuildTime, describePackages } from './agent.ts';
import classes from './agents.module.css';
import { Tone } from './tone.tsx';
import { useBuilds } from './use-agents.ts';

/** Builds of the agent's own image, newest first; the log of one that runs is followed. */
export function Builds({ agentId, image }: { agentId: string; image: AgentConfig['image'] }) {
  const notices = useNotices();
  const queries = useQueryClient();
  const builds = useBuilds(agentId);
  const all = useMemo(() => builds.data?.pages.flatMap(({ items }) => items), [builds.data]);
  const refetch = () => queries.invalidateQueries({ queryKey: ['agents', agentId] });

  function retry() {
    notices.attempt(async () => {
      await retryBuild(agentId);
      await refetch();
    });
  }

  return (
    <Section title="Builds of its image">
      {image.state === 'failed' && (
        <Button size="xs" variant="light" mb={10} onClick={retry}>
          Build it again
        </Button>
      )}
      <Fetched query={{ ...builds, data: all }} what="builds">
        {(items) =>
          items.length === 0 ? (
            <p className={page.soft}>None: it runs on an image that was there already.</p>
          ) : (
            <ul className={page.list}>
              {items.map((build) => (
                <li key={build.id}>
                  <BuildItem build={build} onEnd={refetch} />
                </li>
              ))}
            </ul>
          )
        }
      </Fetched>
      <More query={builds} label="Show older builds" />
    </Section>
  );
}

function BuildItem({ build, onEnd }: { build: Build; onEnd: () => void }) {
  const now = useNow();
  const isRunning = build.state === 'building' || build.state === 'queued';
  const log = <BuildLog buildId={build.id} onEnd={onEnd} />;
  return (
    <div className={page.card} data-build={build.id} data-state={build.state}>
      <div className={classes.head}>
        <b>{describePackages(build.packages) ?? 'no packages'}</b>
        <Tone look={describeBuild(build)} />
      </div>
      <span className={page.soft}>
        {[formatMoment(build.createdAt, now), describeBuildTime(build)].filter(Boolean).join(' · ')}
      </span>
      {build.failure !== null && <pre className={page.raw}>{build.failure}</pre>}
      {isRunning ? log : <LogDetails>{log}</LogDetails>}
    </div>
  );
}
