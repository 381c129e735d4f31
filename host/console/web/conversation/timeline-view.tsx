import { Button, Loader, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect, useRef, useState } from 'react';
import { useConsole } from '../state/context.tsx';
import type { Conversation } from '../state/state.ts';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import { formatDay } from '../style/time.ts';
import { MessageRow } from './message-row.tsx';
import { PendingRow } from './pending-row.tsx';
import classes from './timeline.module.css';
import type { Row } from './timeline.ts';
import { BOTTOM_PX, useKeepPlace } from './use-keep-place.ts';

/** Older messages are fetched when the top comes this near. */
const TOP_PX = 600;
/** A conversation watched at its end for days. Higher: the page grows. Lower: pages are fetched twice. */
const TRIM_ABOVE = 600;

interface TimelineViewProps {
  sessionId: string;
  rows: readonly Row[];
  conversation: Conversation | null;
  /** Who is typing; null when nobody is. */
  typing: string | null;
  empty: ReactNode;
  onDetails: (messageId: string) => void;
}

/**
 * The scroller runs from its end (`column-reverse`): the browser itself then stays at the newest
 * message, and older pages grow upwards without moving what is read. `scrollTop` is 0 at the end
 * and negative above it.
 */
export function TimelineView({ sessionId, rows, conversation, typing, empty, onDetails }: TimelineViewProps) {
  const console = useConsole();
  const notices = useNotices();
  const scroller = useRef<HTMLDivElement>(null);
  const [atBottom, setAtBottom] = useState(true);
  const [missed, setMissed] = useState(0);
  const newest = conversation?.messages.at(-1) ?? null;
  const loaded = conversation?.load === 'ready';

  const column = useRef<HTMLDivElement>(null);
  const notePlace = useKeepPlace(scroller, column);
  useMarkRead(sessionId, newest?.position ?? null, atBottom);

  function onScroll() {
    const element = scroller.current;
    if (element === null) return;
    notePlace();
    const bottom = -element.scrollTop < BOTTOM_PX;
    if (bottom !== atBottom) setAtBottom(bottom);
    if (bottom && missed > 0) setMissed(0);
    loadOlderNearTop();
  }

  function loadOlderNearTop() {
    const element = scroller.current;
    if (element === null || conversation === null || !conversation.hasOlder || conversation.loadingOlder) return;
    const above = element.scrollHeight - element.clientHeight + element.scrollTop;
    if (above < TOP_PX) notices.attempt(() => console.loadOlder(sessionId));
  }

  // A first page shorter than the window would never be scrolled.
  // biome-ignore lint/correctness/useExhaustiveDependencies: looks again when the rows change
  useEffect(loadOlderNearTop, [rows.length, loaded]);

  const previousNewest = useRef(newest?.position ?? null);
  useEffect(() => {
    const before = previousNewest.current;
    previousNewest.current = newest?.position ?? null;
    if (before === null || newest === null || newest.position <= before) return;
    if (!atBottom && newest.direction === 'out') setMissed((count) => count + 1);
  }, [newest, atBottom]);

  const count = conversation?.messages.length ?? 0;
  useEffect(() => {
    if (atBottom && count > TRIM_ABOVE) console.trimConversation(sessionId);
  }, [console, sessionId, atBottom, count]);

  // What I send is always shown to me.
  const lastPending = rows.at(-1)?.kind === 'pending' ? rows.at(-1)?.key : undefined;
  useEffect(() => {
    if (lastPending !== undefined) scroller.current?.scrollTo({ top: 0 });
  }, [lastPending]);

  function goToEnd() {
    scroller.current?.scrollTo({ top: 0, behavior: 'smooth' });
    setMissed(0);
  }

  return (
    <div className={classes.frame}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
      <section ref={scroller} className={classes.scroller} onScroll={onScroll} aria-label="Messages" tabIndex={0}>
        <div ref={column} className={classes.column}>
          {conversation?.loadingOlder === true && (
            <div className={classes.older}>
              <Loader size="xs" aria-label="Loading older messages" />
            </div>
          )}
          {!loaded && conversation?.load !== 'failed' && <LoadingMessages />}
          {conversation?.load === 'failed' && (
            <div className={classes.older}>
              <Button
                variant="light"
                size="xs"
                onClick={() => notices.attempt(() => console.openConversation(sessionId))}
              >
                The messages could not be loaded. Try again
              </Button>
            </div>
          )}
          {empty}
          {groupByDay(rows).map(({ day, rest }) => (
            <div key={day.key} className={classes.daySection}>
              <h3 className={classes.day}>
                <span>{formatDay(day.at, Date.now())}</span>
              </h3>
              {rest.map((row) => (
                <TimelineRow key={row.key} row={row} onDetails={onDetails} />
              ))}
            </div>
          ))}
          {typing !== null && <Typing name={typing} />}
        </div>
      </section>
      {!atBottom && (
        <Button
          className={classes.pill ?? ''}
          radius="xl"
          size="compact-md"
          variant={missed > 0 ? 'filled' : 'default'}
          leftSection={<Icon name="down" size={16} />}
          onClick={goToEnd}
        >
          {missed === 0 ? 'To the end' : missed === 1 ? 'New message' : `${missed} new messages`}
        </Button>
      )}
    </div>
  );
}

type DayRow = Extract<Row, { kind: 'day' }>;
type RestRow = Exclude<Row, DayRow>;

/** A day's line sticks to the top for as long as that day is on the screen. */
function groupByDay(rows: readonly Row[]): { day: DayRow; rest: RestRow[] }[] {
  const days: { day: DayRow; rest: RestRow[] }[] = [];
  for (const row of rows) {
    if (row.kind === 'day') days.push({ day: row, rest: [] });
    else days.at(-1)?.rest.push(row);
  }
  return days;
}

function TimelineRow({ row, onDetails }: { row: RestRow; onDetails: (messageId: string) => void }) {
  switch (row.kind) {
    case 'unread-mark':
      return (
        <div className={classes.unreadMark}>
          <span>New</span>
        </div>
      );
    case 'message':
      return (
        <MessageRow
          message={row.message}
          mine={row.mine}
          elsewhere={row.elsewhere}
          startsGroup={row.startsGroup}
          latestMine={row.latestMine}
          onDetails={onDetails}
        />
      );
    case 'pending':
      return <PendingRow pending={row.pending} startsGroup={row.startsGroup} />;
  }
}

function Typing({ name }: { name: string }) {
  return (
    <div className={classes.typing} role="status" aria-label={`${name} is typing`}>
      <span aria-hidden="true" className={classes.typingDots}>
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}

function LoadingMessages() {
  return (
    <div className={classes.loading} role="status" aria-label="Loading messages">
      <Skeleton height={14} width="46%" />
      <Skeleton height={14} width="62%" />
      <Skeleton height={38} width="30%" radius="lg" ml="auto" />
      <Skeleton height={14} width="54%" />
    </div>
  );
}

/** Read means: the newest message is on the screen, in a window that is looked at. */
function useMarkRead(sessionId: string, position: number | null, atBottom: boolean): void {
  const console = useConsole();
  useEffect(() => {
    if (position === null || !atBottom) return;
    const mark = () => {
      if (document.visibilityState === 'visible') console.markRead(sessionId, position);
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [console, sessionId, position, atBottom]);
}
