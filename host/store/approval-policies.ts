/** What an owner set for an action's approvals, beside the defaults. One row per action that differs. */
import type { CentralDb } from './database.ts';

export interface ApprovalPolicy {
  /** How many different people must approve. */
  quorum: number;
  /** Null: the default. */
  expiresAfterMs: number | null;
  askNextAfterMs: number | null;
  /** 0: nothing was ever set. */
  revision: number;
}

const UNSET: ApprovalPolicy = { quorum: 1, expiresAfterMs: null, askNextAfterMs: null, revision: 0 };

export class ApprovalPolicyStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  get(action: string): ApprovalPolicy {
    return (
      this.#db
        .prepare<[string], ApprovalPolicy>(
          `SELECT quorum, expires_after_ms AS expiresAfterMs, ask_next_after_ms AS askNextAfterMs, revision
           FROM approval_policies WHERE action = ?`,
        )
        .get(action) ?? UNSET
    );
  }

  /** Whether `revision` still held. */
  put(action: string, { quorum, expiresAfterMs, askNextAfterMs, revision }: ApprovalPolicy): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO approval_policies (action, quorum, expires_after_ms, ask_next_after_ms, revision)
           SELECT @action, @quorum, @expiresAfterMs, @askNextAfterMs, 1
           WHERE @revision = coalesce((SELECT revision FROM approval_policies WHERE action = @action), 0)
           ON CONFLICT (action) DO UPDATE SET quorum = excluded.quorum, expires_after_ms = excluded.expires_after_ms,
             ask_next_after_ms = excluded.ask_next_after_ms, revision = revision + 1`,
        )
        .run({ action, quorum, expiresAfterMs, askNextAfterMs, revision }).changes > 0
    );
  }
}
