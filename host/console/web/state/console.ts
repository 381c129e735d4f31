/**
 * Keeps the page's state in step with the host: loads, listens, sends.
 *
 * I1. What is listed before the event stream is open is listed again then, so that no change falls between.
 */
import * as api from '../client/api.ts';
import type { EventFrame } from '../client/event-parser.ts';
import type { EventStream } from '../client/event-stream.ts';
import { openEventStream } from '../client/event-stream.ts';
import { ApiFault, describeProblem, isRecord } from '../client/fault.ts';
import type { Message, Session } from '../client/types.ts';
import { isMessage, isSession } from '../client/types.ts';
import { detach } from './detach.ts';
import { findReadPosition } from './merge.ts';
import type { Outbox } from './outbox.ts';
import type { Pending } from './pending.ts';
import { createSender, type Sender } from './sender.ts';
import type { Change, ConsoleState } from './state.ts';
import { INITIAL_STATE, reduce } from './state.ts';
import { titleFor } from './title.ts';

/** Messages kept of a conversation that is trimmed. Higher: memory. Lower: paging when coming back. */
const KEEP_MESSAGES = 150;

export interface Console extends Pick<Sender, 'send' | 'retry' | 'discard'> {
  getState(): ConsoleState;
  subscribe(listener: () => void): () => void;
  apply(change: Change): void;
  start(): void;
  close(): void;
  /** Tries the connection at once: the person asked, or the network came back. */
  hurry(): void;
  loadSessions(cursor: string | null): Promise<void>;
  openConversation(sessionId: string): Promise<void>;
  /** Lets go of messages far above; they are paged in again when somebody scrolls there. */
  trimConversation(sessionId: string): void;
  loadOlder(sessionId: string): Promise<void>;
  /** This person may see more or less than a moment ago: shows that, and no more. Throws ApiFault, HostAwayFault. */
  seeAnew(): Promise<void>;
  markRead(sessionId: string, position: number): void;
}

export interface ConsoleListeners {
  /** An approval was asked for, decided or carried out, or some may have been while nobody listened. */
  onApprovals(): void;
  /** What this person may do changed, or may have while nobody listened. */
  onRights(isSure: boolean): void;
}

