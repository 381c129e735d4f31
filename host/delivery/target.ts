/**
 * Which message an edit or a reaction is about, and whether its agent may touch it. Pure.
 *
 * The row itself was authorised like a send: its destination is the agent's, now. Here the message must be one
 * of the same session, in the very chat and thread that was authorised: an id alone opens no other place.
 */
import type { AgentGroupId, MessagingGroupId, SessionId } from '../../shared/ids.ts';
import type { TranscriptMessage } from '../store/transcript.ts';
import type { OutboundMessage } from './plan.ts';

export interface TargetFacts {
  session: { id: SessionId; agentGroupId: AgentGroupId };
  /** The chat that the row was authorised for. */
  chatId: MessagingGroupId | null;
  /** What the id in the row names, null when nothing. */
  named: TranscriptMessage | null;
}

export type Target =
  /** The row stands for itself. */
  | { kind: 'none' }
  | { kind: 'found'; message: TranscriptMessage }
  /** `words` say what was expected. */
  | { kind: 'refuse'; words: string };

/** The id that an edit or a reaction names, null for other rows. */
export function namedId({ body }: Pick<OutboundMessage, 'body'>): string | null {
  return body.kind === 'edit' || body.kind === 'reaction' ? body.content.messageId : null;
}

export function matchTarget(
  row: Pick<OutboundMessage, 'body' | 'threadId' | 'destination'>,
  { session, chatId, named }: TargetFacts,
): Target {
  if (row.body.kind !== 'edit' && row.body.kind !== 'reaction') return { kind: 'none' };
  const place = `"${row.destination ?? ''}"`;
  const isThere =
    named !== null &&
    named.sessionId === session.id &&
    chatId !== null &&
    named.messagingGroupId === chatId &&
    named.threadId === row.threadId;
  if (row.body.kind === 'reaction') {
    if (isThere) return { kind: 'found', message: named };
    return refuse(`there is no message with that id in ${place}: use the id of a message you read or sent there`);
  }
  const isOwn = isThere && named.direction === 'out' && named.authorId === session.agentGroupId;
  if (!isOwn) return refuse(`there is no message of yours with that id in ${place}: use the id of one you sent there`);
  if (named.kind !== 'chat') return refuse('only a plain message can be edited: send a new message instead');
  return { kind: 'found', message: named };
}

function refuse(words: string): Target {
  return { kind: 'refuse', words };
}
