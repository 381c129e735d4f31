/**
 * Doorbells: hints that a running session's container committed something. May be lost or doubled; the
 * sweep over running sessions covers a lost one.
 *
 * Only running sessions are watched, each by one watch of its `out/` folder. In DELETE mode a commit ends by
 * removing the journal, so that is what rings: at the writes before it the database is still locked.
 *
 * Why Node's own `watch`: libraries for it look into the folder at each event (half a millisecond of the
 * host per message), or hold events back.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { SessionId } from '../../shared/ids.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';
import { errorCode } from '../config/errors.ts';
import { sessionsLog } from '../observe/logger.ts';

const JOURNAL = `${FILE_NAMES.outboundDb}-journal`;
/** No watch is left for this user (EMFILE, ENOSPC), or the folder is gone (ENOENT): the sweep alone must do. */
const PASSING = new Set(['EMFILE', 'ENOSPC', 'ENOENT']);

export class Doorbells implements Disposable {
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
    try {
      const watcher = watch(out, (event, name) => {
        // `rename` is the making and the removal of a name; without a name, anything may have happened.
        if (event === 'rename' && (name === JOURNAL || name === null) && !existsSync(journal)) this.#mark(id);
      });
      watcher.on('error', (error) => this.#giveUp(id, error));
      this.#watchers.set(id, watcher);
    } catch (error) {
      if (!PASSING.has(errorCode(error))) throw error;
      this.#giveUp(id, error);
    }
  }

  unwatch(id: SessionId): void {
    this.#watchers.get(id)?.close();
    this.#watchers.delete(id);
  }

  #giveUp(id: SessionId, error: unknown): void {
    sessionsLog.warn({ sessionId: id, err: error }, 'watching a session failed; its sweep goes on');
    this.unwatch(id);
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

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
