/**
 * What follows from a decision, done once by the handler of its action.
 *
 * I1. What is carried out is what was asked: the hash of the request is checked again before.
 * I2. A decision without an outcome is carried out at the next start.
 */
import type { ApprovalId } from '../../shared/ids.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { Retries } from '../config/retries.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { approvalsLog } from '../observe/logger.ts';
import type { Questions } from '../questions/apply.ts';
import type { ApprovalVoices } from '../store/approval-voices.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { ApprovalTable, CarriedOut, Decision } from './approval.ts';
import { hashRequest, readDecision } from './plan.ts';
import { recordApproval } from './record.ts';

/** First wait before a decision that could not be carried out is tried again, doubled each time. */
const TRY_AGAIN_MS = 1_000;
/** Tries in one run of the host; then it counts as failed. */
const MAX_TRIES = 6;

export interface CarryOutParts {
  approvals: ApprovalStore;
  voices: ApprovalVoices;
  questions: QuestionStore;
  ledger: Ledger;
  asked: Pick<Questions, 'showAgain'>;
  /** Asked when a decision is carried out: the parts that do it are built later. */
  rules: () => ApprovalTable;
  /** It is over, and committed so: the agents that asked are told, then `after` runs. */
  tell: (id: ApprovalId, after?: () => void) => void;
  /** What people see of it has changed. */
  onChanged: (id: ApprovalId) => void;
  now: () => number;
}

type Result = ({ kind: 'done' | 'failed' } & CarriedOut) | { kind: 'again' };

export class CarryOut implements AsyncDisposable {
  readonly #parts: CarryOutParts;
  readonly #running = new Set<ApprovalId>();
  readonly #retries = new Retries();
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: CarryOutParts) {
    this.#parts = parts;
  }

  /** Does it, and tries again later what can be tried again. Done, under way or not decided: nothing. */
  run(id: ApprovalId, tries = 0): Promise<void> {
    return this.#underWay.add(this.#run(id, tries));
  }

  async #run(id: ApprovalId, tries: number): Promise<void> {
    if (this.#running.has(id) || this.#isClosed) return;
    const approval = this.#parts.approvals.get(id);
    const decision = approval === null ? null : readDecision(approval);
    if (approval === null || decision === null || approval.outcome !== null) return;
    this.#running.add(id);
    const result = await this.#handle(approval, decision, tries);
    this.#running.delete(id);
    if (this.#isClosed) return;
    failpoint('approvals.carried-out');
    if (result.kind === 'again') {
      this.#retries.after(TRY_AGAIN_MS * 2 ** tries, () => void this.run(id, tries + 1));
      return;
    }
    this.#finish(approval, decision, result);
  }

  async #handle(approval: Approval, decision: Decision, tries: number): Promise<Result> {
    const { id, action, payload } = approval;
    // I1
    if (hashRequest(action, payload) !== approval.requestHash) {
      return { kind: 'failed', outcome: 'The request is not what was asked about any more.' };
    }
    // A word of another version of this host has no handler.
    const handler = Object.entries(this.#parts.rules()).find(([name]) => name === action)?.[1].carryOut;
    if (handler === undefined) return { kind: 'failed', outcome: `This host cannot do "${action}".` };
    try {
      return { kind: 'done', ...(await handler(approval, decision)) };
    } catch (error) {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      // Whatever it is: one request that cannot be carried out must not end the host at each start.
      if (fault?.retryable === true && tries < MAX_TRIES) return { kind: 'again' };
      // However often it was tried: the next host does (I2).
      if (fault?.code === 'host_stopping') return { kind: 'again' };
      if (!this.#isClosed)
        approvalsLog.error({ approvalId: id, action, err: error }, 'an approval could not be carried out');
      return { kind: 'failed', outcome: describeFailure(fault) };
    }
  }

  #finish(approval: Approval, decision: Decision, result: Exclude<Result, { kind: 'again' }>): void {
    const { approvals, voices, questions, asked, tell, onChanged } = this.#parts;
    const { kind, outcome, isForFresh = false } = result;
    try {
      questions.transaction(() => {
        if (!approvals.finish(approval.id, kind, outcome, isForFresh)) return;
        voices.markUntold(approval.id);
        const word = kind === 'failed' ? 'failed' : decision.kind === 'approved' ? 'applied' : 'settled';
        recordApproval(this.#parts, word, approval, null, { outcome });
      });
    } catch (error) {
      if (toDiskFault(error) === null) throw error;
      this.#retries.after(TRY_AGAIN_MS, () => void this.run(approval.id));
      return;
    }
    failpoint('approvals.finished');
    for (const { messageId } of questions.listCards(approval.id)) asked.showAgain(messageId);
    onChanged(approval.id);
    tell(approval.id, result.after);
  }

  /**
   * Begins nothing more, and waits for what is under way: what takes long belongs to parts that are closed before, and
   * was ended there. It is carried out again by the next host (I2).
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#retries[Symbol.dispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}

/** A sentence; below it what another program said, if the fault holds that. */
function describeFailure(fault: Fault | null): string {
  const [first = '', ...rest] = (fault?.message ?? 'the log of the host says why').split('\n');
  return [`This failed: ${first.replace(/[.:]$/, '')}.`, ...rest].join('\n');
}
