import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { AgentProvider, ProviderTest } from '../client/types.ts';
import { Facts } from '../details/facts.tsx';
import { Fetched } from '../frame/fetched.tsx';
import { Next } from '../frame/next.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { isOwner } from '../people/role.ts';
import { useSecrets } from '../secrets/use-secrets.ts';
import { useMe } from '../sign-in/use-me.ts';
import { describeEffort, describeKey } from './agent.ts';
import classes from './agents.module.css';
import { ChangeProvider } from './change-provider.tsx';
import { TestProvider } from './test-provider.tsx';
import { Tone } from './tone.tsx';
import { useAgentProvider, useProviders } from './use-provider.ts';

/** What the agent thinks with, whether it can, and the way to something else. */
export function Thinking({ agentId }: { agentId: string }) {
  const provider = useAgentProvider(agentId);
  return (
    <Section title="Thinks with">
      <Fetched query={provider} what="provider and model">
        {(data) => <Provider provider={data} />}
      </Fetched>
    </Section>
  );
}

function Provider({ provider }: { provider: AgentProvider }) {
  const known = useProviders().data?.providers.find(({ name }) => name === provider.provider);
  const [isChanging, setIsChanging] = useState(false);
  // A test is of what holds: another choice makes its answer void.
  const [tested, setTested] = useState<{ revision: number; test: ProviderTest } | null>(null);
  const { key, image } = provider;
  const look = describeKey(key);
  const needsModel = provider.service !== null;
  return (
    <div className={page.card}>
      <Facts
        facts={[
          ['Provider', provider.provider],
          [
            'Model',
            needsModel
              ? (provider.model ?? `${known?.defaultModel ?? 'the provider’s own choice'} (by default)`)
              : null,
          ],
          ['Service', provider.service],
          ['Effort', needsModel ? describeEffort(provider.effort) : null],
          ['Key', needsModel ? <Tone key="key" look={look} /> : null],
          ['Secret', needsModel ? <GivenSecret key="secret" provider={provider} /> : null],
        ]}
      />
      <div className={classes.notes}>
        {!needsModel && <p className={page.soft}>It needs no model and no key: it answers by rules of its own.</p>}
        {key.why !== null && <p className={classes.reason}>{sentence(key.why)}</p>}
        {key.next !== null && <Next next={key.next} />}
        {image.state === 'waiting' && (
          <p className={page.soft} role="status">
            {image.reason} “Builds of its image”, below, shows how a build goes; what is written to it meanwhile is
            answered then.
          </p>
        )}
        {image.state === 'failed' && (
          <p className={classes.reason}>Its image could not be built: see “Builds of its image”, below.</p>
        )}
        {needsModel && !provider.isConfined && (
          <p className={page.soft}>
            This host runs agents as plain processes: what its tools do, they do as the host’s user.
          </p>
        )}
      </div>
      <div className={classes.actions}>
        <Button size="xs" variant="default" onClick={() => setIsChanging(true)}>
          Change
        </Button>
        {needsModel && (
          <TestProvider
            agentId={provider.agentId}
            test={tested?.revision === provider.revision ? tested.test : null}
            onTested={(test) => setTested(test === null ? null : { revision: provider.revision, test })}
          />
        )}
      </div>
      {isChanging && <ChangeProvider provider={provider} onClose={() => setIsChanging(false)} />}
    </div>
  );
}

/** Which secret the service gets for this agent: owners see names. */
function GivenSecret({ provider: { agentId, service } }: { provider: AgentProvider }) {
  const mayOpen = isOwner(useMe());
  const secrets = useSecrets(mayOpen).data?.items ?? [];
  if (!mayOpen) return 'chosen by owners';
  const uses = secrets.flatMap(({ name, uses: all }) => all.map((use) => ({ name, ...use })));
  const own = uses.find((use) => use.service === service && use.agent?.id === agentId);
  const all = uses.find((use) => use.service === service && use.agent === null);
  const given = own ?? all;
  return (
    <Link className={page.link} to="/secrets">
      {given === undefined
        ? 'none is assigned'
        : `${given.name}${own === undefined ? ', as all agents' : ', this agent alone'}`}
    </Link>
  );
}

/** What the host says begins in the middle of one of its own. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
