/**
 * What the page knows, and every way it can change. Pure: no IO, no clock.
 *
 * I1. A message is kept once, in its newest revision; an older copy never replaces a newer one.
 * I2. A pending send is on the page until the host's own message stands for it: never lost, never doubled.
 * I3. Messages of a conversation are in the order of their position.
 */
import type { Message, Session } from '../client/types.ts';
import { assertNever } from './assert.ts';
import { mergeMessages } from './merge.ts';
import type { Pending } from './pending.ts';
import { matchPending } from './pending.ts';

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** `retryAtMs`: epoch ms of the next attempt, null while one is under way. */
  | { kind: 'reconnecting'; attempt: number; retryAtMs: number | null }
  | { kind: 'signed-out' };

export interface Conversation {
  messages: readonly Message[];
  /** Position of the newest message that this person had read when the conversation was opened; null: all. */
  readUpTo: number | null;
  hasOlder: boolean;
  load: 'none' | 'loading' | 'ready' | 'failed';
  loadingOlder: boolean;
}

export interface SessionList {
  byId: ReadonlyMap<string, Session>;
  nextCursor: string | null;
  load: 'loading' | 'ready' | 'failed';
}

export interface ConsoleState {
  connection: Connection;
  sessions: SessionList;
  conversations: ReadonlyMap<string, Conversation>;
  pending: readonly Pending[];
}

export const INITIAL_STATE: ConsoleState = {
  connection: { kind: 'connecting' },
  sessions: { byId: new Map(), nextCursor: null, load: 'loading' },
  conversations: new Map(),
  pending: [],
};

const EMPTY_CONVERSATION: Conversation = {
  messages: [],
  readUpTo: null,
  hasOlder: false,
  load: 'none',
  loadingOlder: false,
};

export type Change =
  | { kind: 'connection'; connection: Connection }
  | { kind: 'sessions-loaded'; items: readonly Session[]; nextCursor: string | null }
  /** All that this person may see, from the newest; what was shown besides is not for them any more. */
  | { kind: 'sessions-replaced'; items: readonly Session[]; nextCursor: string | null }
  | { kind: 'sessions-failed' }
  | { kind: 'session'; session: Session }
  /** It is over: the agent was removed. */
  | { kind: 'session-ended'; sessionId: string }
  | { kind: 'typing'; sessionId: string; typing: boolean }
  | { kind: 'messages'; messages: readonly Message[] }
  | { kind: 'conversation-loading'; sessionId: string }
  | { kind: 'conversation-failed'; sessionId: string }
  | { kind: 'newest-loaded'; sessionId: string; messages: readonly Message[]; hasOlder: boolean }
  /** In the place of all that was shown of it. */
  | { kind: 'conversation-replaced'; sessionId: string; messages: readonly Message[]; hasOlder: boolean }
  | { kind: 'older-loading'; sessionId: string }
  | { kind: 'older-loaded'; sessionId: string; messages: readonly Message[]; hasOlder: boolean }
  | { kind: 'older-failed'; sessionId: string }
  | { kind: 'trimmed'; sessionId: string; keep: number }
  | { kind: 'unread-marked'; sessionId: string; readUpTo: number | null }
  | { kind: 'pending-added'; pending: readonly Pending[] }
  | { kind: 'pending-changed'; clientId: string; change: Partial<Pick<Pending, 'status' | 'matchedId'>> }
  | { kind: 'pending-done'; clientId: string; message: Message }
  | { kind: 'pending-removed'; clientId: string };

export function reduce(state: ConsoleState, change: Change): ConsoleState {
  switch (change.kind) {
    case 'connection':
      return { ...state, connection: change.connection };
    case 'sessions-loaded': {
      const byId = new Map(state.sessions.byId);
      for (const session of change.items) byId.set(session.id, newer(state.sessions.byId.get(session.id), session));
      return { ...state, sessions: { byId, nextCursor: change.nextCursor, load: 'ready' } };
    }
    case 'sessions-replaced': {
      const byId = new Map(change.items.map((one) => [one.id, newer(state.sessions.byId.get(one.id), one)]));
      return { ...state, sessions: { byId, nextCursor: change.nextCursor, load: 'ready' } };
    }
    case 'sessions-failed':
      return { ...state, sessions: { ...state.sessions, load: 'failed' } };
    case 'session':
      return withSession(state, newer(state.sessions.byId.get(change.session.id), change.session));
    case 'session-ended':
      return withoutSession(state, change.sessionId);
    case 'typing': {
      const session = state.sessions.byId.get(change.sessionId);
      return session === undefined ? state : withSession(state, { ...session, typing: change.typing });
    }
    case 'messages':
      return addMessages(state, change.messages);
    case 'conversation-loading':
      return withConversation(state, change.sessionId, (old) => ({
        ...old,
        load: old.load === 'ready' ? 'ready' : 'loading',
      }));
    case 'conversation-failed':
      return withConversation(state, change.sessionId, (old) => ({
        ...old,
        load: old.load === 'ready' ? 'ready' : 'failed',
      }));
    case 'newest-loaded':
      return withConversation(state, change.sessionId, (old) => joinNewest(old, change));
    case 'conversation-replaced': {
      const { messages, hasOlder } = change;
      return withConversation(state, change.sessionId, ({ readUpTo }) => ({
        ...EMPTY_CONVERSATION,
        ...{ messages: mergeMessages([], messages), hasOlder, readUpTo, load: 'ready' },
      }));
    }
    case 'older-loading':
      return withConversation(state, change.sessionId, (old) => ({ ...old, loadingOlder: true }));
    case 'older-loaded':
      return withConversation(state, change.sessionId, (old) => ({
        ...old,
        messages: mergeMessages(old.messages, change.messages),
        hasOlder: change.hasOlder,
        loadingOlder: false,
      }));
    case 'older-failed':
      return withConversation(state, change.sessionId, (old) => ({ ...old, loadingOlder: false }));
    case 'trimmed':
      return withConversation(state, change.sessionId, (old) =>
        old.messages.length <= change.keep
          ? old
          : { ...old, messages: old.messages.slice(-change.keep), hasOlder: true },
      );
    case 'unread-marked':
      return withConversation(state, change.sessionId, (old) => ({ ...old, readUpTo: change.readUpTo }));
    case 'pending-added': {
      const known = new Set(state.pending.map((one) => one.clientId));
      return { ...state, pending: [...state.pending, ...change.pending.filter((one) => !known.has(one.clientId))] };
    }
    case 'pending-changed':
      return {
        ...state,
        pending: state.pending.map((one) => (one.clientId === change.clientId ? { ...one, ...change.change } : one)),
      };
    case 'pending-done':
      return addMessages(withoutPending(state, change.clientId), [change.message]);
    case 'pending-removed':
      return withoutPending(state, change.clientId);
    default:
      return assertNever(change);
  }
}

