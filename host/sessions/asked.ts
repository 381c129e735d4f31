/** A request of an agent on its way to whoever carries it out, and what became of it. */
import type { MessageId, TraceId } from '../../shared/ids.ts';
import type { Request } from '../../shared/requests.ts';
import type { Session } from '../store/sessions.ts';
import type { InboxTables } from './inbox-tables.ts';

/** Where the message that made the agent ask came from. */
export interface Origin {
  channelType: string;
  platformId: string;
  threadId: string | null;
}

export interface Asked<R extends Request = Request> {
  session: Session;
  /** The row that asks. What the request makes is named after it: after a crash the row is answered again. */
  messageId: MessageId;
  traceId: TraceId;
  request: R;
  origin: Origin | null;
  /** Epoch ms. */
  now: number;
}

/**
 * Words for the agent: `note` is what it should know beside (that an admin was asked, under which code); `reason`
 * what was wrong, what was expected, what to do instead.
 */
export type Answer = { kind: 'done'; note?: string } | { kind: 'refused'; reason: string };

export interface Answered {
  answer: Answer;
  /** In the transaction that writes the answer into the session's database: rows that must stand or fall with it. */
  within?: (tables: InboxTables) => void;
  /** Once the answer stands in the session's database: files, charts, telling. A crash may leave it out. */
  after?: () => void;
}
