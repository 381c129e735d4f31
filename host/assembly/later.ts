/**
 * What parts ring that are built after them: the only knots in the order of building. A part takes these at the
 * moment it rings, never while it is built.
 */
import type { Removals } from '../agents/removals.ts';
import type { Approvals } from '../approvals/apply.ts';
import type { ApprovalTable } from '../approvals/approval.ts';
import type { Questions } from '../questions/apply.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { SessionLife } from '../session-life.ts';

export interface LaterParts {
  questions: Questions;
  approvals: Approvals;
  /** What approvals carry out, by parts that themselves ask for approvals. */
  approvalRules: ApprovalTable;
  runtime: Runtime;
  life: SessionLife;
  removals: Removals;
}

export class Later implements Readonly<LaterParts> {
  #parts: LaterParts | null = null;

  /** Once, when all of them are built and none of them runs. */
  set(parts: LaterParts): void {
    this.#parts = parts;
  }

  get questions(): Questions {
    return this.#all.questions;
  }

  get approvals(): Approvals {
    return this.#all.approvals;
  }

  get approvalRules(): ApprovalTable {
    return this.#all.approvalRules;
  }

  get runtime(): Runtime {
    return this.#all.runtime;
  }

  get life(): SessionLife {
    return this.#all.life;
  }

  get removals(): Removals {
    return this.#all.removals;
  }

  get #all(): LaterParts {
    if (this.#parts === null) throw new Error('a part rang before the host was built');
    return this.#parts;
  }
}
