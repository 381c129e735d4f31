/**
 * The door that every model call goes through: whether it may begin, and what it used.
 *
 *   gateway ──admit──▶ refused, or a meter
 *      │ each chunk to the model ──▶ meter.sent      (a refusal: it is not sent, and the call is broken off)
 *      │ the answer's head      ──▶ meter.answered
 *      │ each chunk back         ──▶ meter.received
 *      ╰ its end                 ──▶ meter.end
 *
 * The meter looks at bytes as they pass and holds none of them back.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AgentGroupId, SessionId } from '../../../shared/ids.ts';
import type { Refusal } from '../refusal.ts';

/** What metering needs to know of a service. */
export interface ModelService {
  readonly name: string;
  readonly api: 'anthropic' | 'openai' | null;
  /** On this machine or network: its models cost nothing unless a price was set. */
  readonly isPrivate: boolean;
}

export interface ModelCall {
  agentGroupId: AgentGroupId;
  sessionId: SessionId;
  /** As the container says; believed only when that message came into this session. */
  messageId: string | null;
  service: ModelService;
  method: string;
  /** Behind `/model/<name>`, beginning with `/`; a query is not looked at. */
  path: string;
  /** Null: it comes in chunks. */
  bodyBytes: number | null;
}

export interface ModelDoor {
  admit(call: ModelCall): { kind: 'go'; meter: Meter } | Refusal;
}

/** `broken`: either side went away; `unsent`: nobody was reached outside, so that nothing can have begun. */
export type CallEnd = 'whole' | 'broken' | 'unsent';

export interface Meter {
  /**
   * Before the chunk goes out. A refusal: neither this chunk nor what follows goes out, the call is broken off, and
   * the container gets the refusal. Whatever a model needs to begin is not complete before the body's last byte, so
   * a call that was refused here has cost nothing.
   */
  sent(chunk: Buffer): Refusal | null;
  answered(status: number, headers: IncomingHttpHeaders): void;
  /** Of the answer's body, unpacked; before or after the chunk goes to the container. */
  received(chunk: Buffer): void;
  /** Once, whatever happened. Later calls change nothing. */
  end(how: CallEnd): void;
}