/** An open conversation of it says that it cannot be opened any more. */
function withoutSession(state: ConsoleState, sessionId: string): ConsoleState {
  const byId = new Map(state.sessions.byId);
  byId.delete(sessionId);
  const next: ConsoleState = { ...state, sessions: { ...state.sessions, byId } };
  if (!state.conversations.has(sessionId)) return next;
  return withConversation(next, sessionId, () => ({ ...EMPTY_CONVERSATION, load: 'failed' }));
}

/**
 * The newest page after a first load, or after the host said `reset`. When it does not reach what is
 * already shown there may be a gap between the two, so the older part is dropped and paged in again.
 */
function joinNewest(old: Conversation, page: { messages: readonly Message[]; hasOlder: boolean }): Conversation {
  const pageStart = page.messages[0]?.position ?? 0;
  const shownStart = old.messages[0]?.position ?? 0;
  const shownEnd = old.messages.at(-1)?.position ?? -1;
  const reaches = old.load === 'ready' && pageStart <= shownEnd;
  const kept = reaches ? old.messages : old.messages.filter((message) => message.position >= pageStart);
  return {
    ...old,
    messages: mergeMessages(kept, page.messages),
    hasOlder: reaches && shownStart < pageStart ? old.hasOlder : page.hasOlder,
    load: 'ready',
  };
}

function addMessages(state: ConsoleState, messages: readonly Message[]): ConsoleState {
  let next = matchArrivals(state, messages);
  // A conversation that was never opened is loaded when it is; keeping single messages would leave gaps.
  for (const sessionId of state.conversations.keys()) {
    const chatId = state.sessions.byId.get(sessionId)?.chatId ?? null;
    const group = messages.filter((message) => belongs(message, sessionId, chatId));
    if (group.length === 0) continue;
    next = withConversation(next, sessionId, (old) => {
      const messages = mergeMessages(
        old.messages,
        group.filter((message) => !liesBefore(old, message)),
      );
      return messages === old.messages ? old : { ...old, messages };
    });
  }
  return next;
}

/** A change to a message further up than what is paged in: shown once that page is. */
function liesBefore(conversation: Conversation, message: Message): boolean {
  const first = conversation.messages[0];
  return conversation.hasOlder && first !== undefined && message.position < first.position;
}

/** What other agents send into this session's chat is part of its conversation. */
function belongs(message: Message, sessionId: string, chatId: string | null): boolean {
  if (message.sessionId === sessionId) return true;
  return message.direction === 'out' && chatId !== null && message.chatId === chatId;
}

/** I2: the event can overtake the answer to the send that caused it. */
function matchArrivals(state: ConsoleState, arrivals: readonly Message[]): ConsoleState {
  let pending = state.pending;
  if (pending.length === 0) return state;
  for (const message of arrivals) {
    const shown = state.conversations.get(message.sessionId)?.messages ?? [];
    if (shown.some((one) => one.id === message.id)) continue;
    pending = matchPending(pending, message);
  }
  return pending === state.pending ? state : { ...state, pending };
}

function newer(old: Session | undefined, session: Session): Session {
  return old !== undefined && old.revision > session.revision ? old : session;
}

function withSession(state: ConsoleState, session: Session): ConsoleState {
  const byId = new Map(state.sessions.byId).set(session.id, session);
  return { ...state, sessions: { ...state.sessions, byId } };
}

function withConversation(state: ConsoleState, id: string, change: (old: Conversation) => Conversation): ConsoleState {
  const old = state.conversations.get(id) ?? EMPTY_CONVERSATION;
  const next = change(old);
  return next === old ? state : { ...state, conversations: new Map(state.conversations).set(id, next) };
}

function withoutPending(state: ConsoleState, clientId: string): ConsoleState {
  return { ...state, pending: state.pending.filter((one) => one.clientId !== clientId) };
}
