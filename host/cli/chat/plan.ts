/** What the chat shows when a message comes or changes. Pure. */
import type { Message, MessageState } from '../client/types.ts';

export type Notice =
  | { kind: 'message'; message: Message }
  | { kind: 'edited'; message: Message }
  | { kind: 'reaction'; message: Message; emoji: string; by: string }
  /** It did not arrive, or may not have: a person should know. */
  | { kind: 'trouble'; message: Message };

/** States of a message that did not arrive, or may not have. */
export const TROUBLE: ReadonlySet<MessageState> = new Set(['failed', 'refused', 'unknown', 'dropped']);
const UNSETTLED: ReadonlySet<MessageState> = new Set(['queued', 'sending']);

/** What the chat knows of a message: its newest revision, and whether a person has seen it here. */
export interface Seen {
  message: Message;
  isShown: boolean;
}

export interface NoticePlan {
  seen: Seen;
  notices: Notice[];
}

/**
 * What to show of a message that was `before` (null when never seen) and is `after`. The same or an older
 * revision shows nothing, so that what a reconnect sends again is not shown again; nor is one that is sent again.
 */
export function planNotices(before: Seen | null, after: Message): NoticePlan {
  if (before !== null && before.message.revision >= after.revision) return { seen: before, notices: [] };
  const old = before?.message ?? null;
  const wasShown = before?.isShown === true;
  // What an agent writes is shown once its fate is known.
  const isSettled = after.direction === 'in' || !UNSETTLED.has(after.state);
  const seen = { message: after, isShown: wasShown || isSettled };
  if (!seen.isShown) return { seen, notices: [] };
  const notices: Notice[] = [];
  if (!wasShown) notices.push({ kind: 'message', message: after });
  else if (old !== null && old.text !== after.text) notices.push({ kind: 'edited', message: after });
  if (TROUBLE.has(after.state) && old?.state !== after.state) notices.push({ kind: 'trouble', message: after });
  const known = new Set(old?.reactions.map(describeReaction));
  for (const reaction of after.reactions) {
    if (!known.has(describeReaction(reaction))) notices.push({ kind: 'reaction', message: after, ...reaction });
  }
  return { seen, notices };
}

function describeReaction(reaction: { emoji: string; by: string }): string {
  return `${reaction.emoji}\0${reaction.by}`;
}

/** How long a first reply may come after the message counts as answered. Higher: silence costs more time. Lower: replies are missed. */
const REPLY_SETTLE_MS = 1_000;
/** How long an edit may come after that. Higher: each command takes longer. Lower: a text is printed that changes. */
const EDIT_SETTLE_MS = 150;

export type ExchangeStage =
  | { kind: 'waiting' }
  /** The agent is done, but something may be a moment behind: its reply, or the last edit of one. */
  | { kind: 'settling'; forMs: number }
  | { kind: 'over' };

/** How far a question and its replies are; `replies` are all messages that answer it, in any state. */
export function planExchange(question: Message, replies: readonly Message[]): ExchangeStage {
  // The agent asks back and waits for a person: whoever sent must see it, or both wait for each other.
  const asksBack = replies.some((reply) => reply.question?.state === 'pending');
  if (asksBack && !replies.some((reply) => UNSETTLED.has(reply.state))) {
    return { kind: 'settling', forMs: EDIT_SETTLE_MS };
  }
  switch (question.state) {
    case 'answered':
      if (replies.some((reply) => UNSETTLED.has(reply.state))) return { kind: 'waiting' };
      return { kind: 'settling', forMs: replies.length === 0 ? REPLY_SETTLE_MS : EDIT_SETTLE_MS };
    case 'failed':
    case 'refused':
    case 'dropped':
    case 'context':
      // What it says of that is on its way: taken now, it would count as lost.
      return { kind: replies.some((reply) => UNSETTLED.has(reply.state)) ? 'waiting' : 'over' };
    default:
      return { kind: 'waiting' };
  }
}

/** Says what became of the person's own newest message, for the status line; null when there is nothing to say. */
export function describeOwnState(message: Message): string | null {
  switch (message.state) {
    case 'queued':
      return 'sent ✓';
    case 'read':
      return 'read ✓✓';
    case 'context':
      return 'noted ✓';
    case 'failed':
    case 'refused':
    case 'dropped':
      return `${message.state} ✗`;
    default:
      return null;
  }
}
