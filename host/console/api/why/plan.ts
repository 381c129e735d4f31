/** Why a message went where it went, or did not: from the ledger's entries, in words. Pure. */

import type { LedgerRecord } from '../../../store/ledger.ts';
import type { TranscriptMessage } from '../../../store/transcript.ts';
import { describeEntry, type NameOf } from '../ledger-words.ts';

export interface WhyFacts {
  message: TranscriptMessage | null;
  agentName: string;
  /** About the message itself, oldest first. */
  own: readonly LedgerRecord[];
  /** About what allowed it: destination, wiring, approvals, the sender's roles. */
  grounds: readonly LedgerRecord[];
  /** The destination that the message names, as it is now; null: the agent has none of that name. */
  destinationNow: { channelType: string | null; platformId: string | null; displayName: string | null } | null;
  /** A home in which the ledger already kept such messages has an entry of that sort before this time. */
  recordedSince: number | null;
  nameOf: NameOf;
}

export interface WhyStep {
  position: number;
  /** Epoch ms. */
  at: number;
  text: string;
  /** `decision`: about the message. `ground`: what that stood on. */
  sort: 'decision' | 'ground';
}

export interface Why {
  /** In one sentence. */
  answer: string;
  /** In order. */
  steps: WhyStep[];
  /** What cannot be told, and why. */
  unknown: string[];
  /** What to type to change it; nothing when there is nothing to change. */
  next: string[];
}

export function planWhy(facts: WhyFacts): Why {
  const steps = [...toSteps(facts.own, 'decision', facts.nameOf), ...toSteps(facts.grounds, 'ground', facts.nameOf)];
  return {
    answer: planAnswer(facts),
    steps: steps.sort((a, b) => a.position - b.position),
    unknown: findGaps(facts),
    next: planNext(facts),
  };
}

function toSteps(records: readonly LedgerRecord[], sort: WhyStep['sort'], nameOf: NameOf): WhyStep[] {
  return records.map((record) => ({
    position: record.position,
    at: record.at,
    text: describeEntry(record, nameOf),
    sort,
  }));
}

function planAnswer({ message, own, agentName, nameOf }: WhyFacts): string {
  const last = findLast(own);
  if (message?.direction === 'in') {
    const heard = own.find(({ kind }) => kind === 'message.heard');
    if (heard !== undefined) return `${agentName}: ${describeEntry(heard, nameOf)}.`;
    if (isCommand(message) && last === null)
      return 'It is a command: the host answered it itself, and no agent heard it.';
    return message.kind === 'task'
      ? `${agentName} has it because a task fired that it asked for.`
      : `${agentName} has it, and the ledger does not say why.`;
  }
  if (last !== null) return `${agentName}: ${describeEntry(last, nameOf)}.`;
  if (message === null) return 'Nothing is known about it.';
  if (message.authorId === null) return `The host said it itself; it is ${message.state}.`;
  return `It is ${message.state}${message.stateReason === null ? '' : `: ${message.stateReason}`}.`;
}

/** What a person told the host, not an agent, concerns that person alone. */
function isCommand({ direction, onlyFor }: TranscriptMessage): boolean {
  return direction === 'in' && onlyFor !== null;
}

/** The newest decision about its way. */
function findLast(own: readonly LedgerRecord[]): LedgerRecord | null {
  return own.findLast(({ kind }) => kind.startsWith('delivery.')) ?? own.at(-1) ?? null;
}

/** What the ledger would say of a message of today, and does not of this one. */
function findGaps({ message, own, grounds, recordedSince }: WhyFacts): string[] {
  const gaps: string[] = [];
  const isOld = message !== null && (recordedSince === null || message.createdAt < recordedSince);
  const last = findLast(own);
  const heard = own.find(({ kind }) => kind === 'message.heard');
  if (message?.direction === 'in') {
    if (heard === undefined && message.kind === 'chat' && !isCommand(message))
      gaps.push(tellMissing('which wiring heard it', isOld));
    const { wiring, sender } = heard?.detail ?? {};
    if (wiring != null && !isAbout(grounds, wiring, 'wiring.created'))
      gaps.push('Who made the wiring: it is older than these records.');
    const isPerson = sender === 'owner' || sender === 'admin' || sender === 'member';
    if (isPerson && !grounds.some(({ kind }) => isRole(kind))) {
      gaps.push(`Since when its sender is ${sender}, and by whom: that is older than these records.`);
    }
    return gaps;
  }
  if (message !== null && message.authorId !== null && isSettled(message) && last === null) {
    gaps.push(tellMissing('what allowed it', isOld));
  }
  const { destinationId, isRetold } = last?.detail ?? {};
  if (isRetold === true) gaps.push('What allowed it: the host stopped before it was written down.');
  if (destinationId != null && !isAbout(grounds, destinationId, 'destination.created')) {
    gaps.push('Who made the destination: it is older than these records.');
  }
  return gaps;
}

function tellMissing(what: string, isOld: boolean): string {
  return isOld
    ? `It is not known ${what}: the message is older than these records.`
    : `It is not known ${what}: the ledger has no entry about it.`;
}

function isAbout(records: readonly LedgerRecord[], subject: unknown, kind: string): boolean {
  return records.some((record) => record.kind === kind && record.messageId === subject);
}

function isRole(kind: string): boolean {
  return /^(role|member|owner|person)\./.test(kind);
}

function isSettled({ state }: TranscriptMessage): boolean {
  return state !== 'queued' && state !== 'sending';
}

/** Commands that change what stood in its way, judged by how it stands now. */
function planNext({ message, own, agentName, destinationNow }: WhyFacts): string[] {
  const last = findLast(own);
  const kind = last?.kind ?? '';
  if ((kind === 'delivery.failed' || kind === 'delivery.unknown') && message !== null) {
    return [`portolan resend ${message.id}`, `portolan drop ${message.id}`];
  }
  if (kind !== 'delivery.refused') return [];
  const { destination, channelType, platformId } = last?.detail ?? {};
  const agent = quoteWord(agentName);
  if (typeof destination !== 'string') return [`portolan destinations ${agent}`];
  const name = quoteWord(destination);
  if (destinationNow === null) {
    const to =
      channelType === 'agent'
        ? '--agent <agent>'
        : `--chat ${quoteWord(`${channelType ?? '<channel>'}/${platformId ?? '<id>'}`)}`;
    return [`portolan destinations add ${agent} ${name} ${to}`];
  }
  const isSame = destinationNow.channelType === channelType && destinationNow.platformId === platformId;
  // It has the place now, or had it all along: what else was wrong, the reason says.
  return isSame ? [] : [`portolan destinations ${agent}`];
}

/** As a shell takes it: names are input. */
function quoteWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
