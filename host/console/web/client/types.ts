/** What the API answers, as the page uses it: the API's own types, so that a change there is seen here. */
import type {
  Agent,
  Destination,
  Dropped,
  Me,
  Message,
  Refusal,
  Session,
  SessionState,
  Task,
  Trace,
} from '../../api/schemas.ts';
import { isRecord } from './fault.ts';

export type { Agent, Destination, Dropped, Me, Message, Refusal, Session, SessionState, Task, Trace };
export type TaskAct = 'pause' | 'resume' | 'cancel';
export type Question = NonNullable<Message['question']>;
export type Attachment = Message['attachments'][number];

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Whether parsed JSON is a message, as far as the page's bookkeeping needs it to be. */
export function isMessage(data: unknown): data is Message {
  return (
    isRecord(data) &&
    typeof data.id === 'string' &&
    typeof data.sessionId === 'string' &&
    typeof data.position === 'number' &&
    typeof data.revision === 'number'
  );
}

export function isSession(data: unknown): data is Session {
  return isRecord(data) && typeof data.id === 'string' && typeof data.state === 'string';
}
