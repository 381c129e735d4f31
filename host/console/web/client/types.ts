/** What the API answers, as the page uses it: the API's own types, so that a change there is seen here. */
import type { Agent, Destination, Me, Message, Session, SessionState, Trace } from '../../api/schemas.ts';

export type { Agent, Destination, Me, Message, Session, SessionState, Trace };
export type Attachment = Message['attachments'][number];

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
