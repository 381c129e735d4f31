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

/**
 * Notices for a message that was `before` (null when never seen) and is `after`. The same or an older revision
 * gives none, so that what a reconnect sends again is not shown again.
 */
export function planNotices(before: Message | null, after: Message): Notice[] {
  if (before !== null && before.revision >= after.revision) return [];
  if (!isShown(after)) return [];
  const notices: Notice[] = [];
  if (before === null || !isShown(before)) notices.push({ kind: 'message', message: after });
  else if (before.text !== after.text) notices.push({ kind: 'edited', message: after });
  if (TROUBLE.has(after.state) && before?.state !== after.state) notices.push({ kind: 'trouble', message: after });
  const known = new Set(before?.reactions.map(describeReaction));
  for (const reaction of after.reactions) {
    if (!known.has(describeReaction(reaction))) notices.push({ kind: 'reaction', message: after, ...reaction });
  }
  return notices;
}

/** What an agent writes is shown once its fate is known; what it asks of the host is not part of the talk. */
function isShown(message: Message): boolean {
  if (message.kind === 'request') return false;
  return message.direction === 'in' || !UNSETTLED.has(message.state);
}

function describeReaction(reaction: { emoji: string; by: string }): string {
  return `${reaction.emoji}\0${reaction.by}`;
}

export type ExchangeStage =
  | { kind: 'waiting' }
  /** The agent is done, but nothing came: a reply may be a moment behind. */
  | { kind: 'settling' }
  | { kind: 'over' };

/** How far a question and its replies are; `replies` are all messages that answer it, in any state. */
export function planExchange(question: Message, replies: readonly Message[]): ExchangeStage {
  switch (question.state) {
    case 'answered':
      if (replies.some((reply) => UNSETTLED.has(reply.state))) return { kind: 'waiting' };
      return replies.length === 0 ? { kind: 'settling' } : { kind: 'over' };
    case 'failed':
    case 'refused':
    case 'dropped':
    case 'context':
      return { kind: 'over' };
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
