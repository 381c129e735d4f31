import { z } from 'zod';
import { MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { questionContentSchema } from '../../shared/messages.ts';
import type { Destination } from '../../shared/protocol.ts';
import { findOrigin, listNames } from '../runner/chart.ts';
import type { InboundMessage, SentRow } from '../runner/message.ts';
import { chooseAnswered, draftFor } from '../runner/replies.ts';
import { resolveTarget, type ToolContext } from './context.ts';
import type { Tool, ToolResult } from './tool.ts';

/** Longest that a turn waits for a person. Higher: the agent is deaf to all else meanwhile. Lower: answers come as messages. */
export const MAX_QUESTION_WAIT_MS = 10 * 60_000;
/** How long the tool may take beyond its waiting. */
const SLACK_MS = 10_000;

const { title, question, options, timeoutS } = questionContentSchema.shape;

const input = z.object({
  to: z.string().min(1).optional().describe('name of a chat; without it, where the message you answer came from'),
  title: title.describe('a few words'),
  question: question.min(1).describe('the whole question, Markdown'),
  options: options.describe('1 to 10 answers to choose from, at most 100 characters each'),
  timeout_s: timeoutS.describe('seconds until the question is closed; waits at most 600 of them'),
});

/**
 * Puts a question to people and waits. A second try of the same message finds the question that the first
 * one put, and its answer, if that came meanwhile.
 */
export const askUserQuestion: Tool<typeof input> = {
  name: 'ask_user_question',
  description: 'Ask people in a chat to choose one of several answers, and wait for their choice.',
  input,
  async run({ to, title, question, options, timeout_s }, context) {
    const target = findTarget(to, context);
    if (!target.ok) return target.problem;
    const problem = findProblem(question, options);
    if (problem) return { ok: false, text: problem };
    const draft = draftFor(target.destination, target.answered, {
      kind: 'question',
      content: { title, question, options, ...(timeout_s === undefined ? {} : { timeoutS: timeout_s }) },
    });
    const row = context.send(draft);
    const waitMs = Math.min((timeout_s ?? Number.POSITIVE_INFINITY) * 1_000, MAX_QUESTION_WAIT_MS);
    using _declared = context.declare('ask_user_question', waitMs + SLACK_MS);
    // The host's own end of the question comes a moment after its time.
    const end = await context.watch(() => findEnd(row, context), waitMs + SLACK_MS / 2);
    return end === null ? describeOpen(row, target.destination) : describeEnd(row, end);
  },
};

type QuestionTarget =
  | { ok: true; destination: Destination; answered: InboundMessage | null }
  | { ok: false; problem: ToolResult };

function findTarget(to: string | undefined, context: ToolContext): QuestionTarget {
  const facts = context.facts();
  const chats = { ...facts.chart, destinations: facts.chart.destinations.filter(({ type }) => type === 'channel') };
  if (to !== undefined) {
    const target = resolveTarget(context, to, undefined);
    if (!target.ok || target.destination.type === 'channel') return target;
    const text = `${target.destination.name} is an agent, and has no people. Ask in one of: ${listNames(chats)}; or send it a message.`;
    return { ok: false, problem: { ok: false, text } };
  }
  const answered = chooseAnswered(facts, null, null);
  const destination = answered && findOrigin(chats, answered);
  if (destination) return { ok: true, destination, answered };
  const text = `What you answer did not come from a chat. Say where to ask, with \`to\`: ${listNames(chats)}.`;
  return { ok: false, problem: { ok: false, text } };
}

function findProblem(question: string, options: readonly string[]): string | null {
  if (Buffer.byteLength(question) > MAX_TEXT_BYTES) return 'The question is too long. Shorten it.';
  if (new Set(options).size < options.length) return 'Two options are the same. Make them different.';
  return null;
}

type QuestionEnd = { kind: 'notice'; notice: InboundMessage } | { kind: 'unsent'; reason: string };

function findEnd(row: SentRow, context: ToolContext): QuestionEnd | null {
  const notice = context.takeAnswer(row);
  if (notice) return { kind: 'notice', notice };
  const delivery = context.findDelivery(row.id);
  if (delivery?.state !== 'refused' && delivery?.state !== 'failed') return null;
  return { kind: 'unsent', reason: delivery.reason ?? delivery.state };
}

function describeEnd(row: SentRow, end: QuestionEnd): ToolResult {
  if (end.kind === 'unsent') return { ok: false, text: `The question could not be put: ${end.reason}` };
  const { answer } = end.notice.content;
  const common = { ok: true, messageId: row.id, seq: row.seq } as const;
  if (!answer || answer.choice === null) {
    return { ...common, text: 'Nobody answered in time. Go on without.', data: { choice: null, by: null } };
  }
  const who = answer.by.trim() || 'Somebody';
  return { ...common, text: `${who} chose: ${answer.choice}`, data: { choice: answer.choice, by: answer.by } };
}

function describeOpen(row: SentRow, destination: Destination): ToolResult {
  return {
    ok: true,
    text: `Nobody in ${destination.name} has answered yet. Go on without; the answer will come as a message later.`,
    messageId: row.id,
    seq: row.seq,
    data: { choice: null, by: null, isOpen: true },
  };
}
