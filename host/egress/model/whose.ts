/**
 * On whose behalf a call is. What the container says is believed only when it is a message that came into this very
 * session: so a hostile one can at worst name another person of the same conversation.
 */
import { type MessageId, parseId, parseUserId, type SessionId, type UserId } from '../../../shared/ids.ts';
import { toDiskFault } from '../../config/errors.ts';
import type { Transcript, TranscriptMessage } from '../../store/transcript.ts';

export interface Whose {
  messageId: MessageId | null;
  /** Who wrote it, by the identity that they wrote with. */
  userId: UserId | null;
}

const NOBODY: Whose = { messageId: null, userId: null };

export function findWhose(
  transcript: Pick<Transcript, 'peek' | 'get'>,
  sessionId: SessionId,
  said: string | null,
): Whose {
  const id = said === null ? null : parseId('message', said);
  if (id === null) return NOBODY;
  const message = look(transcript, id);
  if (message === null || message.sessionId !== sessionId || message.direction !== 'in') return NOBODY;
  // Another agent wrote it, or a task: nobody's.
  return { messageId: id, userId: message.authorId === null ? null : parseUserId(message.authorId) };
}

/** What was told a moment ago may not be committed yet. Null too while the disk takes nothing. */
function look(transcript: Pick<Transcript, 'peek' | 'get'>, id: MessageId): TranscriptMessage | null {
  try {
    return transcript.peek(id) ?? transcript.get(id);
  } catch (error) {
    if (toDiskFault(error) === null) throw error;
    return null;
  }
}
