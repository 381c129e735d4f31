/**
 * Doorbells: hints that a running session's container committed something. May be lost or doubled; the
 * sweep over running sessions covers a lost one.
 *
 * Why `raw`: chokidar's `change` event is throttled per path and loses wake-ups. Only running sessions
 * are watched. In DELETE mode a commit ends by removing the journal, so that is what rings: at the
 * writes before it the database is still locked.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { SessionId } from '../../shared/ids.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';
import { sessionsLog } from '../observe/logger.ts';

const JOURNAL = `${FILE_NAMES.outboundDb}-journal`;

export class Doorbells implements AsyncDisposable {
  readonly #ring: (id: SessionId) => void;
  readonly #watchers = new Map<SessionId, FSWatcher>();
  readonly #dirty = new Set<SessionId>();
  #scheduled = false;

  /** `ring` is called once per session and turn of the event loop. */
  constructor(ring: (id: SessionId) => void) {
    this.#ring = ring;
  }

  watch(id: SessionId, out: string): void {
    if (this.#watchers.has(id)) return;
    const journal = join(out, JOURNAL);
    const watcher = watch(out, {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => path !== out,
    });
    watcher.on('raw', (_event, path) => {
      if (path === null || path === undefined || String(path).endsWith(JOURNAL)) {
        if (!existsSync(journal)) this.#mark(id);
      }
    });
    watcher.on('error', (error) =>
      sessionsLog.warn({ sessionId: id, err: error }, 'watching a session failed; its sweep goes on'),
    );
    this.#watchers.set(id, watcher);
  }

  unwatch(id: SessionId): void {
    const watcher = this.#watchers.get(id);
    this.#watchers.delete(id);
    if (watcher !== undefined) void watcher.close();
  }

  #mark(id: SessionId): void {
    this.#dirty.add(id);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const rung = [...this.#dirty];
      this.#dirty.clear();
      for (const one of rung) this.#ring(one);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const watchers = [...this.#watchers.values()];
    this.#watchers.clear();
    await Promise.all(watchers.map((watcher) => watcher.close()));
  }
}
