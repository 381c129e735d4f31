/** Whether a request is put to people, and what becomes of what was asked before. Pure. */
import type { ApprovalId } from '../../shared/ids.ts';
import { showSafely } from './show.ts';

/** Open approvals that agents asked for, and as many that the host did: strangers shut out no agent. Higher: strangers fill the table. Lower: a busy day's requests are turned away. */
export const MAX_PENDING = 500;
/** Open approvals that one agent asked for. Higher: an agent floods its admins. Lower: a rich set-up takes turns. */
export const MAX_PENDING_OF_AGENT = 10;
/** Approvals that one agent asked for within ASKED_WINDOW_MS. Higher: it goes on asking what was just decided. Lower: an eager afternoon of set-up is cut off. */
export const MAX_ASKED_OF_AGENT = 30;
export const ASKED_WINDOW_MS = 3_600_000;
/** A rejected subject is not asked about again for this long. Higher: a mistake lasts. Lower: who was turned away nags. */
export const REJECTION_HOLDS_MS = 24 * 3_600_000;
/** Characters of a card. Higher: a platform cuts it, and a person approves what they did not see. Lower: long command lines are refused. */
export const MAX_CARD_LENGTH = 8_000;

export interface KnownApproval {
  id: ApprovalId;
  code: string;
}

export interface RequestFacts {
  requestHash: string;
  /** What this same row asked for before. */
  repeated: KnownApproval | null;
  /** Why approving would do nothing, in words. */
  impossible: string | null;
  /** Of the same action and subject. */
  pending: (KnownApproval & { requestHash: string }) | null;
  /** Of the same action and subject, within REJECTION_HOLDS_MS. */
  rejected: { byName: string; note: string | null } | null;
  /** Of all agents when one asks, of the host's own when it does. */
  pendingLike: number;
  /** What its agent asked for; null: the host asks. */
  ofAgent: { pending: number; asked: number } | null;
  /** Characters of the card. */
  cardLength: number;
}

export type RequestPlan =
  | { kind: 'known'; known: KnownApproval }
  /** The same is pending: whoever asks waits for it too. */
  | { kind: 'join'; known: KnownApproval }
  | { kind: 'refuse'; why: string }
  | { kind: 'ask'; supersedes: ApprovalId | null };

export function planRequest(facts: RequestFacts): RequestPlan {
  const { repeated, pending, impossible, rejected, ofAgent } = facts;
  if (repeated !== null) return { kind: 'known', known: repeated };
  if (impossible !== null) return { kind: 'refuse', why: impossible };
  if (pending !== null && pending.requestHash === facts.requestHash) return { kind: 'join', known: pending };
  if (rejected !== null) return { kind: 'refuse', why: describeRejection(rejected) };
  if (facts.cardLength > MAX_CARD_LENGTH) {
    const much = `shown whole to an admin it would be ${facts.cardLength} characters, and ${MAX_CARD_LENGTH} fit`;
    return { kind: 'refuse', why: `${much}: ask for less at once` };
  }
  if (ofAgent !== null && ofAgent.pending - (pending === null ? 0 : 1) >= MAX_PENDING_OF_AGENT) {
    return {
      kind: 'refuse',
      why: `${MAX_PENDING_OF_AGENT} requests of this agent wait for an admin: wait until some are decided`,
    };
  }
  if (ofAgent !== null && ofAgent.asked >= MAX_ASKED_OF_AGENT) {
    return {
      kind: 'refuse',
      why: `this agent asked admins ${MAX_ASKED_OF_AGENT} times within an hour: try again later`,
    };
  }
  if (pending === null && facts.pendingLike >= MAX_PENDING) {
    return { kind: 'refuse', why: `${MAX_PENDING} requests wait for admins already: try again later` };
  }
  return { kind: 'ask', supersedes: pending?.id ?? null };
}

function describeRejection({ byName, note }: NonNullable<RequestFacts['rejected']>): string {
  const because = note === null ? '' : `, because “${showSafely(note, 500)}”`;
  const hours = REJECTION_HOLDS_MS / 3_600_000;
  return `${showSafely(byName) || 'an admin'} rejected this${because}; within ${hours} hours it is not asked again`;
}
