/** What every attack stands on: enough of the contract to be started, spoken to, and to say what it came to. */
import { readFileSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { makeId } from '../../../shared/ids.ts';
import { type Chart, PROTOCOL_VERSION, RUNNER_STATE, type SessionFile } from '../../../shared/protocol.ts';
import { CONTAINER_PATHS, WRITER_PRAGMAS, workspaceFiles } from '../../../shared/session-files.ts';

export const files = workspaceFiles(CONTAINER_PATHS.in, CONTAINER_PATHS.out);

export interface Task {
  id: string;
  /** What the test wrote: JSON of the attack's arguments. */
  args: Record<string, string>;
}

export interface Row {
  id?: string;
  seq?: number | bigint;
  kind?: string;
  destination?: string | null;
  channelType?: string | null;
  platformId?: string | null;
  threadId?: string | null;
  inReplyTo?: string | null;
  deliverAfter?: number | null;
  traceId?: string | null;
  content?: string;
}

const INSERT = `INSERT INTO messages_out (id, seq, in_reply_to, timestamp, deliver_after, kind, destination, channel_type,
  platform_id, thread_id, trace_id, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export class Attacker {
  readonly session: SessionFile = JSON.parse(readFileSync(files.session, 'utf8'));
  readonly chart: Chart = JSON.parse(readFileSync(files.chart, 'utf8'));
  db = open();
  readonly #seen = new Set<string>();

  hello(): void {
    const now = Date.now();
    const hello = { protocolVersion: PROTOCOL_VERSION, provider: 'echo', startedAt: now };
    const set = this.db.prepare('INSERT OR REPLACE INTO runner_state (key, value, updated_at) VALUES (?, ?, ?)');
    set.run(RUNNER_STATE.hello, JSON.stringify(hello), now);
  }

  /** The next message that is pending; waits for it. */
  async nextTask(): Promise<Task> {
    for (;;) {
      const inbound = new Database(files.inboundDb, { readonly: true, timeout: 5_000 });
      const rows = inbound
        .prepare<[], { id: string; content: string }>(
          `SELECT id, content FROM messages_in WHERE status = 'pending' AND trigger = 1 AND kind = 'chat' ORDER BY seq`,
        )
        .all();
      inbound.close();
      const row = rows.find(({ id }) => !this.#seen.has(id));
      if (row !== undefined) {
        this.#seen.add(row.id);
        return { id: row.id, args: JSON.parse(JSON.parse(row.content).text) };
      }
      await delay(20);
    }
  }

  mark(id: string, state: 'claimed' | 'done'): void {
    this.db
      .prepare('INSERT OR REPLACE INTO processing (message_id, state, changed_at, note) VALUES (?, ?, ?, NULL)')
      .run(id, state, Date.now());
  }

  nextSeq(): number {
    const inbound = new Database(files.inboundDb, { readonly: true, timeout: 5_000 });
    const received = Number(inbound.prepare('SELECT coalesce(max(seq), 0) FROM messages_in').pluck().get());
    inbound.close();
    const sent = Number(this.db.prepare('SELECT coalesce(max(seq), 0) FROM messages_out').pluck().get());
    const highest = Math.max(received, sent);
    return highest % 2 === 0 ? highest + 1 : highest + 2;
  }

  /** A row for the session's own chat, but for what `row` says otherwise. Returns its id. */
  insert(row: Row = {}): string {
    const own = this.chart.destinations[0];
    if (own?.type !== 'channel') throw new Error('the chart has no chat');
    const id = row.id ?? makeId('message');
    this.db
      .prepare(INSERT)
      .run(
        id,
        row.seq ?? this.nextSeq(),
        row.inReplyTo ?? null,
        Date.now(),
        row.deliverAfter ?? null,
        row.kind ?? 'chat',
        row.destination === undefined ? own.name : row.destination,
        row.channelType === undefined ? own.channelType : row.channelType,
        row.platformId === undefined ? own.platformId : row.platformId,
        row.threadId ?? null,
        row.traceId ?? makeId('trace'),
        row.content ?? JSON.stringify({ text: 'hello' }),
      );
    return id;
  }

  /** Says in its own chat what it came to, honestly. */
  say(text: string): void {
    this.insert({ content: JSON.stringify({ text: text.slice(0, 60_000) }) });
  }
}

export function open(path = files.outboundDb): Database.Database {
  const db = new Database(path, { timeout: 5_000 });
  for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
  return db;
}

/** Has the host look at once, as the runner does after a commit. Without it the host looks by its sweep, two seconds later. */
export function touchDoorbell(): void {
  utimesSync(files.outDoorbell, 1, 1);
}

/** What became of an attempt: its value, or the code of its error. */
export function attempt(what: () => unknown): string {
  try {
    return `worked: ${String(what())}`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return 'code' in error ? String(error.code) : error.message;
  }
}
