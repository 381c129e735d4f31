/** What was turned away: messages of people that no agent heard, and what agents wanted and may not. */
import { Drawer, Text } from '@mantine/core';
import { type QueryKey, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { fetchDropped, fetchRefusals } from '../client/api.ts';
import type { Dropped, Page, Refusal } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
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
  const refusals = usePages(['refusals'], fetchRefusals);
  return (
    <Listing
      title="Refused"
      about="What agents wanted to send or to have done, and may not."
      empty="Nothing was refused: every agent kept to its destinations."
      what="refusals"
      query={refusals}
      item={(refusal) => <RefusalItem key={refusal.position} refusal={refusal} />}
    />
  );
}

function DroppedMessages() {
  const dropped = usePages(['dropped'], fetchDropped);
  return (
    <Listing
      title="Dropped"
      about="Messages of people that no agent heard, counted by place and reason."
      empty="Nothing was dropped: everybody who wrote was heard."
      what="dropped messages"
      query={dropped}
      item={(entry) => <DroppedItem key={JSON.stringify([place(entry), entry.senderId, entry.reason])} entry={entry} />}
    />
  );
}

/** Newest first, the older ones when they are asked for. */
function usePages<T>(queryKey: QueryKey, fetchPage: (cursor: string | null) => Promise<Page<T>>) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    staleTime: 0,
  });
}

interface Listed<T> {
  title: string;
  about: string;
  empty: string;
  /** In the plural. */
  what: string;
  query: ReturnType<typeof usePages<T>>;
  item: (one: T) => ReactNode;
}

function Listing<T>({ title, about, empty, what, query, item }: Listed<T>) {
  const all = useMemo(() => query.data?.pages.flatMap(({ items }) => items), [query.data]);
  return (
    <section aria-label={title}>
      <h3 className={classes.heading}>{title}</h3>
      <Text size="xs" c="dimmed" mb={8}>
        {about}
      </Text>
      <Fetched query={{ ...query, data: all }} what={what}>
        {(items) =>
          items.length === 0 ? (
            <Text size="sm">{empty}</Text>
          ) : (
            <ul className={classes.turnedAway}>{items.map(item)}</ul>
          )
        }
      </Fetched>
      <More query={query} label={`Show older ${what}`} />
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
