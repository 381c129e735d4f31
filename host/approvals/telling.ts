/**
 * How an approval ended, told to the agents that asked: one message in each session's inbox.
 *
 * I1. Told once, whatever crashes: the row is named after the approval, and `is_told` is 0 until it is committed.
 * I2. What follows once it is told (`after`) runs when every asker has its row, so that a container that is
 *     replaced then cannot have missed it.
 */
import { type ApprovalId, deriveMessageId, makeId, type SessionId } from '../../shared/ids.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { Retries } from '../config/retries.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { approvalsLog } from '../observe/logger.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { NewInboundRow } from '../sessions/inbox-tables.ts';
import type { ApprovalVoices, Asker } from '../store/approval-voices.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { UserStore } from '../store/users.ts';
import { describeEndForAgent } from './card-text.ts';

/** First wait before what could not be told is told again, doubled each time. */
const TRY_AGAIN_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Characters that an agent is told. Higher: a failed build's log costs a turn. Lower: its reason is cut off. */
const MAX_TOLD = 8_000;
/** Approvals taken up at a start. */
const MAX_RESUMED = 1_000;

export interface TellingParts {
  approvals: ApprovalStore;
  voices: ApprovalVoices;
  sessions: SessionStore;
  users: UserStore;
  inboxes: Inboxes;
  /** Work was queued for a session's agent. */
  onWorkChanged: (id: SessionId) => void;
  now: () => number;
}

export class Telling implements AsyncDisposable {
  readonly #parts: TellingParts;
  readonly #running = new Set<ApprovalId>();
  /** I2 */
  readonly #after = new Map<ApprovalId, () => void>();
  readonly #retries = new Retries();
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  /** After a start: what an earlier host did not finish. */
  resume(): void {
    for (const id of this.#parts.voices.listUntoldApprovals(MAX_RESUMED)) this.tell(id);
  }

  /** Tells whoever is still to be told, then runs `after`. Faults are tried again. */
  tell(id: ApprovalId, after?: () => void): void {
    if (after !== undefined) this.#after.set(id, after);
    this.#begin(id, 0);
  }

  #begin(id: ApprovalId, tries: number): void {
    void this.#underWay.add(this.#run(id, tries));
  }

  async #run(id: ApprovalId, tries: number): Promise<void> {
    if (this.#isClosed || this.#running.has(id)) return;
    this.#running.add(id);
    const isDone = await this.#tellAll(id);
    this.#running.delete(id);
    if (this.#isClosed) return;
    if (!isDone) {
      this.#retries.after(Math.min(MAX_WAIT_MS, TRY_AGAIN_MS * 2 ** tries), () => this.#begin(id, tries + 1));
      return;
    }
    const after = this.#after.get(id);
    this.#after.delete(id);
    after?.();
  }

  /** Whether nothing is left to be tried again. */
  async #tellAll(id: ApprovalId): Promise<boolean> {
    const { approvals, voices } = this.#parts;
    let isDone = true;
    try {
      const approval = approvals.get(id);
      if (approval === null) return true;
      for (const asker of voices.listUntold(id)) {
        if (!(await this.#tellOne(approval, asker))) isDone = false;
        if (this.#isClosed) return false;
      }
      return isDone;
    } catch (error) {
      // Closed in the middle: the rows say what is left to do.
      if (this.#isClosed) return false;
      if (toDiskFault(error) === null) throw error;
      return false;
    }
  }

  /** False: it is to be tried again. */
  async #tellOne(approval: Approval, asker: Asker): Promise<boolean> {
    const { sessions, voices, inboxes, onWorkChanged, now } = this.#parts;
    const session = sessions.get(asker.sessionId);
    const row = this.#makeRow(approval, asker);
    try {
      if (session !== null && row !== null) {
        sessions.markOpen(session.id, now());
        failpoint('approvals.before-tell');
        await inboxes.commit(session, (tables) => tables.append([row]));
        failpoint('approvals.told');
        if (this.#isClosed) return false;
        onWorkChanged(session.id);
      }
      voices.markTold(approval.id, asker.sessionId);
      return true;
    } catch (error) {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      approvalsLog.warn({ approvalId: approval.id, err: fault }, 'the end of an approval could not be told now');
      // A session that cannot be read is set aside by whoever owns it; the next start tries once more.
      return !fault.retryable;
    }
  }

  #makeRow(approval: Approval, { sessionId, messageId, origin }: Asker): NewInboundRow | null {
    const { users, now } = this.#parts;
    const by = approval.decidedBy === null ? '' : users.get(approval.decidedBy)?.displayName || approval.decidedBy;
    const end = describeEndForAgent(approval, by);
    if (end === null) return null;
    return {
      // I1
      id: deriveMessageId(approval.id, sessionId, 'outcome'),
      kind: 'system',
      timestamp: Math.floor(approval.decidedAt ?? now()),
      processAfter: null,
      // What goes on under another code needs no turn of its own.
      trigger: approval.supersededBy === null,
      onWake: approval.isForFresh,
      channelType: origin?.channelType ?? null,
      platformId: origin?.platformId ?? null,
      threadId: origin?.threadId ?? null,
      senderId: null,
      sourceSessionId: null,
      inReplyTo: messageId,
      hop: 0,
      traceId: makeId('trace', now()),
      content: JSON.stringify({
        text: end.text.slice(0, MAX_TOLD),
        senderName: 'host',
        attachments: [],
        event: end.event,
      }),
    };
  }

  /** Begins nothing more, and waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#retries[Symbol.dispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}
