/** How an approval stands, in words. Pure. */
import type { Approval } from '../client/types.ts';
import { assertNever } from '../state/assert.ts';
import { formatMoment, formatRelative } from '../style/time.ts';

export interface ApprovalLook {
  label: string;
  tone: 'waiting' | 'busy' | 'good' | 'bad' | 'quiet';
  /** Who, when and why; or until when. */
  sentence: string;
}

export function describeApproval(approval: Approval, now: number): ApprovalLook {
  const { state, expiresAt, note } = approval;
  switch (state) {
    case 'pending':
      return { label: 'Waiting', tone: 'waiting', sentence: describeExpiry(expiresAt, now) };
    case 'approved':
      return { label: 'Being carried out', tone: 'busy', sentence: describeDecision(approval, now) };
    case 'applied':
      return { label: 'Done', tone: 'good', sentence: describeDecision(approval, now) };
    case 'failed':
      return { label: 'Failed', tone: 'bad', sentence: describeDecision(approval, now) };
    case 'rejected':
      return { label: 'Rejected', tone: 'quiet', sentence: describeDecision(approval, now) };
    case 'expired':
      return { label: 'Expired', tone: 'quiet', sentence: `Nobody decided until ${formatMoment(expiresAt, now)}.` };
    case 'superseded':
      return { label: 'Withdrawn', tone: 'quiet', sentence: note === null ? 'Withdrawn.' : `Withdrawn: ${note}.` };
    default:
      return assertNever(state);
  }
}

function describeExpiry(expiresAt: number, now: number): string {
  // The host says so a moment later.
  if (expiresAt <= now) return 'Its time is over.';
  return `Expires ${formatRelative(expiresAt, now)}, ${formatMoment(expiresAt, now)}`;
}

function describeDecision({ votes, decidedBy, choice, decidedAt, note }: Approval, now: number): string {
  const voices = votes.filter((vote) => vote.counts && vote.choice === choice);
  const who = (voices.length > 0 ? voices : [decidedBy].flatMap((one) => one ?? [])).map(({ name, id }) => name || id);
  const when = decidedAt === null ? '' : `, ${formatMoment(decidedAt, now)}`;
  const why = note === null ? '' : `, because “${note}”`;
  return `${who.join(' and ') || 'Somebody'} chose “${choice ?? ''}”${when}${why}.`;
}

/** Null: one person decides, and nobody spoke yet. */
export function describeVotes({ quorum, votes }: Approval, now: number): string | null {
  if (quorum < 2) return null;
  const counted = votes.filter(({ counts }) => counts);
  const who = counted.map(({ name, id, votedAt }) => `${name || id} (${formatMoment(votedAt, now)})`).join(', ');
  return `${counted.length} of ${quorum} approved${who && `: ${who}`}. One rejection rejects.`;
}

/** What is carried out by building the agent's image, and has a log. */
export function mayBuild({ action }: Approval): boolean {
  return action === 'install_packages' || action === 'request_rebuild';
}
