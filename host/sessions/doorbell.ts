/**
 * Doorbells: hints that a running session's container committed something. May be lost or doubled; the
 * sweep over running sessions covers a lost one. Only running sessions are watched.
 *
 * The doorbell is a file in a folder that the container writes: what is watched is the descriptor that was
 * checked, not the path (I2 of the architecture).
 *
 * Why Node's own `watch`: libraries for it look into the folder at each event, or hold events back.
 */
import { closeSync, type FSWatcher, watch } from 'node:fs';
import type { SessionId } from '../../shared/ids.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';
import { errorCode } from '../config/errors.ts';
import { sessionsLog } from '../observe/logger.ts';
import { openInside } from './safe-open.ts';

/** No watch is left for this user (EMFILE, ENOSPC), or the folder is gone (ENOENT): the sweep alone must do. */
const PASSING = new Set(['EMFILE', 'ENOSPC', 'ENOENT']);
/** A doorbell is empty; nobody reads what a container put there. */
const MAX_DOORBELL_BYTES = Number.MAX_SAFE_INTEGER;

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
    const opened = openInside(out, [FILE_NAMES.doorbell], MAX_DOORBELL_BYTES);
    if (opened.kind === 'refused') {
      this.#giveUp(id, opened.reason);
      return;
    }
    try {
      const watcher = watch(`/proc/self/fd/${opened.fd}`, () => this.#mark(id));
      watcher.on('error', (error) => this.#giveUp(id, error));
      this.#watchers.set(id, watcher);
    } catch (error) {
      if (!PASSING.has(errorCode(error))) throw error;
      this.#giveUp(id, error);
    } finally {
      closeSync(opened.fd);
    }
  }

  unwatch(id: SessionId): void {
    this.#watchers.get(id)?.close();
    this.#watchers.delete(id);
  }

  #giveUp(id: SessionId, why: unknown): void {
    sessionsLog.warn({ sessionId: id, err: why }, 'a session has no doorbell; its sweep goes on');
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
