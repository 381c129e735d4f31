/** What tools work with: the chart as it is now, the turn they run in, and the folders. */
import type { Chart, Destination, SessionFile } from '../../shared/protocol.ts';
import type { WorkspacePaths } from '../../shared/session-files.ts';
import { findDestination, findOrigin, listNames } from '../runner/chart.ts';
import type { Delivery } from '../runner/inbox.ts';
import { type Draft, type InboundMessage, isAt, type SentRow } from '../runner/message.ts';
import { chooseAnswered, type ReplyFacts } from '../runner/replies.ts';
import type { ToolResult } from './tool.ts';

export interface ToolContext {
  readonly session: SessionFile;
  readonly paths: WorkspacePaths;
  /** `out/files`, where outgoing files wait for the host. */
  readonly outFiles: string;
  /** Epoch ms. */
  now(): number;
  /** The chart and the batch as they are now, `reply_to` look-ups included. */
  facts(): ReplyFacts;
  send(draft: Draft, id?: string): SentRow;
  takeEarlier(draft: Draft): SentRow | null;
  /** Whether `takeEarlier` would find one. */
  hasEarlier(draft: Draft): boolean;
  /** An own earlier row, by number or id. */
  findOwn(reference: string): SentRow | null;
  /** A received message, by number or id. */
  findReceived(reference: string): InboundMessage | null;
  /** What the host made of an own row; null while it has not said. */
  findDelivery(messageId: string): Delivery | null;
  /** How a question of ours ended; null while it is open. The notice is then acknowledged with this turn. */
  takeAnswer(question: SentRow): InboundMessage | null;
  /** Looks now and whenever the host may have written; null when the time is over, or the turn. */
  watch<T>(look: () => T | null, timeoutMs: number): Promise<T | null>;
  /** Aborted when the turn is over. */
  readonly signal: AbortSignal;
  /** Keeps the turn from being called stuck for this long, until disposed. */
  declare(tool: string, timeoutMs: number): Disposable;
}

export type Target =
  | { ok: true; destination: Destination; answered: InboundMessage | null }
  | { ok: false; problem: ToolResult };

/** The destination of a name, and the message that a row to it answers. */
export function resolveTarget(context: ToolContext, to: string, replyTo: number | undefined): Target {
  const facts = context.facts();
  const destination = findDestination(facts.chart, to);
  if (!destination) return { ok: false, problem: unknownName(facts.chart, to) };
  const seq = replyTo ?? null;
  if (seq !== null && !facts.findBySeq(seq)) {
    const text = `There is no message ${seq} in this conversation. Use the id of a message you read, or leave reply_to out.`;
    return { ok: false, problem: { ok: false, text } };
  }
  return { ok: true, destination, answered: chooseAnswered(facts, destination, seq) };
}

/** Where a message of this session stands today, if that place is still in the chart. */
export function locate(context: ToolContext, message: SentRow | InboundMessage): Destination | null {
  const { chart } = context.facts();
  if (!('destination' in message)) return findOrigin(chart, message);
  return chart.destinations.find((destination) => isAt(message, destination)) ?? null;
}

export function unknownName(chart: Chart, name: string): ToolResult {
  return { ok: false, text: `You cannot reach "${name}". Send to one of: ${listNames(chart)}.` };
}
