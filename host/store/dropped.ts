/** Messages that were turned away, counted by place and reason: a flood must not grow the database. */
import type { CentralDb } from './database.ts';

export interface DroppedMessages {
  channelType: string;
  platformId: string;
  senderId: string;
  reason: string;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** Rows kept; the oldest go first. Higher: disk. Lower: an attacker's many names push real entries out. */
const MAX_ROWS = 10_000;

export class DroppedStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  record(input: { channelType: string; platformId: string; senderId: string; reason: string; now: number }): void {
    const made = this.#db
      .prepare(
        `INSERT INTO dropped_messages (channel_type, platform_id, sender_id, reason, first_at, last_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at`,
      )
      .run(input.channelType, input.platformId, input.senderId, input.reason, input.now, input.now);
    if (Number(made.lastInsertRowid) % 1_000 === 0) {
      this.#db
        .prepare(
          `DELETE FROM dropped_messages WHERE rowid IN
             (SELECT rowid FROM dropped_messages ORDER BY last_at DESC LIMIT -1 OFFSET ${MAX_ROWS})`,
        )
        .run();
    }
  }

  /** Newest first. */
  list(limit: number, before: number | null = null): DroppedMessages[] {
    return this.#db
      .prepare<[number, number], DroppedMessages>(
        `SELECT channel_type AS channelType, platform_id AS platformId, sender_id AS senderId, reason, count,
                first_at AS firstAt, last_at AS lastAt
         FROM dropped_messages WHERE last_at < ? ORDER BY last_at DESC LIMIT ?`,
      )
      .all(before ?? Number.MAX_SAFE_INTEGER, limit);
  }
}
