/** What an admin said no to, by the subject of the approval: nobody is asked about it again for a while. */
import type { UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';
import { Ledger } from './ledger.ts';

export class TurnedAwayStore {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #find;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#get = db.prepare<[string], { until: number | null }>(
      'SELECT until_at AS until FROM turned_away WHERE subject_key = ?',
    );
    this.#find = db.prepare('SELECT 1 FROM turned_away WHERE subject_key = ? AND (until_at IS NULL OR until_at > ?)');
  }

  /** `untilAt` is epoch ms; null means for ever. What is over is forgotten meanwhile. */
  record(subjectKey: string, by: UserId, untilAt: number | null, now: number): void {
    this.#db.transaction(() => {
      const known = this.#get.get(subjectKey);
      // Decided once, carried out again after a crash.
      if (known === undefined || known.until !== untilAt) {
        const detail = { until: untilAt };
        const entry = { kind: 'stranger.turned_away', sessionId: null, messageId: subjectKey, actor: by, detail };
        this.#ledger.append(entry, now);
      }
      this.#db.prepare('DELETE FROM turned_away WHERE until_at <= ?').run(now);
      this.#db
        .prepare(
          `INSERT INTO turned_away (subject_key, decided_by, decided_at, until_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (subject_key) DO UPDATE SET decided_by = excluded.decided_by,
             decided_at = excluded.decided_at, until_at = excluded.until_at`,
        )
        .run(subjectKey, by, now, untilAt);
    })();
  }

  holds(subjectKey: string, now: number): boolean {
    return this.#find.get(subjectKey, now) !== undefined;
  }

  forget(subjectKey: string): void {
    this.#db.prepare('DELETE FROM turned_away WHERE subject_key = ?').run(subjectKey);
  }
}
