import { Button, Loader, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useState } from 'react';
import { fetchAgent, fetchDestinations, renameSession, stopSession } from '../client/api.ts';
import type { Destination, Session } from '../client/types.ts';
import { nameSession } from '../sessions/order.ts';
import { labelState, StateDot } from '../sessions/state-dot.tsx';
import { administers, useMe } from '../sign-in/use-me.ts';
import { useConsole } from '../state/context.tsx';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import { formatFullTime } from '../style/time.ts';
import { ConversationUsage } from '../usage/conversation-usage.tsx';
import classes from './details.module.css';
import { CopyableId, Facts } from './facts.tsx';
import { Tasks } from './tasks.tsx';

/** While destinations are looked at. Higher: a revoked one looks allowed for longer. Lower: requests for nothing. */
const LOOK_AGAIN_MS = 3_000;

export function SessionDetails({ session }: { session: Session }) {
  const agent = useQuery({
    queryKey: ['agents', session.agentId, 'agent'],
    queryFn: () => fetchAgent(session.agentId),
  }).data;
  const console = useConsole();
  const notices = useNotices();
  const isAdmin = administers(useMe(), session.agentId);
  const canStop =
    isAdmin && (session.state === 'running' || session.state === 'paused' || session.state === 'starting');

  return (
    <div className={classes.sections}>
      <Rename key={session.id} session={session} />
      <Facts
        facts={[
          [
            'State',
            <span key="state" className={classes.state}>
              <StateDot session={session} />
              {labelState(session)}
            </span>,
          ],
          ['Reason', session.stateReason],
          ['Agent', session.agentName],
          ['Provider', [agent?.provider, agent?.model].filter(Boolean).join(' · ') || null],
          ['Channel', session.channelType],
          ['Thread', session.threadId],
          ['Started', formatFullTime(session.createdAt)],
          ['Id', <CopyableId key="id" id={session.id} />],
        ]}
      />
      {canStop && (
        <div>
          <Button
            variant="default"
            size="sm"
            onClick={() =>
              notices.attempt(async () => console.apply({ kind: 'session', session: await stopSession(session.id) }))
            }
          >
            Stop the container
          </Button>
          <Text size="xs" c="dimmed" mt={6}>
            Nothing is lost: it starts again with the next message.
          </Text>
        </div>
      )}
      {isAdmin && <ConversationUsage sessionId={session.id} />}
      <Tasks session={session} />
      {isAdmin && <Destinations agentId={session.agentId} agentName={session.agentName} />}
    </div>
  );
}

function Rename({ session }: { session: Session }) {
  const console = useConsole();
  const notices = useNotices();
  const [title, setTitle] = useState(nameSession(session));
  const changed = title.trim() !== '' && title.trim() !== nameSession(session);

  function save(event: FormEvent) {
    event.preventDefault();
    if (!changed) return;
    notices.attempt(async () =>
      console.apply({ kind: 'session', session: await renameSession(session, title.trim()) }),
    );
  }

  return (
    <form onSubmit={save} className={classes.rename}>
      <TextInput
        label="Title"
        value={title}
        maxLength={200}
        onChange={(event) => setTitle(event.currentTarget.value)}
        className={classes.grow ?? ''}
      />
      <Button type="submit" variant="light" disabled={!changed}>
        Save
      </Button>
    </form>
  );
}

/** Its own name is not said twice. */
function describeDestination({ name, displayName, type }: Destination): string {
  if (displayName === null || displayName === name) return type === 'agent' ? 'agent' : 'chat';
  return type === 'agent' ? `${displayName} (agent)` : displayName;
}

function Destinations({ agentId, agentName }: { agentId: string; agentName: string }) {
  const destinations = useQuery({
    queryKey: ['destinations', agentId],
    queryFn: () => fetchDestinations(agentId),
    // An admin's change holds for the next send: what is shown must not be older than what one sees being sent.
    staleTime: 0,
    refetchInterval: LOOK_AGAIN_MS,
  });
  return (
    <section>
      <h3 className={classes.heading}>Destinations of {agentName}</h3>
      <Text size="xs" c="dimmed" mb={8}>
        Where this agent may write. Anything else is refused by the host.
      </Text>
      {destinations.isPending && <Loader size="xs" />}
      {destinations.isError && (
        <Text size="sm" c="red">
          They could not be loaded.
        </Text>
      )}
      <ul className={classes.destinations}>
        {destinations.data?.items.map((destination) => (
          <li key={destination.id}>
            <Icon name={destination.type === 'agent' ? 'agent' : 'arrow'} size={16} />
            <code>{destination.name}</code>
            <span>{describeDestination(destination)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
