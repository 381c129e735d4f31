import type { Problem } from '../client/fault.ts';
import type { Message } from '../client/types.ts';

export type PendingStatus =
  /** In the queue behind an earlier send of the same session, or for the host to come back. */
  | { kind: 'waiting' }
  | { kind: 'sending'; sentBytes: number; totalBytes: number }
  | { kind: 'failed'; problem: Problem };

/** A message the person has sent and the host has not yet confirmed. */
export interface Pending {
  /** The host commits one message per clientId, so sending again is always safe. */
  clientId: string;
  sessionId: string;
  text: string;
  files: readonly File[];
  createdAt: number;
  status: PendingStatus;
  /** Id of the host's message that arrived as an event before the answer did; it is shown instead of this. */
  matchedId: string | null;
}

/** Makes a fresh clientId; works without a secure context, which `crypto.randomUUID` does not. */
export function makeClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * Marks the oldest send in flight that this arriving message is the committed form of. The answer to
 * the send settles it for certain; until then this only keeps it from being drawn twice.
 */
export function matchPending(pending: readonly Pending[], message: Message): readonly Pending[] {
  if (message.direction !== 'in' || message.kind !== 'chat') return pending;
  if (pending.some((one) => one.matchedId === message.id)) return pending;
  const at = pending.findIndex(
    (one) =>
      one.matchedId === null &&
      one.status.kind === 'sending' &&
      one.sessionId === message.sessionId &&
      one.text === message.text &&
      one.files.length === message.attachments.length,
  );
  return at < 0 ? pending : pending.map((one, index) => (index === at ? { ...one, matchedId: message.id } : one));
}
