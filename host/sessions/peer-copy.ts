/**
 * A message from agent to agent is two messages of the transcript: the sender's, and a copy in the session that
 * gets it. The copy's id is made from the sender's message; as its client id it keeps which one that is.
 */
import { deriveMessageId, type MessageId, parseId, type SessionId } from '../../shared/ids.ts';
import type { Transcript } from '../store/transcript.ts';
import type { TranscriptChange } from '../store/transcript-change.ts';

const CLIENT_ID = /^peer:(.+)$/;

/** The inbound message that a message of that session becomes: the same at every attempt, whatever crashed. */
export function copyIdOf(sessionId: SessionId, messageId: MessageId): MessageId {
  return deriveMessageId(sessionId, 'peer', messageId);
}

export function clientIdOf(messageId: MessageId): string {
  return `peer:${messageId}`;
}

/** The sender's message behind a copy, and its session; null when the id names no copy. One or two look-ups. */
export function findOriginal(
  transcript: Transcript,
  copyId: MessageId,
): { id: MessageId; sessionId: SessionId; inReplyTo: MessageId | null } | null {
  const named = CLIENT_ID.exec(transcript.peek(copyId)?.clientId ?? '')?.[1];
  const id = named === undefined ? null : parseId('message', named);
  const original = id === null ? null : transcript.peek(id);
  // A client id is input; that the ids belong together is not.
  if (original === null || copyIdOf(original.sessionId, original.id) !== copyId) return null;
  return { id: original.id, sessionId: original.sessionId, inReplyTo: original.inReplyTo };
}

/** The sender of a message sees what becomes of it at the other agent. */
export function showToSender(transcript: Transcript, copyId: MessageId, change: TranscriptChange): void {
  const original = findOriginal(transcript, copyId);
  if (original === null) return;
  transcript.change(original.id, { ...change, only: { sessionId: original.sessionId, direction: 'out' } });
}
