/**
 * The physical limit, measured on the same disk in the same run: what any two processes pay that talk
 * through committed rows. One lap is two of these: a commit here, its file event there, a read there, and back.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, type FSWatcher, mkdirSync, openSync, utimesSync, watch } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { FILE_NAMES, READER_PRAGMAS, WRITER_PRAGMAS } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';

export interface Lap {
  oneWayMs: number;
  roundTripMs: number;
}

/** The argument that makes the bench program the other process. */
export const FLOOR_ARGUMENT = '--floor-answerer';

/** A row of about the size of a short message. */
const PAYLOAD = 'x'.repeat(400);
const LOCK_WAIT_MS = 100;

export async function measureFloor(folder: string, laps: number): Promise<Lap[]> {
  const [inFolder, outFolder] = [join(folder, 'in'), join(folder, 'out')];
  for (const one of [inFolder, outFolder]) mkdirSync(one, { recursive: true });
  using asks = new Writer(inFolder);
  new Writer(outFolder)[Symbol.dispose]();
  const child = fork(process.argv[1] ?? '', [FLOOR_ARGUMENT, folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    await once(child, 'message');
    using answers = new Reader(outFolder);
    const measured: Lap[] = [];
    for (let lap = 1; lap <= laps; lap++) {
      const answered = answers.next();
      const startedAt = stampNow();
      asks.append(PAYLOAD);
      const readAt = Number(await answered);
      measured.push({ oneWayMs: readAt - startedAt, roundTripMs: stampNow() - startedAt });
    }
    return measured;
  } finally {
    await end(child);
  }
}

/** The other process: answers each row with the time at which it was read. */
export async function runFloorAnswerer(folder: string): Promise<void> {
  using asks = new Reader(join(folder, 'in'));
  using answers = new Writer(join(folder, 'out'));
  const ended = once(process, 'disconnect').then(() => null);
  let asked = asks.next();
  process.send?.('ready');
  for (;;) {
    if ((await Promise.race([asked, ended])) === null) return;
    const readAt = stampNow();
    asked = asks.next();
    answers.append(String(readAt));
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

class Writer implements Disposable {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement<[string]>;
  readonly #doorbell: string;

  constructor(folder: string) {
    this.#doorbell = join(folder, FILE_NAMES.doorbell);
    closeSync(openSync(this.#doorbell, 'a'));
    this.#db = new Database(join(folder, 'rows.db'), { timeout: LOCK_WAIT_MS });
    for (const pragma of WRITER_PRAGMAS) this.#db.pragma(pragma);
    this.#db.exec('CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT');
    this.#insert = this.#db.prepare('INSERT INTO rows (content) VALUES (?)');
  }

  append(content: string): void {
    this.#insert.run(content);
    const now = new Date();
    utimesSync(this.#doorbell, now, now);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

class Reader implements Disposable {
  readonly #db: Database.Database;
  readonly #select: Database.Statement<[number], { seq: number; content: string }>;
  readonly #watcher: FSWatcher;
  #cursor = 0;
  #wake: ((content: string) => void) | null = null;

  constructor(folder: string) {
    this.#db = new Database(join(folder, 'rows.db'), { readonly: true, timeout: LOCK_WAIT_MS });
    for (const pragma of READER_PRAGMAS) this.#db.pragma(pragma);
    this.#select = this.#db.prepare('SELECT seq, content FROM rows WHERE seq > ? ORDER BY seq LIMIT 1');
    this.#watcher = watch(join(folder, FILE_NAMES.doorbell), () => this.#look());
  }

  /** The next row. Call before it can be written. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #look(): void {
    const row = this.#select.get(this.#cursor);
    if (row === undefined || this.#wake === null) return;
    this.#cursor = row.seq;
    const wake = this.#wake;
    this.#wake = null;
    wake(row.content);
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#db.close();
  }
}
