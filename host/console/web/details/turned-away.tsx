/** What was turned away: messages of people that no agent heard, and what agents wanted and may not. */
import { Button, Drawer, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchDropped, fetchRefusals } from '../client/api.ts';
import type { Dropped, Page, Refusal } from '../client/types.ts';
import { formatWhen } from '../style/time.ts';
import classes from './details.module.css';

export function TurnedAwayDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="min(520px, 100vw)"
      title="Refused and dropped"
      closeButtonProps={{ 'aria-label': 'Close what was refused and dropped', size: 44 }}
      overlayProps={{ backgroundOpacity: 0.25 }}
      styles={{ title: { fontWeight: 620 } }}
    >
      {opened && (
        <div className={classes.sections}>
          <Refusals />
          <DroppedMessages />
        </div>
      )}
    </Drawer>
  );
}

function Refusals() {
  const refusals = useQuery({ queryKey: ['refusals'], queryFn: fetchRefusals, staleTime: 0 });
  return (
    <Listing
      title="Refused"
      about="What agents wanted to send or to have done, and may not."
      empty="Nothing was refused: every agent kept to its destinations."
      query={refusals}
      item={(refusal) => <RefusalItem key={refusal.position} refusal={refusal} />}
    />
  );
}

function DroppedMessages() {
  const dropped = useQuery({ queryKey: ['dropped'], queryFn: fetchDropped, staleTime: 0 });
  return (
    <Listing
      title="Dropped"
      about="Messages of people that no agent heard, counted by place and reason."
      empty="Nothing was dropped: everybody who wrote was heard."
      query={dropped}
      item={(entry) => <DroppedItem key={JSON.stringify([place(entry), entry.senderId, entry.reason])} entry={entry} />}
    />
  );
}

interface Listed<T> {
  title: string;
  about: string;
  empty: string;
  query: {
    data: Page<T> | undefined;
    isPending: boolean;
    isError: boolean;
    refetch: () => unknown;
  };
  item: (one: T) => ReactNode;
}

function Listing<T>({ title, about, empty, query, item }: Listed<T>) {
  return (
    <section>
      <h3 className={classes.heading}>{title}</h3>
      <Text size="xs" c="dimmed" mb={8}>
        {about}
      </Text>
      {query.isPending && <Loader size="xs" />}
      {query.isError && (
        <Text size="sm" c="red">
          They could not be loaded.{' '}
          <Button variant="subtle" size="compact-sm" onClick={() => query.refetch()}>
            Try again
          </Button>
        </Text>
      )}
      {query.data?.items.length === 0 && <Text size="sm">{empty}</Text>}
      <ul className={classes.turnedAway}>{query.data?.items.map(item)}</ul>
      {query.data?.nextCursor != null && (
        <Text size="xs" c="dimmed" mt={8}>
          Older ones: <code>npx portolan dropped --limit 1000</code>
        </Text>
      )}
    </section>
  );
}

function RefusalItem({ refusal }: { refusal: Refusal }) {
  const { agentName, destination, channelType, at, reason } = refusal;
  const where = destination ?? (channelType === null ? 'the host' : place(refusal));
  return (
    <li>
      <span>
        <b>{agentName ?? 'An agent that is gone'}</b> → <code>{where}</code>
      </span>
      <time dateTime={new Date(at).toISOString()}>{formatWhen(at, Date.now())}</time>
      <p>{reason}</p>
    </li>
  );
}

function DroppedItem({ entry }: { entry: Dropped }) {
  const { senderId, count, lastAt, why } = entry;
  return (
    <li>
      <span>
        <b>{senderId || 'Somebody'}</b> in <code>{place(entry)}</code>
        {count > 1 && ` · ${count.toLocaleString()} times`}
      </span>
      <time dateTime={new Date(lastAt).toISOString()}>{formatWhen(lastAt, Date.now())}</time>
      <p>{why}</p>
    </li>
  );
}

function place({ channelType, platformId }: { channelType: string | null; platformId: string | null }): string {
  return `${channelType ?? ''}/${platformId ?? ''}`;
}
