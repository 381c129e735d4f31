/**
 * Doorbells: hints that a running session's container committed something. May be lost or doubled; the
 * sweep over running sessions covers a lost one. Only running sessions are watched.
 *
 * The doorbell is a file in a folder that the container writes: what is watched is the descriptor that was
 * checked, not the path (I2 of the architecture).
 *
 * A container may touch it as often as it can. The kernel keeps one queue of events for the whole process, and
 * Node reads it to its end before it does anything else, so a storm is ended where it comes in:
 *
 *   listening ─more than STORM_EVENTS in a window→ resting (not watched) ─restMs→ listening, and one ring
 *
 * D1. A session that storms again and again rests twice as long each time, up to MAX_REST_MS.
 * D2. A storm may have overflowed the queue: every watched session is rung after it.
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
/** An honest runner commits a few hundred times a second at most. Higher: storms cost more. Lower: busy sessions rest. */
const STORM_EVENTS = 500;
const STORM_WINDOW_MS = 250;
/** First rest after a storm. Higher: whoever was only busy waits. Lower: an attacker storms more often. */
const FIRST_REST_MS = 250;
/** Longest rest: the sweep over running sessions comes as often. */
const MAX_REST_MS = 2_000;
/** Without a storm for so long, the next one is the first. */
const FORGIVE_AFTER_MS = 2 * MAX_REST_MS;

interface Watched {
  out: string;
  watcher: FSWatcher | null;
  rest: NodeJS.Timeout | null;
  restMs: number;
  stormAt: number;
  windowAt: number;
  events: number;
}

export class Doorbells implements Disposable {
  readonly #ring: (id: SessionId) => void;
  readonly #watched = new Map<SessionId, Watched>();
  readonly #dirty = new Set<SessionId>();
  #scheduled = false;

  /** `ring` is called once per session and turn of the event loop. */
  constructor(ring: (id: SessionId) => void) {
    this.#ring = ring;
  }

  watch(id: SessionId, out: string): void {
    if (this.#watched.has(id)) return;
    const watched: Watched = {
      out,
      watcher: null,
      rest: null,
      restMs: 0,
      stormAt: Number.NEGATIVE_INFINITY,
      windowAt: 0,
      events: 0,
    };
    this.#watched.set(id, watched);
    this.#listen(id, watched);
  }

  unwatch(id: SessionId): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#watched.delete(id);
    watched.watcher?.close();
    if (watched.rest !== null) clearTimeout(watched.rest);
  }

  #listen(id: SessionId, watched: Watched): void {
    const opened = openInside(watched.out, [FILE_NAMES.doorbell], MAX_DOORBELL_BYTES);
    if (opened.kind === 'refused') {
      this.#giveUp(id, opened.reason);
      return;
    }
    try {
      const watcher = watch(`/proc/self/fd/${opened.fd}`, () => this.#hear(id, watched));
      watcher.on('error', (error) => this.#giveUp(id, error));
      watched.watcher = watcher;
    } catch (error) {
      if (!PASSING.has(errorCode(error))) throw error;
      this.#giveUp(id, error);
    } finally {
      closeSync(opened.fd);
    }
  }

  #giveUp(id: SessionId, why: unknown): void {
    sessionsLog.warn({ sessionId: id, err: why }, 'a session has no doorbell; its sweep goes on');
    this.unwatch(id);
  }

  /** One event. Of a watcher that was closed in the middle of a storm, more may come. */
  #hear(id: SessionId, watched: Watched): void {
    if (watched.watcher === null) return;
    const now = performance.now();
    if (now - watched.windowAt > STORM_WINDOW_MS) {
      watched.windowAt = now;
      watched.events = 0;
    }
    watched.events++;
    if (watched.events > STORM_EVENTS) this.#startRest(id, watched, watched.watcher, now);
    else this.#mark(id);
  }

  #startRest(id: SessionId, watched: Watched, watcher: FSWatcher, now: number): void {
    watcher.close();
    watched.watcher = null;
    const isNew = now - watched.stormAt > FORGIVE_AFTER_MS;
    if (isNew) sessionsLog.warn({ sessionId: id }, 'a session rings without end');
    watched.stormAt = now;
    watched.restMs = isNew ? FIRST_REST_MS : Math.min(watched.restMs * 2, MAX_REST_MS);
    watched.rest = setTimeout(() => {
      watched.rest = null;
      watched.windowAt = performance.now();
      watched.events = 0;
      this.#listen(id, watched);
      this.#mark(id);
    }, watched.restMs);
    for (const each of this.#watched.keys()) this.#mark(each);
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
    for (const id of [...this.#watched.keys()]) this.unwatch(id);
  }
}
