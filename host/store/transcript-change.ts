/** What becomes of a message's row when something of it is told again. Pure. */
import type { SessionId } from '../../shared/ids.ts';
import type { Stamps } from '../../shared/trace.ts';
import type { MessageState, TranscriptAttachment } from './transcript.ts';
import type { MessageRow } from './transcript-row.ts';

/** What may change of a row later. `stamps` are merged, first stamp of a stage wins. */
export interface TranscriptChange {
  state?: MessageState;
  stateReason?: string | null;
  platformMessageId?: string | null;
  stamps?: Stamps;
  text?: string;
  editedAt?: number;
  reactions?: { emoji: string; by: string }[];
  attachments?: TranscriptAttachment[];
  /** Something that other tables say of it has changed: whoever reads it is told anew. */
  isTouched?: boolean;
  /** Only a row of this session and direction may change: ids in a container's rows are input. */
  only?: { sessionId: SessionId; direction: 'in' | 'out' };
}

/** The columns that may change. */
type ChangedColumns = Pick<
  MessageRow,
  'state' | 'state_reason' | 'platform_message_id' | 'stamps' | 'text' | 'edited_at' | 'reactions' | 'attachments'
>;

/** The columns as they are to be; null when the row stays as it is: it is another's, or was told this before. */
export function planChange(row: MessageRow, change: TranscriptChange): ChangedColumns | null {
  const { only } = change;
  if (only !== undefined && (row.session_id !== only.sessionId || row.direction !== only.direction)) return null;
  const stamps: Stamps = JSON.parse(row.stamps);
  // An agent may have read and answered a message before its delivery is settled.
  const isLate = change.state === 'delivered' && (row.state === 'read' || row.state === 'answered');
  const shown = {
    state: isLate ? row.state : (change.state ?? row.state),
    state_reason: change.stateReason === undefined ? row.state_reason : change.stateReason,
    platform_message_id: change.platformMessageId === undefined ? row.platform_message_id : change.platformMessageId,
    text: change.text ?? row.text,
    edited_at: change.editedAt ?? row.edited_at,
    reactions: change.reactions === undefined ? row.reactions : JSON.stringify(change.reactions),
    attachments: change.attachments === undefined ? row.attachments : JSON.stringify(change.attachments),
  };
  const hasNewStamp = Object.keys(change.stamps ?? {}).some((stage) => !(stage in stamps));
  const isTouched = change.isTouched === true || hasNewStamp;
  // Told again (a claim at every doorbell): no revision, no commit, no news.
  if (!isTouched && Object.entries(shown).every(([column, value]) => row[column as keyof MessageRow] === value)) {
    return null;
  }
  return { ...shown, stamps: JSON.stringify({ ...change.stamps, ...stamps }) };
}
