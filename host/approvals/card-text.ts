/**
 * What the card of an approval says, while it is open and once it is over. Pure.
 *
 *   the question, in the host's words
 *   who asks, where, and why: the agent's words as a quotation
 *   what approving does, compared with today
 *   the whole request, exactly
 *   who approved already, of how many
 */
import { assertNever } from '../config/errors.ts';
import { formatUtc } from '../questions/plan.ts';
import type { Approval, JsonValue } from '../store/approvals.ts';
import { quoteExactly, showSafely, toLine } from './show.ts';

/** Characters of an agent's reason that a card shows; what the schema takes. */
const MAX_SHOWN_REASON = 1_000;
/** Of what a person gave as the reason of a decision. */
export const MAX_NOTE = 500;

export interface CardFacts {
  question: string;
  reason: string | null;
  /** Lines of the host. */
  consequence: readonly string[];
  /** The agent that asks, and the chat that it was asked in; null: the host asks by itself. */
  asker: { agentName: string; chatName: string | null; channelType: string | null } | null;
  payload: JsonValue;
  /** Null: it is over. */
  progress: Progress | null;
}

interface Progress {
  quorum: number;
  /** Names of who approved so far. */
  approvedBy: readonly string[];
  /** How many people may decide now. */
  deciders: number;
}

/** The body of a card, below its title. */
export function formatCard(facts: CardFacts): string {
  const { question, asker, consequence } = facts;
  const parts = [question];
  if (asker !== null) parts.push(describeAsker(asker, facts.reason));
  if (consequence.length > 0) parts.push(`If approved:\n${consequence.map((line) => `- ${toLine(line)}`).join('\n')}`);
  if (asker !== null) parts.push(`The whole request: ${quoteExactly(facts.payload)}`);
  const progress = facts.progress === null ? null : describeProgress(facts.progress);
  if (progress !== null) parts.push(progress);
  return parts.join('\n\n');
}

function describeAsker(
  { agentName, chatName, channelType }: NonNullable<CardFacts['asker']>,
  reason: string | null,
): string {
  const where =
    chatName === null ? '' : ` in “${showSafely(chatName)}”${channelType === null ? '' : ` (${channelType})`}`;
  const asks = `The agent “${showSafely(agentName)}” asks${where}.`;
  const words = reason === null ? '' : showSafely(reason, MAX_SHOWN_REASON);
  return words === '' ? `${asks} It gives no reason.` : `${asks} Its reason, in its own words: “${words}”`;
}

/** Null: one person decides, and somebody can. */
function describeProgress({ quorum, approvedBy, deciders }: Progress): string | null {
  const lines: string[] = [];
  if (quorum > 1) {
    const who = approvedBy.length === 0 ? '' : `: ${approvedBy.map((name) => showSafely(name)).join(', ')}`;
    lines.push(
      `${approvedBy.length} of ${quorum} approved${who}. One rejection rejects. Approvals count of people who could decide this when it was asked.`,
    );
  }
  const lack = describeLack(quorum, deciders);
  if (lack !== null) lines.push(lack);
  return lines.length === 0 ? null : lines.join(' ');
}

/** Why a quorum cannot be reached now, in words; null when it can. */
export function describeLack(quorum: number, deciders: number): string | null {
  if (deciders >= quorum) return null;
  const people = deciders === 1 ? 'Only 1 person may' : deciders === 0 ? 'Nobody may' : `Only ${deciders} people may`;
  return `${people} decide this now: it cannot be approved until ${quorum - deciders} more can.`;
}

/** How to decide where there are no buttons. */
export function describeHow({ code, options }: Pick<Approval, 'code' | 'options'>): string {
  const number = `Answer with the number and “${code}”, like “1 ${code}”`;
  const only = options.filter(({ approves }) => approves).length === 1;
  const words = only ? `“/approve ${code}” or “/reject ${code} because …”` : `“/reject ${code} because …”`;
  return `${number}; or write ${words}.`;
}

