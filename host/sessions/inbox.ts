/**
 * inbound.db, which the host alone writes.
 *
 * I1. Work given in one turn of the event loop commits together, in the order given.
 * I2. The host never waits for a lock: a container may hold a read lock on the read-only mount for as
 *     long as it likes, and waiting would stop every other session (I10). A busy commit is tried again
 *     later; past INBOX_LOCK_DEADLINE_MS the work fails with `session_busy` and `onLockHeld` is told.
 * I3. At most MAX_OPEN_INBOXES databases are open.
 * I4. The runner is rung after a commit that it should hear of, and for no other.
 * I5. Once closed, no database is opened again, whoever still waits: by then the home may be another host's.
 */
import { existsSync, utimesSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import { type SessionPaths, sessionPaths, WRITER_PRAGMAS } from '../../shared/session-files.ts';
import { errorCode, Fault, toDiskFault } from '../config/errors.ts';
import { INBOX_LOCK_DEADLINE_MS, MAX_OPEN_INBOXES } from '../config/limits.ts';
import { failpoint } from '../observe/failpoint.ts';
import { sessionsLog } from '../observe/logger.ts';
import { InboxTables } from './inbox-tables.ts';

export interface SessionRef {
  id: SessionId;
  agentGroupId: AgentGroupId;
}

interface Job {
  work: (tables: InboxTables) => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/**
 * Pages of one inbound.db kept in memory. A message touches about fifteen of 4 KiB, whatever the past. Higher:
 * sessions with a long past fill it, MAX_OPEN_INBOXES times. Lower: pages are read anew from the kernel's cache.
 */
const CACHE_KIB = 1_024;

/** One session's inbound.db. Obtained from `Inboxes`. */
class Inbox {
  readonly ref: SessionRef;
  readonly #path: string;
  readonly #doorbell: string;
  readonly #onLockHeld: (id: SessionId) => void;
  #db: Database.Database | null = null;
  #tables: InboxTables | null = null;
  #jobs: Job[] = [];
  #scheduled = false;
  #busySince: number | null = null;
  #isClosed = false;

  constructor(ref: SessionRef, paths: SessionPaths, onLockHeld: (id: SessionId) => void) {
    this.ref = ref;
    this.#path = paths.inboundDb;
    this.#doorbell = paths.inDoorbell;
    this.#onLockHeld = onLockHeld;
  }

  get isIdle(): boolean {
    return this.#jobs.length === 0;
  }

  commit<T>(work: (tables: InboxTables) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // `resolve` takes what `work` returned: the pair is kept together in the job.
      this.#jobs.push({ work, resolve: resolve as (value: never) => void, reject });
      this.#schedule();
    });
  }

  /** Reads now. The host is the only writer, so a lock is met only when a hot journal must be rolled back first. */
  read<T>(work: (tables: InboxTables) => T): T {
    const tables = this.#open();
    // One lock for all that is asked, not one for each statement.
    return tables.reading(() => work(tables));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const batch = this.#jobs;
    if (batch.length === 0 || this.#isClosed) return;
    const results: unknown[] = [];
    try {
      const tables = this.#open();
      failpoint('inbox.begin');
      tables.transaction(() => {
        for (const job of batch) results.push(job.work(tables));
      });
      failpoint('inbox.committed');
    } catch (error) {
      this.#tables?.forget();
      if (errorCode(error).startsWith('SQLITE_BUSY')) this.#retryLater(batch);
      else this.#fail(batch, translate(error));
      return;
    }
    if (this.#tables?.takeNews()) this.#ring();
    this.#busySince = null;
    this.#jobs = this.#jobs.slice(batch.length);
    for (const [at, job] of batch.entries()) job.resolve(results[at] as never);
    if (this.#jobs.length > 0) this.#schedule();
  }

  /** A ring that fails is a late message, not a lost one: the runner looks by itself every second. */
  #ring(): void {
    try {
      const now = new Date();
      utimesSync(this.#doorbell, now, now);
    } catch (error) {
      if (errorCode(error) === '') throw error;
      sessionsLog.warn({ sessionId: this.ref.id, err: error }, 'the runner could not be rung');
    }
  }

  #retryLater(batch: Job[]): void {
    const now = performance.now();
    this.#busySince ??= now;
    const waited = now - this.#busySince;
    if (waited > INBOX_LOCK_DEADLINE_MS) {
      this.#busySince = null;
      this.#onLockHeld(this.ref.id);
      this.#fail(batch, new Fault('session_busy', 'the container holds a lock on inbound.db', { retryable: true }));
      return;
    }
    this.#scheduled = true;
    // Quick at first, because an honest reader holds the lock for a fraction of a millisecond.
    setTimeout(() => this.#flush(), Math.min(1 + waited / 4, 50));
  }

  #fail(batch: Job[], error: unknown): void {
    this.#jobs = this.#jobs.slice(batch.length);
    for (const job of batch) job.reject(error);
    if (this.#jobs.length > 0) this.#schedule();
  }

  #open(): InboxTables {
    if (this.#tables !== null) return this.#tables;
    if (!existsSync(this.#path)) throw new Fault('session_missing', 'the session has no inbound.db');
    const db = new Database(this.#path, { timeout: 0, fileMustExist: true });
    try {
      for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
      db.pragma(`cache_size = -${CACHE_KIB}`);
      this.#tables = new InboxTables(db);
    } catch (error) {
      db.close();
      throw translate(error);
    }
    this.#db = db;
    return this.#tables;
  }

  /** What waits for its commit is told that it comes to none (I5). */
  close(): void {
    this.#isClosed = true;
    this.#db?.close();
    this.#db = null;
    this.#tables = null;
    for (const job of this.#jobs.splice(0)) job.reject(closed());
  }
}

/** The bounded cache of inboxes. */
export class Inboxes implements Disposable {
  readonly #home: string;
  readonly #onLockHeld: (id: SessionId) => void;
  readonly #open = new Map<SessionId, Inbox>();
  #isClosed = false;

  constructor(home: string, onLockHeld: (id: SessionId) => void) {
    this.#home = home;
    this.#onLockHeld = onLockHeld;
  }

  /**
   * Runs `work` in a transaction, together with other work of this turn. Resolves after the commit.
   * Rejects with Fault `session_busy`, `disk_full`, `session_corrupt`, `session_missing`, `host_stopping`.
   */
  commit<T>(ref: SessionRef, work: (tables: InboxTables) => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    return this.#get(ref).commit(work);
  }

  /** Reads now; `work` must not write. Throws Fault `session_corrupt`, `session_missing`, `session_busy`, `host_stopping`. */
  read<T>(ref: SessionRef, work: (tables: InboxTables) => T): T {
    if (this.#isClosed) throw closed();
    try {
      return this.#get(ref).read(work);
    } catch (error) {
      throw translate(error);
    }
  }

  #get(ref: SessionRef): Inbox {
    const known = this.#open.get(ref.id);
    if (known !== undefined) {
      this.#open.delete(ref.id);
      this.#open.set(ref.id, known);
      return known;
    }
    this.#evict();
    const inbox = new Inbox(ref, sessionPaths(this.#home, ref.agentGroupId, ref.id), this.#onLockHeld);
    this.#open.set(ref.id, inbox);
    return inbox;
  }

  #evict(): void {
    if (this.#open.size < MAX_OPEN_INBOXES) return;
    for (const [id, inbox] of this.#open) {
      if (!inbox.isIdle) continue;
      inbox.close();
      this.#open.delete(id);
      return;
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const inbox of this.#open.values()) inbox.close();
    this.#open.clear();
  }
}

function closed(): Fault {
  return new Fault('host_stopping', 'the host is stopping', { retryable: true, hint: 'try again in a moment' });
}

function translate(error: unknown): unknown {
  const code = errorCode(error);
  if (code.startsWith('SQLITE_BUSY')) {
    return new Fault('session_busy', 'the container holds a lock on inbound.db', { cause: error, retryable: true });
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new Fault('session_corrupt', 'inbound.db is corrupt', { cause: error });
  }
  return toDiskFault(error) ?? error;
}
