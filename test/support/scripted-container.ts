/** Writes outbound.db as a container would, honest or not. */
import { utimesSync } from 'node:fs';
import Database from 'better-sqlite3';
import { makeId } from '../../shared/ids.ts';
import type { SessionPaths } from '../../shared/session-files.ts';
import { WRITER_PRAGMAS } from '../../shared/session-files.ts';

export interface OutRow {
  id?: string;
  seq?: number;
  kind?: string;
  destination?: string | null;
  channelType?: string | null;
  platformId?: string | null;
  threadId?: string | null;
  inReplyTo?: string | null;
  deliverAfter?: number | null;
  content?: unknown;
}

export class ScriptedContainer {
  readonly paths: SessionPaths;
  readonly db: Database.Database;

  constructor(paths: SessionPaths) {
    this.paths = paths;
    this.db = new Database(paths.outboundDb, { timeout: 5_000 });
    for (const pragma of WRITER_PRAGMAS) this.db.pragma(pragma);
  }

  /** The next odd number above the highest in both files. */
  nextSeq(): number {
    const inbound = new Database(this.paths.inboundDb, { readonly: true, timeout: 5_000 });
    const highestIn = Number(inbound.prepare('SELECT coalesce(max(seq), 0) FROM messages_in').pluck().get());
    inbound.close();
    const highestOut = Number(this.db.prepare('SELECT coalesce(max(seq), 0) FROM messages_out').pluck().get());
    const highest = Math.max(highestIn, highestOut);
    return highest % 2 === 0 ? highest + 1 : highest + 2;
  }

  /** Inserts a row; returns its id. */
  send(row: OutRow): string {
    const id = row.id ?? makeId('message');
    this.db
      .prepare(
        `INSERT INTO messages_out (id, seq, in_reply_to, timestamp, deliver_after, kind, destination, channel_type,
           platform_id, thread_id, trace_id, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        id,
        row.seq ?? this.nextSeq(),
        row.inReplyTo ?? null,
        Date.now(),
        row.deliverAfter ?? null,
        row.kind ?? 'chat',
        row.destination ?? null,
        row.channelType ?? null,
        row.platformId ?? null,
        row.threadId ?? null,
        makeId('trace'),
        typeof row.content === 'string' ? row.content : JSON.stringify(row.content ?? { text: 'hello' }),
      );
    return id;
  }

  /** Inserts `count` rows in one commit: each commit waits for the disk. */
  sendMany(count: number, makeRow: (at: number) => OutRow): void {
    this.db.transaction(() => {
      for (let at = 0; at < count; at++) this.send(makeRow(at));
    })();
  }

  mark(messageId: string, state: 'claimed' | 'done' | 'failed', note: unknown = null): void {
    this.db
      .prepare('INSERT OR REPLACE INTO processing (message_id, state, changed_at, note) VALUES (?, ?, ?, ?)')
      .run(messageId, state, Date.now(), note === null ? null : JSON.stringify(note));
  }

  beat(): void {
    utimesSync(this.paths.heartbeat, new Date(), new Date());
  }

  close(): void {
    this.db.close();
  }
}
