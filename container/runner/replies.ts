/**
 * What becomes of a provider's answer. Pure: the parsed answer, the chart and the batch in; rows, a
 * question back, or visible notes out.
 *
 * I1. A name that is not in the chart is never guessed: its text goes nowhere else.
 * I2. A person's message never ends in silence: an answer, or a note that says why there is none.
 */
import type { Chart, Destination } from '../../shared/protocol.ts';
import type { ParsedReply } from './blocks/index.ts';
import { findDestination, findOrigin, listNames } from './chart.ts';
import { type Draft, type InboundMessage, isFromPerson, type OutboundBody, routeOf } from './message.ts';
import { splitText } from './split.ts';

export interface ReplyFacts {
  chart: Chart;
  /** The messages of the turn, by sequence; at least one. */
  batch: readonly InboundMessage[];
  maxTextBytes: number;
  /** A message of this session by its number, for `reply_to`. */
  findBySeq: (seq: number) => InboundMessage | null;
}

export interface PlannedReplies {
  drafts: Draft[];
  /** Names that blocks addressed and the chart does not have; empty text for a block without a name. */
  unknown: string[];
  /** What stood outside blocks. */
  scratch: string;
}

export function planReplies(reply: ParsedReply, facts: ReplyFacts): PlannedReplies {
  const planned: PlannedReplies = { drafts: [], unknown: [], scratch: reply.scratch };
  const inPlay = findOnlyDestination(facts);
  for (const block of reply.blocks) {
    if (block.text === '') continue;
    const destination = block.to === '' ? inPlay : findDestination(facts.chart, block.to);
    if (!destination) {
      planned.unknown.push(block.to);
      continue;
    }
    const explicit = block.replyTo !== null && /^\d{1,15}$/.test(block.replyTo) ? Number(block.replyTo) : null;
    planned.drafts.push(...draftTexts(destination, block.text, explicit, facts));
  }
  return planned;
}

/** One draft, or several when the text is too long for one message. */
export function draftTexts(
  destination: Destination,
  text: string,
  replyToSeq: number | null,
  facts: ReplyFacts,
): Draft[] {
  const answered = chooseAnswered(facts, destination, replyToSeq);
  return splitText(text, facts.maxTextBytes).map((piece) =>
    draftFor(destination, answered, { kind: 'chat', content: { text: piece, attachments: [] } }),
  );
}

/** The thread is the answered message's, when it was said in the same place; never another chat's. */
export function draftFor(destination: Destination, answered: InboundMessage | null, body: OutboundBody): Draft {
  const route = routeOf(destination);
  const isSamePlace = answered?.channelType === route.channelType && answered.platformId === route.platformId;
  return {
    ...route,
    destination: destination.name,
    threadId: isSamePlace ? answered.threadId : null,
    inReplyTo: answered?.id ?? null,
    traceId: answered?.traceId ?? null,
    body,
  };
}

/** The message a row answers: the named one, else the newest trigger from there, else the newest trigger. */
export function chooseAnswered(
  facts: Pick<ReplyFacts, 'batch' | 'findBySeq'>,
  destination: Destination | null,
  replyToSeq: number | null,
): InboundMessage | null {
  const named = replyToSeq === null ? null : facts.findBySeq(replyToSeq);
  if (named) return named;
  const triggers = facts.batch.filter((message) => message.isTrigger);
  const route = destination && routeOf(destination);
  const fromThere = triggers.findLast(
    (message) => message.channelType === route?.channelType && message.platformId === route?.platformId,
  );
  return fromThere ?? triggers.at(-1) ?? facts.batch.at(-1) ?? null;
}

/** The one destination this turn can be about: the chart has one, or all triggers came from one. */
export function findOnlyDestination(facts: Pick<ReplyFacts, 'chart' | 'batch'>): Destination | null {
  const [first, second] = facts.chart.destinations;
  if (first && !second) return first;
  const origins = new Set(facts.batch.filter((m) => m.isTrigger).map((m) => findOrigin(facts.chart, m)));
  const [origin] = origins;
  return origins.size === 1 ? (origin ?? null) : null;
}

/** People's chats that got nothing: neither a row there, nor a row anywhere in answer to them. */
export function findUnanswered(facts: ReplyFacts, rows: readonly Draft[]): InboundMessage[] {
  const newestByChat = new Map<string, InboundMessage>();
  const answeredChats = new Set<string>();
  const repliedTo = new Set(rows.map((row) => row.inReplyTo));
  for (const row of rows) answeredChats.add(`${row.channelType}\n${row.platformId}`);
  for (const message of facts.batch) {
    if (!message.isTrigger || !isFromPerson(message)) continue;
    const chat = `${message.channelType}\n${message.platformId}`;
    newestByChat.set(chat, message);
    if (repliedTo.has(message.id)) answeredChats.add(chat);
  }
  return [...newestByChat].filter(([chat]) => !answeredChats.has(chat)).map(([, message]) => message);
}

