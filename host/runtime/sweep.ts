/**
 * Compares what the runtime knows with the engine's list: at start, when events may have been lost, when
 * the engine is back, and now and then while there are containers.
 *
 * I1. One comparison at a time; a call during one adds a round.
 * I2. A session in the middle of a step is left to its step: it changes under the list.
 */
import { epochMs, type SessionId } from '../../shared/ids.ts';
import { planAdoption } from './adoption.ts';
import { type ContainerDriver, DriverFault, type ListedContainer } from './drivers/driver.ts';
import { SWEEP_MS } from './policy.ts';
import type { RuntimeClock, RuntimeLog, RuntimeSessions } from './ports.ts';
import type { Tracked } from './tracked.ts';

export interface SweepParts {
  driver: ContainerDriver;
  sessions: RuntimeSessions;
  clock: RuntimeClock;
  log: RuntimeLog;
  tracked: ReadonlyMap<SessionId, Tracked>;
  track: (sessionId: SessionId) => Tracked;
  /** Its container changed, or was found: ask the driver, and plan. */
  lookAt: (tracked: Tracked) => void;
  onEngineAway: (fault: DriverFault) => void;
  /** A comparison ended well. */
  onSwept: () => void;
}

export class Sweep {
  readonly #parts: SweepParts;
  #running: Promise<void> | null = null;
  #again = false;
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** The comparison under way. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Resolves when everything up to now was compared, or the engine turned out to be away. */
  now(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#again = true;
    this.#running ??= this.#rounds();
    return this.#running;
  }

  /** Compares again in a while. */
  arm(): void {
    if (this.#cancel !== null || this.#isClosed) return;
    const { clock } = this.#parts;
    this.#cancel = clock.at(epochMs(clock.now() + SWEEP_MS), () => {
      this.#cancel = null;
      void this.now();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#again && !this.#isClosed) {
        this.#again = false;
        await this.#round();
      }
    } finally {
      // Without a wait since the last look at `#again`: nobody can have asked in between.
      this.#running = null;
    }
  }

  async #round(): Promise<void> {
    const { driver, log, tracked, onEngineAway, onSwept } = this.#parts;
    const steady = new Map([...tracked].filter(([, { stepping }]) => stepping === null));
    try {
      const listed = await driver.list();
      if (this.#isClosed) return;
      await this.#compare(listed, steady);
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      if (error.kind === 'engine-away') onEngineAway(error);
      else {
        log.warn({ err: error }, 'containers could not be compared');
        this.arm();
      }
      return;
    }
    onSwept();
  }

  async #compare(listed: ListedContainer[], steady: ReadonlyMap<SessionId, Tracked>): Promise<void> {
    const { tracked, lookAt } = this.#parts;
    const found = new Set<SessionId>();
    for (const container of listed) {
      found.add(container.sessionId);
      const known = tracked.get(container.sessionId);
      // Unknown until now, or nothing happened to it since before the list was made.
      const isSteady = known === undefined || (steady.get(container.sessionId) === known && known.stepping === null);
      if (!isSteady) continue;
      if (known?.container?.id !== container.id) await this.#adopt(container);
      else if (known.container.kind !== container.state) lookAt(known);
    }
    for (const [id, each] of steady) {
      if (!found.has(id) && each.container !== null && each.stepping === null) lookAt(each);
    }
  }

  async #adopt(container: ListedContainer): Promise<void> {
    const { sessions, driver, log, clock, track, lookAt } = this.#parts;
    const { sessionId, id, epoch } = container;
    const record = sessions.load(sessionId)?.record ?? null;
    const verdict = planAdoption(container, record);
    if (verdict.kind === 'remove') {
      log.info({ sessionId, container: id, epoch, why: verdict.why }, 'an orphan is removed');
      await driver.remove(id);
      return;
    }
    const observed = await driver.inspect(id);
    // The host died between the start and its record: nobody else writes down that it succeeded.
    if (record?.state === 'starting' && (observed.kind === 'running' || observed.kind === 'paused')) {
      sessions.save(sessionId, {
        ...record,
        state: observed.kind,
        containerId: id,
        reason: null,
        sinceMs: clock.now(),
      });
    }
    const tracked = track(sessionId);
    tracked.see(id, observed, container.configVersion, clock.now());
    log.info({ sessionId, container: id, epoch, state: container.state }, 'a container was adopted');
    lookAt(tracked);
  }
}
