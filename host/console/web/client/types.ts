/** What the API answers, as the page uses it: the API's own types, so that a change there is seen here. */
import type {
  AgentResource,
  DestinationResource,
  Me,
  MessageResource,
  SessionResource,
  TraceResource,
} from '../../api/schemas.ts';

export type { Me };
export type Agent = AgentResource;
export type Destination = DestinationResource;
export type Message = MessageResource;
export type Session = SessionResource;
export type SessionState = Session['state'];
export type Attachment = Message['attachments'][number];
export type Trace = TraceResource;

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