export function createConsole(outbox: Outbox, listeners: ConsoleListeners): Console {
  let state = INITIAL_STATE;
  let stream: EventStream | null = null;
  const subscribers = new Set<() => void>();
  const readPositions = new Map<string, number>();
  const arrived: Message[] = [];
  const sender = createSender({
    outbox,
    getState: () => state,
    apply,
    onHostAway: () => stream?.hurry(),
    onSent: (pending) => detach(nameUntitled(pending)),
  });

  function apply(change: Change): void {
    const next = reduce(state, change);
    if (next === state) return;
    state = next;
    for (const subscriber of subscribers) subscriber();
  }

  /** Runs work whose failure is shown by the state that `onFault` sets. Bugs go to the browser's console. */
  async function guard(work: () => Promise<void>, onFault: () => void): Promise<void> {
    try {
      await work();
    } catch (error) {
      describeProblem(error);
      if (error instanceof ApiFault && error.status === 401)
        apply({ kind: 'connection', connection: { kind: 'signed-out' } });
      onFault();
    }
  }

  async function loadSessions(cursor: string | null): Promise<void> {
    await guard(
      async () => {
        const page = await api.fetchSessions(cursor);
        apply({ kind: 'sessions-loaded', items: page.items, nextCursor: page.nextCursor });
      },
      () => {
        if (state.sessions.byId.size === 0) apply({ kind: 'sessions-failed' });
      },
    );
  }

  async function refetchConversation(sessionId: string): Promise<void> {
    await guard(
      async () => {
        const page = await api.fetchMessages(sessionId, null);
        const hasOlder = page.nextCursor !== null;
        apply({ kind: 'newest-loaded', sessionId, messages: page.items, hasOlder });
      },
      () => apply({ kind: 'conversation-failed', sessionId }),
    );
  }

  async function openConversation(sessionId: string): Promise<void> {
    // Asked for together: reading the messages marks them read, and with that the unread count is gone.
    const session = state.sessions.byId.get(sessionId) ?? refetchSession(sessionId);
    if (state.conversations.get(sessionId)?.load !== 'ready') {
      apply({ kind: 'conversation-loading', sessionId });
      await refetchConversation(sessionId);
    }
    const unread = (await session)?.unread ?? 0;
    const messages = state.conversations.get(sessionId)?.messages ?? [];
    apply({ kind: 'unread-marked', sessionId, readUpTo: findReadPosition(messages, unread) });
  }

  async function refetchSession(sessionId: string): Promise<Session | null> {
    let session: Session | null = null;
    await guard(
      async () => {
        session = await api.fetchSession(sessionId);
        apply({ kind: 'session', session });
      },
      () => {},
    );
    return session;
  }

  async function loadOlder(sessionId: string): Promise<void> {
    const conversation = state.conversations.get(sessionId);
    const first = conversation?.messages[0];
    if (conversation === undefined || first === undefined || !conversation.hasOlder || conversation.loadingOlder)
      return;
    apply({ kind: 'older-loading', sessionId });
    await guard(
      async () => {
        const page = await api.fetchMessages(sessionId, first.position);
        apply({ kind: 'older-loaded', sessionId, messages: page.items, hasOlder: page.nextCursor !== null });
      },
      () => apply({ kind: 'older-failed', sessionId }),
    );
  }

  async function seeAnew(): Promise<void> {
    const page = await api.fetchSessions(null);
    apply({ kind: 'sessions-replaced', items: page.items, nextCursor: page.nextCursor });
    await Promise.all([...state.conversations.keys()].map(seeConversationAnew));
  }

  async function seeConversationAnew(sessionId: string): Promise<void> {
    try {
      const page = await api.fetchMessages(sessionId, null);
      const hasOlder = page.nextCursor !== null;
      apply({ kind: 'conversation-replaced', sessionId, messages: page.items, hasOlder });
    } catch (error) {
      if (!(error instanceof ApiFault && error.status === 404)) throw error;
      apply({ kind: 'session-ended', sessionId });
    }
    // One of those that were paged in is not among the newest.
    if (!state.sessions.byId.has(sessionId)) await refetchSession(sessionId);
  }

  /** Several web chats with one agent are told apart by what they began with. */
  async function nameUntitled({ sessionId, text }: Pending): Promise<void> {
    const session = state.sessions.byId.get(sessionId);
    const title = titleFor(session, text);
    if (session === undefined || title === null) return;
    await guard(
      async () => apply({ kind: 'session', session: await api.renameSession(session, title) }),
      // Without a title it goes by the agent's name; the next message tries again.
      () => {},
    );
  }

  function onLive(resumed: boolean): void {
    apply({ kind: 'connection', connection: { kind: 'live' } });
    // Messages are replayed, the states of sessions and approvals are not.
    if (resumed) {
      detach(loadSessions(null));
      listeners.onApprovals();
      listeners.onRights(false);
    }
    for (const [sessionId, conversation] of state.conversations) {
      if (conversation.load === 'failed') detach(openConversation(sessionId));
    }
    sender.resume();
  }

  /** A burst comes in one piece of the stream and is drawn once. */
  function takeArrival(message: Message): void {
    arrived.push(message);
    if (arrived.length > 1) return;
    queueMicrotask(() => apply({ kind: 'messages', messages: arrived.splice(0) }));
  }

  function onFrame(frame: EventFrame): void {
    const data: unknown = JSON.parse(frame.data === '' ? 'null' : frame.data);
    switch (frame.event) {
      case 'message':
        if (isMessage(data)) takeArrival(data);
        return;
      case 'session':
        if (isSession(data)) apply({ kind: 'session', session: data });
        return;
      case 'session-ended':
        if (isRecord(data) && typeof data.sessionId === 'string') {
          apply({ kind: 'session-ended', sessionId: data.sessionId });
        }
        return;
      case 'typing':
        if (isRecord(data) && typeof data.sessionId === 'string') {
          apply({ kind: 'typing', sessionId: data.sessionId, typing: data.typing === true });
        }
        return;
      case 'approval':
        listeners.onApprovals();
        return;
      case 'me':
        listeners.onRights(true);
        return;
      // I1: what was loaded before the stream was open may lack what came between.
      case 'ready':
      case 'reset':
        detach(loadSessions(null));
        listeners.onApprovals();
        listeners.onRights(false);
        for (const sessionId of state.conversations.keys()) detach(refetchConversation(sessionId));
        return;
      // Events of a newer host.
      default:
        return;
    }
  }

  return {
    getState: () => state,
    subscribe(listener) {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },
    apply,
    start() {
      stream = openEventStream({
        url: api.EVENTS_URL,
        onFrame,
        onState(next) {
          if (next.kind === 'live') onLive(next.resumed);
          else apply({ kind: 'connection', connection: next });
        },
      });
      detach(sender.restore());
    },
    close: () => stream?.close(),
    hurry: () => stream?.hurry(),
    loadSessions,
    openConversation,
    trimConversation: (sessionId) => apply({ kind: 'trimmed', sessionId, keep: KEEP_MESSAGES }),
    loadOlder,
    seeAnew,
    send: sender.send,
    retry: sender.retry,
    discard: sender.discard,
    markRead(sessionId, position) {
      if ((readPositions.get(sessionId) ?? -1) >= position) return;
      readPositions.set(sessionId, position);
      // A mark that is lost is made again with the next message; nothing to show.
      detach(
        guard(
          () => api.markRead(sessionId, position),
          () => readPositions.delete(sessionId),
        ),
      );
    },
  };
}
