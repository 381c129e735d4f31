/**
 * Keeps the page's state in step with the host: loads, listens, sends.
 *
 * I1. What is listed before the event stream is open is listed again then, so that no change falls between.
 * I2. Sends of one session go one at a time, in the order they were written.
 */
import * as api from '../client/api.ts';
import type { EventFrame } from '../client/event-parser.ts';
import type { EventStream } from '../client/event-stream.ts';
import { openEventStream } from '../client/event-stream.ts';
import { ApiFault, describeProblem, isRecord } from '../client/fault.ts';
import type { Message, Session } from '../client/types.ts';
import { findReadPosition } from './merge.ts';
import type { Outbox } from './outbox.ts';
import type { Pending } from './pending.ts';
import { makeClientId } from './pending.ts';
import type { Change, ConsoleState } from './state.ts';
import { INITIAL_STATE, reduce } from './state.ts';

/** Messages kept of a conversation that is left. Higher: memory. Lower: paging when coming back. */
const KEEP_MESSAGES = 150;

/** A send that the host did not answer is tried again after this, and whenever the connection comes back. */
const RESEND_MS = 5_000;

export interface Console {
  getState(): ConsoleState;
  subscribe(listener: () => void): () => void;
  apply(change: Change): void;
  start(): void;
  close(): void;
  /** Tries the connection at once: the person asked, or the network came back. */
  hurry(): void;
  loadSessions(cursor: string | null): Promise<void>;
  openConversation(sessionId: string): Promise<void>;
  leaveConversation(sessionId: string): void;
  loadOlder(sessionId: string): Promise<void>;
  send(sessionId: string, text: string, files: readonly File[]): void;
  retry(clientId: string): void;
  /** Takes back a send that failed. */
  discard(clientId: string): void;
  markRead(sessionId: string, position: number): void;
}

export function createConsole(outbox: Outbox): Console {
  let state = INITIAL_STATE;
  let stream: EventStream | null = null;
  const listeners = new Set<() => void>();
  const sendingSessions = new Set<string>();
  const readPositions = new Map<string, number>();

  function apply(change: Change): void {
    const next = reduce(state, change);
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener();
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

  function onLive(resumed: boolean): void {
    apply({ kind: 'connection', connection: { kind: 'live' } });
    // Sessions' states are not replayed, messages are.
    if (resumed) detach(loadSessions(null));
    for (const [sessionId, conversation] of state.conversations) {
      if (conversation.load === 'failed') detach(openConversation(sessionId));
    }
    // What failed only because the host was away goes out by itself.
    for (const pending of state.pending) {
      if (pending.status.kind === 'failed' && pending.status.problem.hostAway) retry(pending.clientId);
    }
  }

  function onFrame(frame: EventFrame): void {
    const data: unknown = JSON.parse(frame.data === '' ? 'null' : frame.data);
    switch (frame.event) {
      case 'message':
        if (isMessage(data)) apply({ kind: 'messages', messages: [data] });
        return;
      case 'session':
        if (isSession(data)) apply({ kind: 'session', session: data });
        return;
      case 'typing':
        if (isRecord(data) && typeof data.sessionId === 'string') {
          apply({ kind: 'typing', sessionId: data.sessionId, typing: data.typing === true });
        }
        return;
      // I1: what was loaded before the stream was open may lack what came between.
      case 'ready':
      case 'reset':
        detach(loadSessions(null));
        for (const sessionId of state.conversations.keys()) detach(refetchConversation(sessionId));
        return;
      // Events of a newer host.
      default:
        return;
    }
  }

  function pumpSession(sessionId: string): void {
    if (sendingSessions.has(sessionId)) return;
    const queue = state.pending.filter((one) => one.sessionId === sessionId && !isRefused(one));
    const next = queue[0];
    // I2: while the oldest waits for the host to come back, so do those written after it.
    if (next === undefined || next.status.kind !== 'waiting') return;
    sendingSessions.add(sessionId);
    detach(
      sendOne(next).finally(() => {
        sendingSessions.delete(sessionId);
        pumpSession(sessionId);
      }),
    );
  }

  async function sendOne(pending: Pending): Promise<void> {
    const { clientId } = pending;
    const progress = (sentBytes: number, totalBytes: number) =>
      apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'sending', sentBytes, totalBytes } } });
    progress(0, 0);
    try {
      const message = await api.postMessage(pending, progress);
      apply({ kind: 'pending-done', clientId, message });
      await outbox.remove(clientId);
    } catch (error) {
      const problem = describeProblem(error);
      apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'failed', problem } } });
      if (problem.hostAway) {
        stream?.hurry();
        setTimeout(() => retry(clientId), RESEND_MS);
      }
    }
  }

  function retry(clientId: string): void {
    const pending = state.pending.find((one) => one.clientId === clientId);
    if (pending === undefined || pending.status.kind !== 'failed') return;
    apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'waiting' } } });
    pumpSession(pending.sessionId);
  }

  async function restoreOutbox(): Promise<void> {
    const pending = await outbox.all();
    apply({ kind: 'pending-added', pending });
    for (const sessionId of new Set(pending.map((one) => one.sessionId))) pumpSession(sessionId);
  }

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
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
      detach(restoreOutbox());
    },
    close: () => stream?.close(),
    hurry: () => stream?.hurry(),
    loadSessions,
    openConversation,
    leaveConversation: (sessionId) => apply({ kind: 'trimmed', sessionId, keep: KEEP_MESSAGES }),
    loadOlder,
    send(sessionId, text, files) {
      const pending: Pending = {
        clientId: makeClientId(),
        sessionId,
        text,
        files,
        createdAt: Date.now(),
        status: { kind: 'waiting' },
        matchedId: null,
      };
      apply({ kind: 'pending-added', pending: [pending] });
      detach(outbox.put(pending).then(() => pumpSession(sessionId)));
    },
    retry,
    discard(clientId) {
      apply({ kind: 'pending-removed', clientId });
      detach(outbox.remove(clientId));
    },
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

/** The host has it and said no: it stays for the person to decide, and holds nothing up. */
function isRefused(pending: Pending): boolean {
  return pending.status.kind === 'failed' && !pending.status.problem.hostAway;
}

/** Lets work run on its own; what it throws is a bug and goes to the browser's console. */
export function detach(work: Promise<unknown>): void {
  work.catch((error: unknown) => reportError(error));
}

function isMessage(data: unknown): data is Message {
  return (
    isRecord(data) &&
    typeof data.id === 'string' &&
    typeof data.sessionId === 'string' &&
    typeof data.position === 'number' &&
    typeof data.revision === 'number'
  );
}

function isSession(data: unknown): data is Session {
  return isRecord(data) && typeof data.id === 'string' && typeof data.state === 'string';
}
