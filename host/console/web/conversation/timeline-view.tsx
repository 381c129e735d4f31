import { Button, Loader, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useConsole } from '../state/context.tsx';
import type { Conversation } from '../state/state.ts';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import { formatDay } from '../style/time.ts';
import { MessageRow } from './message-row.tsx';
import { PendingRow } from './pending-row.tsx';
import classes from './timeline.module.css';
import type { Row } from './timeline.ts';

/** Nearer to the end than this counts as being at it. */
const BOTTOM_PX = 60;
/** Older messages are fetched when the top comes this near. */
const TOP_PX = 600;

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

  useKeepPlace(scroller, rows, atBottom);
  useMarkRead(sessionId, newest?.position ?? null, atBottom);

  function onScroll() {
    const element = scroller.current;
    if (element === null) return;
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
        <div className={classes.column}>
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
          {rows.map((row) => (
            <TimelineRow key={row.key} row={row} onDetails={onDetails} />
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

function TimelineRow({ row, onDetails }: { row: Row; onDetails: (messageId: string) => void }) {
  switch (row.kind) {
    case 'day':
      return (
        <h3 className={classes.day}>
          <span>{formatDay(row.at, Date.now())}</span>
        </h3>
      );
    case 'unread-mark':
      return (
        <div className={classes.unreadMark}>
          <span>New</span>
        </div>
      );
    case 'message':
      return <MessageRow {...row} onDetails={onDetails} />;
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

/** Browsers without scroll anchoring would move the text that is being read when a message is added below it. */
function useKeepPlace(scroller: { current: HTMLDivElement | null }, rows: readonly Row[], atBottom: boolean): void {
  const anchor = useRef<{ element: Element; top: number } | null>(null);
  const anchored = typeof CSS !== 'undefined' && CSS.supports('overflow-anchor', 'auto');
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs after every change of the rows
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || anchored) return;
    const before = anchor.current;
    if (!atBottom && before?.element.isConnected) {
      element.scrollTop += before.element.getBoundingClientRect().top - before.top;
    }
    return () => {
      const first = [...element.querySelectorAll('[data-message]')].find(
        (one) => one.getBoundingClientRect().bottom > 0,
      );
      anchor.current = first === undefined ? null : { element: first, top: first.getBoundingClientRect().top };
    };
  }, [rows]);
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