/** What came of it, below how it ended: what another program printed stands apart, and cannot look like the host's words. */
function splitOutcome(outcome: string): { sentence: string; details: string } {
  const [first = '', ...rest] = outcome.split('\n');
  // Indented by four it is shown as it is, in markdown too.
  const details = rest.map((line) => `    ${toLine(line)}`).join('\n');
  return { sentence: toLine(first), details };
}

/** The text of a card that is over: below its head who, when, why and what came of it. */
export function formatEndedCard(
  head: string,
  approval: Parameters<typeof describeEnding>[0],
  names: readonly string[],
): string {
  const { sentence, details } = splitOutcome(approval.outcome ?? '');
  const ending = `${head}\n\n_${describeEnding({ ...approval, outcome: sentence }, names)}_`;
  return details === '' ? ending : `${ending}\n\n${details}`;
}

/** How it ended: who, when, why, what came of it. */
function describeEnding(
  approval: Pick<Approval, 'state' | 'choice' | 'decidedAt' | 'decisionNote' | 'outcome' | 'expiresAt' | 'quorum'>,
  /** Whose votes made it so, the last one last. */
  names: readonly string[],
): string {
  const outcome = approval.outcome ?? '';
  switch (approval.state) {
    case 'pending':
      return `Open until ${formatUtc(approval.expiresAt)}.`;
    case 'expired':
      return `Nobody decided until ${formatUtc(approval.expiresAt)}: expired. ${outcome}`.trim();
    case 'superseded':
      return `${describeWithdrawal(approval)} ${outcome}`.trim();
    case 'approved':
    case 'rejected':
    case 'applied':
    case 'failed': {
      const who = names.map((name) => showSafely(name)).join(', ') || 'Somebody';
      const why = approval.decisionNote === null ? '' : `, because “${showSafely(approval.decisionNote, MAX_NOTE)}”`;
      const decided = `${who} chose “${approval.choice ?? ''}”, ${formatUtc(approval.decidedAt ?? 0)}${why}.`;
      return `${decided} ${outcome}`.trim();
    }
    default:
      return assertNever(approval.state);
  }
}

function describeWithdrawal({ decisionNote }: Pick<Approval, 'decisionNote'>): string {
  return decisionNote === null ? 'Withdrawn.' : `Withdrawn: ${toLine(decisionNote)}.`;
}

export type ToldEvent =
  | 'approval_applied'
  | 'approval_rejected'
  | 'approval_expired'
  | 'approval_failed'
  | 'approval_superseded';

/** How it ended, for the agent that asked; null while that is not known. */
export function describeEndForAgent(
  approval: Pick<Approval, 'state' | 'title' | 'decisionNote' | 'outcome' | 'code'>,
  byName: string,
): { event: ToldEvent; text: string } | null {
  const about = `Your request ${approval.code} (${approval.title})`;
  const outcome = approval.outcome ?? '';
  const by = byName === '' ? '' : ` by ${byName}`;
  const why = approval.decisionNote === null ? '' : ` The reason given: “${approval.decisionNote}”.`;
  switch (approval.state) {
    case 'pending':
    case 'approved':
      return null;
    case 'applied':
      return { event: 'approval_applied', text: `${about} was approved${by} and done.${why} ${outcome}`.trim() };
    case 'failed':
      return {
        event: 'approval_failed',
        text: `${about} was approved${by} and could not be done.${why} ${outcome}`.trim(),
      };
    case 'rejected':
      return {
        event: 'approval_rejected',
        text: `${about} was rejected${by}.${why} ${outcome} Do not ask for it again unless someone tells you to.`.replace(
          / {2,}/g,
          ' ',
        ),
      };
    case 'expired':
      return { event: 'approval_expired', text: `${about} was decided by nobody in time. ${outcome}`.trim() };
    case 'superseded':
      return {
        event: 'approval_superseded',
        text: `${about} is not decided any more. ${describeWithdrawal(approval)} ${outcome}`.trim(),
      };
    default:
      return assertNever(approval.state);
  }
}