/** What to ask the provider once more, or null when the answer can stand. `sent` are the rows of tools. */
export function planNudge(planned: PlannedReplies, facts: ReplyFacts, sent: readonly Draft[]): string | null {
  const names = listNames(facts.chart);
  const example = findOnlyDestination(facts)?.name ?? facts.chart.destinations[0]?.name;
  if (example === undefined) return null;
  const syntax = `<message to="${example}">your text</message>`;
  if (planned.unknown.length > 0) {
    const unknown = planned.unknown.map((name) => (name === '' ? 'nobody' : `"${name}"`)).join(', ');
    return `A block of your answer was addressed to ${unknown}, so it was not sent. You can reach: ${names}. Write only that block again, like this: ${syntax}`;
  }
  if (isLost(planned, facts, sent)) {
    return `Your answer had no <message> block, so nothing was sent. Write it again inside a block, like this: ${syntax}. You can reach: ${names}. If there is nothing to send, answer <internal>nothing</internal>.`;
  }
  const unanswered = findUnanswered(facts, [...sent, ...planned.drafts]);
  if (unanswered.length === 0) return null;
  const seqs = unanswered.map((message) => message.seq).join(', ');
  return `Nothing was sent in answer to message ${seqs}, and a person is waiting. Answer inside a block, like this: ${syntax}. You can reach: ${names}.`;
}

/** The rows of the whole turn's end, after the one nudge (`second` is null when none was needed). */
export function planTurnEnd(
  first: PlannedReplies,
  second: PlannedReplies | null,
  facts: ReplyFacts,
  sent: readonly Draft[],
): Draft[] {
  const drafts = [...first.drafts, ...(second?.drafts ?? []).filter((draft) => !first.drafts.some(isSame(draft)))];
  const lostNames = second && (second.drafts.length > 0 || second.unknown.length > 0) ? second.unknown : first.unknown;
  const newest = newestTrigger(facts);
  for (const name of newest.channelType === null ? [] : new Set(lostNames)) {
    drafts.push(draftNote(facts, newest, describeUnreachable(name)));
  }
  const isTextLost = isLost(first, facts, sent) && drafts.length === 0;
  // Only `<internal>` in answer to the nudge says that there is nothing to send, which people are told all the same.
  if (isTextLost && !(second?.scratch === '' && facts.batch.every((message) => !isFromPerson(message)))) {
    drafts.push(...planLostText(first.scratch, facts));
  }
  for (const message of findUnanswered(facts, [...sent, ...drafts])) {
    drafts.push(draftNote(facts, message, '(no answer)'));
  }
  return drafts;
}

/** A note from the runner itself to the chat that the message came from. */
export function draftNote(facts: Pick<ReplyFacts, 'chart'>, message: InboundMessage, text: string): Draft {
  return {
    // Null when the chat is not in the chart: the host will refuse it, on the record.
    destination: findOrigin(facts.chart, message)?.name ?? null,
    channelType: message.channelType,
    platformId: message.platformId,
    threadId: message.threadId,
    inReplyTo: message.id,
    traceId: message.traceId,
    body: { kind: 'chat', content: { text, attachments: [] } },
  };
}

/** Tells every chat that wrote, people and agents alike, that its turn failed for good. */
export function planFailureNotes(facts: ReplyFacts, message: string): Draft[] {
  const newestByChat = new Map<string, InboundMessage>();
  for (const row of facts.batch) {
    const isChat = row.kind === 'chat' && row.channelType !== null;
    if (row.isTrigger && isChat) newestByChat.set(`${row.channelType}\n${row.platformId}`, row);
  }
  return [...newestByChat.values()].map((row) => draftNote(facts, row, `(The agent could not answer: ${message})`));
}

/** Same words to the same place, which may have got another name meanwhile. */
export function isSame(left: Draft): (right: Draft) => boolean {
  const content = describeBody(left.body);
  return (right) =>
    right.channelType === left.channelType &&
    right.platformId === left.platformId &&
    describeBody(right.body) === content;
}

/** A model gives its reasons in other words each time: a request for the same thing is the same request. */
function describeBody(body: OutboundBody): string {
  if (body.kind !== 'request') return JSON.stringify(body);
  return JSON.stringify({ ...body.content, reason: '', note: '' });
}

/** Text that nobody would see: no block, nothing sent by a tool, and more than a notice from the host to answer. */
function isLost(planned: PlannedReplies, facts: ReplyFacts, sent: readonly Draft[]): boolean {
  const hasNothing = planned.drafts.length === 0 && planned.unknown.length === 0 && sent.length === 0;
  return hasNothing && planned.scratch !== '' && facts.batch.some((m) => m.isTrigger && m.kind !== 'system');
}

function planLostText(text: string, facts: ReplyFacts): Draft[] {
  const inPlay = findOnlyDestination(facts);
  if (inPlay) return draftTexts(inPlay, text, null, facts);
  const note = '(The agent answered, but did not say to whom, so its answer was not sent.)';
  const waiting = findUnanswered(facts, []);
  if (waiting.length > 0) return waiting.map((message) => draftNote(facts, message, note));
  const newest = newestTrigger(facts);
  return newest.channelType === null ? [] : [draftNote(facts, newest, note)];
}

function newestTrigger(facts: ReplyFacts): InboundMessage {
  const newest = facts.batch.findLast((message) => message.isTrigger) ?? facts.batch.at(-1);
  if (!newest) throw new Error('a turn without messages has nothing to answer');
  return newest;
}

function describeUnreachable(name: string): string {
  return name === ''
    ? '(The agent wrote an answer without saying to whom, so it was not sent.)'
    : `(The agent addressed "${name.slice(0, 80)}", which it cannot reach.)`;
}
