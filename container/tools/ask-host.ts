/** Requests: a row that asks the host for something, and the host's answer in its `deliveries`. */
import type { Request } from '../../shared/requests.ts';
import type { Delivery } from '../runner/inbox.ts';
import type { Draft, SentRow } from '../runner/message.ts';
import { chooseAnswered } from '../runner/replies.ts';
import type { ToolContext } from './context.ts';
import type { ToolResult } from './tool.ts';

/** How long a tool waits for the host's word. Higher: a busy host holds turns up. Lower: the agent hears "submitted" often. */
const ANSWER_WAIT_MS = 5_000;

export type HostAnswer =
  /** `note`: what the host says beside, as that an admin was asked. */
  | { kind: 'done'; row: SentRow; note: string | null }
  | { kind: 'refused'; reason: string }
  /** The host has it, and has not said yet. */
  | { kind: 'open'; row: SentRow };

/** The row that asks. Of the same request in an earlier try of this message there is one already. */
export function draftRequest(request: Request, context: ToolContext): Draft {
  const answered = chooseAnswered(context.facts(), null, null);
  return {
    destination: null,
    channelType: null,
    platformId: null,
    threadId: null,
    inReplyTo: answered?.id ?? null,
    traceId: answered?.traceId ?? null,
    body: { kind: 'request', content: request },
  };
}

/** Commits the row, and waits a few seconds for the host's answer. */
export async function askHost(request: Request, context: ToolContext): Promise<HostAnswer> {
  const row = context.send(draftRequest(request, context));
  const end = await context.watch(() => findEnd(row, context), ANSWER_WAIT_MS);
  if (end === null) return { kind: 'open', row };
  if (end.state === 'delivered') return { kind: 'done', row, note: end.reason };
  return { kind: 'refused', reason: end.reason ?? 'the host gives no reason' };
}

/** The host's last word on a row, or null. */
export function findEnd(row: SentRow, context: ToolContext): Delivery | null {
  const delivery = context.findDelivery(row.id);
  return delivery !== null && ['delivered', 'refused', 'failed'].includes(delivery.state) ? delivery : null;
}

/** The answer as a result: `done` are the words when it was carried out. */
export function describeAnswer(answer: HostAnswer, done: string, data?: unknown): ToolResult {
  switch (answer.kind) {
    case 'refused':
      return { ok: false, text: `The host refused: ${answer.reason}` };
    case 'open': {
      const { id, seq } = answer.row;
      return { ok: true, text: 'Submitted; you will hear if it is refused.', messageId: id, seq, data };
    }
    case 'done': {
      const { id, seq } = answer.row;
      return { ok: true, text: done, messageId: id, seq, data };
    }
  }
}

/**
 * The answer to what an admin decides, or the host does later: nobody waits for it in a turn. The outcome comes
 * as a message of its own.
 */
export function describeSubmitted(answer: HostAnswer): ToolResult {
  if (answer.kind === 'refused') return describeAnswer(answer, '');
  const { id, seq } = answer.row;
  const note = answer.kind === 'done' ? (answer.note?.replace(/[.\s]+$/, '') ?? null) : null;
  const said = note === null ? '' : ` The host says: ${note}.`;
  return {
    ok: true,
    text: `Submitted.${said} When an admin decides, you will be told what came of it in a message: do not wait for it, and do not ask again.`,
    messageId: id,
    seq,
    data: { note },
  };
}
