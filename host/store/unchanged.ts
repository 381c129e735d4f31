/**
 * Answers from tables that people change seldom and every request of a container asks: each is kept for as long as
 * nothing in its tables changed.
 *
 * I1. A change holds for the next question, whatever statement or cascade made it: triggers tell of it. One that was
 *     made through another connection holds from the next turn of the event loop on: SQLite's `data_version` tells.
 * I2. Within a transaction nothing is kept, for what it wrote may be taken back.
 */
import type { CentralDb } from './database.ts';

const WATCHED = [
  'access_rules',
  'agent_groups',
  'budgets',
  'container_configs',
  'model_prices',
  'secret_uses',
  'services',
  'users',
] as const;
type WatchedTable = (typeof WATCHED)[number];

/** Answers of one question; one more, and it begins anew. Higher: memory for names that a container makes up. Lower: many agents are asked for again. */
const MAX_KEPT = 500;

/** One for each connection. Its triggers are temporary: nothing of them is in the file. */
export class Unchanged {
  readonly #db: CentralDb;
  readonly #dataVersion;
  /** Changes so far. */
  readonly #changes = new Map<string, number>(WATCHED.map((table) => [table, 0]));
  #otherVersion = -1;
  #others = 0;
  #isChecked = false;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck();
    db.function('note_change', (table: string) => {
      this.#changes.set(table, (this.#changes.get(table) ?? 0) + 1);
      return null;
    });
    for (const table of WATCHED) {
      for (const event of ['INSERT', 'UPDATE', 'DELETE']) {
        db.exec(
          `CREATE TEMP TRIGGER watch_${table}_${event} AFTER ${event} ON main.${table}
           BEGIN SELECT note_change('${table}'); END`,
        );
      }
    }
  }

  /** `ask`, which reads these tables alone. Nobody changes what it answers: others get the same. */
  keep<Args extends readonly unknown[], Answer>(
    tables: readonly WatchedTable[],
    ask: (...args: Args) => Answer,
  ): (...args: Args) => Answer {
    const kept = new Map<string, Answer>();
    let keptAt = -1;
    return (...args) => {
      // I2
      if (this.#db.inTransaction) return ask(...args);
      const version = this.#versionOf(tables);
      if (version !== keptAt || kept.size >= MAX_KEPT) kept.clear();
      keptAt = version;
      const key = JSON.stringify(args);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const answer = ask(...args);
      kept.set(key, answer);
      return answer;
    };
  }

  /** I1: rises with each change. */
  #versionOf(tables: readonly WatchedTable[]): number {
    this.#lookForOthers();
    return tables.reduce((sum, table) => sum + (this.#changes.get(table) ?? 0), this.#others);
  }

  /** Once in a turn of the event loop: it takes as long as an answer that was not kept, and a request asks in three steps. */
  #lookForOthers(): void {
    if (this.#isChecked) return;
    const found = this.#dataVersion.get() ?? 0;
    if (found !== this.#otherVersion) this.#others += 1;
    this.#otherVersion = found;
    this.#isChecked = true;
    setImmediate(() => {
      this.#isChecked = false;
    });
  }
}
