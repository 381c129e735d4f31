/**
 * The prompt of a batch, as a model reads it:
 *
 *   <context timezone="Europe/Berlin"/>
 *   <messages>
 *   <message id="4" from="family" sender="Anna" time="2026-11-21 17:30" reply_to="3">text</message>
 *   </messages>
 *
 * I1. Everything a person wrote, names of people and files included, is escaped: nobody can write a
 *     second message into the prompt. `from` is a local name or `(unlisted chat)`, which no name can be.
 */
import { join } from 'node:path';
import type { Chart } from '../../shared/protocol.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';
import type { Prompt, PromptMessage } from '../providers/provider.ts';
import { encodeAttribute, encodeText } from './blocks/entities.ts';
import { findOrigin } from './chart.ts';
import type { InboundMessage } from './message.ts';
import { formatLocalTime } from './zone.ts';

/** What the check of a task said before the agent was woken: its data, or why there is none. */
export type CheckResult = { kind: 'data'; json: string | null } | { kind: 'failed'; problem: string; output: string };

export interface FormatFacts {
  chart: Chart;
  timezone: string;
  /** The `in/` folder as the agent sees it. */
  inFolder: string;
  /** Older context messages that did not fit into this batch. */
  omittedCount: number;
  checkOf: (messageId: string) => CheckResult | null;
  /** Sequence number of the message with this id, in either file. */
  findSeq: (messageId: string) => number | null;
}

export function formatPrompt(batch: readonly InboundMessage[], facts: FormatFacts): Prompt {
  const messages = batch.map((message) => toPromptMessage(message, facts));
  const parts = batch.map((message, index) => formatMessage(message, messages[index] as PromptMessage, facts));
  const omitted = facts.omittedCount > 0 ? ` omitted="${facts.omittedCount}"` : '';
  const header = `<context timezone="${encodeAttribute(facts.timezone)}"${omitted}/>`;
  const body = parts.length === 1 ? parts : ['<messages>', ...parts, '</messages>'];
  return { text: [header, ...body].join('\n'), messages };
}

function toPromptMessage(message: InboundMessage, facts: FormatFacts): PromptMessage {
  const origin = findOrigin(facts.chart, message);
  const folder = join(facts.inFolder, FILE_NAMES.files, message.id);
  return {
    id: message.id,
    seq: message.seq,
    kind: message.kind,
    event: message.content.event ?? null,
    timestamp: message.timestamp,
    from: origin?.name ?? null,
    fromType: origin?.type ?? null,
    sender: message.content.senderName,
    text: message.content.text,
    attachments: message.content.attachments.map((file) => ({ ...file, path: join(folder, file.name) })),
    task: describeTask(message),
    check: facts.checkOf(message.id),
    isTrigger: message.isTrigger,
    inReplyTo: message.inReplyTo,
  };
}

function describeTask({ kind, content }: InboundMessage): PromptMessage['task'] {
  if (kind !== 'task' || !content.task) return null;
  const { id, dueAt, missed } = content.task;
  return { id, dueAt, missed };
}

function formatMessage(message: InboundMessage, prompt: PromptMessage, facts: FormatFacts): string {
  const replyTo = message.inReplyTo === null ? null : facts.findSeq(message.inReplyTo);
  const hasRoute = message.channelType !== null;
  const attributes: [string, string | null][] = [
    ['id', String(message.seq)],
    ['kind', message.kind === 'chat' ? null : message.kind],
    ['event', prompt.event],
    ['task', prompt.task?.id ?? null],
    ['missed', prompt.task && prompt.task.missed > 0 ? String(prompt.task.missed) : null],
    ['from', prompt.from ?? (hasRoute ? '(unlisted chat)' : null)],
    ['sender', prompt.sender || null],
    ['time', formatLocalTime(message.timestamp)],
    ['reply_to', replyTo === null ? null : String(replyTo)],
  ];
  const files = prompt.attachments.map((file) =>
    formatTag('attachment', [
      ['name', file.name],
      ['size', String(file.sizeBytes)],
      ['type', file.contentType],
      ['path', file.path],
    ]).replace(/>$/, '/>'),
  );
  const text = encodeText(dropControls(prompt.text));
  const extras = [...files, ...formatCheck(prompt.check)];
  const body = extras.length === 0 ? text : [text, ...extras].filter(Boolean).join('\n');
  return `${formatTag('message', attributes)}${body}</message>`;
}

function formatCheck(check: CheckResult | null): string[] {
  if (check === null || (check.kind === 'data' && check.json === null)) return [];
  const text = check.kind === 'data' ? (check.json ?? '') : check.output;
  const open = formatTag('check', [['problem', check.kind === 'failed' ? check.problem : null]]);
  return [`${open}${encodeText(dropControls(text))}</check>`];
}

function formatTag(name: string, attributes: [string, string | null][]): string {
  const parts = attributes
    .filter((pair): pair is [string, string] => pair[1] !== null)
    .map(([key, value]) => `${key}="${encodeAttribute(dropControls(value))}"`);
  return `<${[name, ...parts].join(' ')}>`;
}

/** What XML does not allow, as the replacement character: controls and halves of surrogate pairs. */
function dropControls(text: string): string {
  return text.replace(/(?![\t\n\r])\p{Cc}|[\p{Surrogate}\ufffe\uffff]/gu, '\ufffd');
}
