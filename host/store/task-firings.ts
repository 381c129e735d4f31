/** The receipts of tasks: one for each time that a task was to fire, the missed ones too. Times are epoch ms. */
import type { MessageId, SessionId, TaskId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** `fired`: a message stands before the agent, and how it ended is not known yet. */
export const FIRING_OUTCOMES = ['fired', 'missed', 'quiet', 'answered', 'failed'] as const;
export type FiringOutcome = (typeof FIRING_OUTCOMES)[number];

export interface Firing {
  taskId: TaskId;
  /** When it was to fire. */
  dueAt: number;
  /** Null when it did not. */
  firedAt: number | null;
  messageId: MessageId | null;
  outcome: FiringOutcome;
  /** In words: why it was missed or failed. */
  note: string | null;
}

export interface OpenFiring {
  taskId: TaskId;
  dueAt: number;
  messageId: MessageId;
  sessionId: SessionId;
}

/** Receipts kept per task. Higher: a task that fires each minute fills the disk. Lower: people see less of the past. */
const KEPT_RECEIPTS = 200;

const COLUMNS = `task_id AS taskId, due_at AS dueAt, fired_at AS firedAt, message_id AS messageId, outcome, note`;

// Every SELECT names COLUMNS, which are the fields of Firing with the values that the columns' CHECKs allow.
export class TaskFiringStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** One receipt per task and due time: the first stands. The oldest beyond KEPT_RECEIPTS go, unless they are open. */
  record(taskId: TaskId, receipts: readonly Firing[]): void {
    const insert = this.#db.prepare(
      `INSERT INTO task_firings (task_id, due_at, fired_at, message_id, outcome, note)
       VALUES (@taskId, @dueAt, @firedAt, @messageId, @outcome, @note) ON CONFLICT (task_id, due_at) DO NOTHING`,
    );
    for (const receipt of receipts) insert.run(receipt);
    this.#db
      .prepare(
        `DELETE FROM task_firings WHERE task_id = @taskId AND outcome <> 'fired' AND due_at < (
           SELECT due_at FROM task_firings WHERE task_id = @taskId ORDER BY due_at DESC LIMIT 1 OFFSET @kept)`,
      )
      .run({ taskId, kept: KEPT_RECEIPTS - 1 });
  }

  /** How a firing ended. The first end that is noted stands. */
  settle(messageId: MessageId, outcome: Exclude<FiringOutcome, 'fired' | 'missed'>, note: string | null): void {
    this.#db
      .prepare(`UPDATE task_firings SET outcome = ?, note = ? WHERE message_id = ? AND outcome = 'fired'`)
      .run(outcome, note, messageId);
  }

  /** Newest first. */
  list(taskId: TaskId, limit: number): Firing[] {
    return this.#db
      .prepare<[string, number], Firing>(
        `SELECT ${COLUMNS} FROM task_firings WHERE task_id = ? ORDER BY due_at DESC LIMIT ?`,
      )
      .all(taskId, limit);
  }

  lastFiredAt(taskId: TaskId): number | null {
    return (
      this.#db
        .prepare<[string], number | null>('SELECT max(fired_at) FROM task_firings WHERE task_id = ?')
        .pluck()
        .get(taskId) ?? null
    );
  }

  /** Those of one task whose end is not known, oldest first. */
  listOpenOfTask(taskId: TaskId): Firing[] {
    return this.#db
      .prepare<[string], Firing>(
        `SELECT ${COLUMNS} FROM task_firings WHERE task_id = ? AND outcome = 'fired' ORDER BY due_at`,
      )
      .all(taskId);
  }

  /** Those of all tasks whose end is not known, by task, strictly after the last of the page before. */
  listOpen(limit: number, after: { taskId: string; dueAt: number }): OpenFiring[] {
    return this.#db
      .prepare<[string, number, number], OpenFiring>(
        `SELECT f.task_id AS taskId, f.due_at AS dueAt, f.message_id AS messageId, t.session_id AS sessionId
         FROM task_firings f JOIN tasks t ON t.id = f.task_id
         WHERE f.outcome = 'fired' AND (f.task_id, f.due_at) > (?, ?) ORDER BY f.task_id, f.due_at LIMIT ?`,
      )
      .all(after.taskId, after.dueAt, limit);
  }
}
