/**
 * Messages that were turned away, counted by place, sender and reason.
 *
 * I1. A flood does not grow the table: past the bounds below a message is counted in a row that names less.
 * I2. Every message is counted somewhere.
 * I3. The ledger says once of each row that it began: whoever writes from outside does not make it grow without end.
 */
import type { Scope } from '../access/console.ts';
import type { CentralDb } from './database.ts';
import { Ledger } from './ledger.ts';

export interface DroppedMessages {
  channelType: string;
  /** Empty: several chats of this channel, folded into one row. */
  platformId: string;
  /** Empty: several senders, folded into one row. */
  senderId: string;
  reason: string;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** Where a page starts: strictly after this entry of the page before. */
export interface DroppedCursor {
  lastAt: number;
  row: number;
}

export interface DroppedBounds {
  /** Rows of one chat. Higher: one chat's flood hides the others. Lower: less is known of who wrote. */
  rowsPerChat: number;
  /** Rows of all. Higher: disk. Lower: chats are folded while there is room. */
  rows: number;
  /** Rows older than this make room for new ones, milliseconds. Lower: less of the past is shown. */
  keptMs: number;
}

const DEFAULT_BOUNDS: DroppedBounds = { rowsPerChat: 100, rows: 10_000, keptMs: 30 * 24 * 3_600_000 };

interface Dropped {
  channelType: string;
  platformId: string;
  senderId: string;
  reason: string;
  now: number;
}

export class DroppedStore {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #bounds: DroppedBounds;
  readonly #count;
  readonly #insert;
  readonly #countChat;
  /** Rows in the table: this store alone writes it. */
  #rows: number;

  constructor(db: CentralDb, bounds: DroppedBounds = DEFAULT_BOUNDS) {
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#bounds = bounds;
    this.#count = db.prepare(
      `UPDATE dropped_messages SET count = count + @times, last_at = max(last_at, @now)
       WHERE channel_type = @channelType AND platform_id = @platformId AND sender_id = @senderId AND reason = @reason`,
    );
    this.#insert = db.prepare(
      `INSERT INTO dropped_messages (channel_type, platform_id, sender_id, reason, count, first_at, last_at)
       VALUES (@channelType, @platformId, @senderId, @reason, @times, @now, @now)`,
    );
    this.#countChat = db.prepare<[string, string], { n: number }>(
      'SELECT count(*) AS n FROM dropped_messages WHERE channel_type = ? AND platform_id = ?',
    );
    this.#rows = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM dropped_messages').get()?.n ?? 0;
  }

  record(dropped: Dropped): void {
    this.recordAll([{ ...dropped, times: 1 }]);
  }

  /** Several in one commit, each as often as it says. */
  recordAll(dropped: readonly (Dropped & { times: number })[]): void {
    this.#db.transaction(() => {
      for (const one of dropped) this.#recordOne(one);
    })();
  }

  #recordOne(dropped: Dropped & { times: number }): void {
    if (this.#count.run(dropped).changes > 0) return;
    const place = { ...dropped, ...this.#fold(dropped) };
    if (this.#count.run(place).changes > 0) return;
    this.#insert.run(place);
    this.#rows++;
    const { channelType, platformId, senderId, reason, now } = place;
    // I3
    this.#ledger.append(
      {
        kind: 'message.dropped',
        sessionId: null,
        messageId: senderId === '' ? null : senderId,
        actor: null,
        detail: { channelType, platformId, reason },
      },
      now,
    );
  }

  /** The row a new entry goes to: names the sender while its chat has room, the chat while the table has. */
  #fold(dropped: Dropped): Dropped {
    if (this.#rows >= this.#bounds.rows) this.#forgetOld(dropped.now);
    if (this.#rows >= this.#bounds.rows) return { ...dropped, platformId: '', senderId: '' };
    const ofChat = this.#countChat.get(dropped.channelType, dropped.platformId)?.n ?? 0;
    return ofChat >= this.#bounds.rowsPerChat ? { ...dropped, senderId: '' } : dropped;
  }

  #forgetOld(now: number): void {
    const gone = this.#db.prepare('DELETE FROM dropped_messages WHERE last_at < ?').run(now - this.#bounds.keptMs);
    this.#rows -= gone.changes;
  }

  /** Newest first; of the chats that agents of `scope` listen in, when it is given; entries of the same millisecond in a fixed order, so that pages lose none of them. */
  list(
    limit: number,
    after: DroppedCursor | null = null,
    scope: Scope | null = null,
  ): (DroppedMessages & { row: number })[] {
    const ofScope =
      scope === null
        ? ''
        : `AND EXISTS (SELECT 1 FROM messaging_groups AS chat JOIN wirings ON wirings.messaging_group_id = chat.id
             WHERE chat.channel_type = dropped_messages.channel_type AND chat.platform_id = dropped_messages.platform_id
               AND wirings.agent_group_id IN (SELECT value FROM json_each(@adminOf)))`;
    return this.#db
      .prepare<Record<string, number | string>, DroppedMessages & { row: number }>(
        `SELECT rowid AS row, channel_type AS channelType, platform_id AS platformId, sender_id AS senderId, reason,
                count, first_at AS firstAt, last_at AS lastAt
         FROM dropped_messages WHERE (last_at, rowid) < (@lastAt, @row) ${ofScope}
         ORDER BY last_at DESC, rowid DESC LIMIT @limit`,
      )
      .all({
        lastAt: after?.lastAt ?? Number.MAX_SAFE_INTEGER,
        row: after?.row ?? Number.MAX_SAFE_INTEGER,
        ...(scope === null ? {} : { adminOf: JSON.stringify(scope.adminOf) }),
        limit,
      });
  }
}
