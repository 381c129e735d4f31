/**
 * Keeps each session's container as its work needs it: the reconciler. Loads facts, asks `planRuntime` for
 * one step, has it done, and asks again, until the plan says to wait or to rest.
 *
 * I1. One step at a time per session; sessions do not wait for each other.
 * I2. Woken by doorbells (`wake`, the driver's events) and by timers. Both carry nothing, may be lost or
 *     doubled, and change nothing by themselves.
 * I3. Only sessions with a container, with work, or with a time to wait for are kept in memory.
 * I4. At most `maxRunning` containers; who waits for a place is served by agent group in turn.
 * I5. Until the engine has listed its containers once, no run is believed to be over.
 */
import { epochMs, type SessionId } from '../../shared/ids.ts';
import { Fault } from '../config/errors.ts';
import { Apply } from './apply.ts';
import { type ContainerDriver, type DriverEvent, DriverFault } from './drivers/driver.ts';
import { Engine } from './engine.ts';
import type { Desired, RuntimePlan, StopRequest } from './facts.ts';
import { Places } from './places.ts';
import { isSettled, planRuntime } from './plan.ts';
import { MAX_STEPS, type RuntimePolicy } from './policy.ts';
import type { RuntimeClock, RuntimeLog, RuntimeSessions, SessionFacts, SessionState, StateListener } from './ports.ts';
import { describeState } from './state.ts';
import { Sweep } from './sweep.ts';
import { Tracked } from './tracked.ts';
import { Wakeups } from './wakeups.ts';

export interface RuntimeOptions {
  driver: ContainerDriver;
  sessions: RuntimeSessions;
  policy: RuntimePolicy;
  /** Containers at once, frozen ones included. */
  maxRunning: number;
  clock: RuntimeClock;
  log: RuntimeLog;
  /** Told of each change that people see. */
  onState: StateListener;
  /** Whether the machine is short of memory; asked often. */
  memoryPressure?: () => boolean;
}

export class Runtime implements AsyncDisposable {
  readonly #options: RuntimeOptions;
  readonly #tracked = new Map<SessionId, Tracked>();
  readonly #wakeups: Wakeups;
  readonly #places: Places;
  readonly #engine: Engine;
  readonly #apply: Apply;
  readonly #sweep: Sweep;
  #silence: (() => void) | null = null;
  #isListed = false;
  #isDraining = false;
  #isClosed = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    const { driver, clock, log } = options;
    this.#wakeups = new Wakeups(clock, (id) => this.#replan(id));
    this.#places = new Places(options.maxRunning, (id) => this.#tracked.get(id));
    this.#engine = new Engine({ driver, clock, log, onBack: () => void this.#takeUp() });
    this.#apply = new Apply({
      ...options,
      onRecord: (tracked, record) => {
        if (tracked.facts !== null) tracked.facts = { ...tracked.facts, record };
        if (record.state !== 'absent' && record.state !== 'failed') this.#show(tracked, { kind: record.state });
      },
      onEngineAway: (fault) => this.#loseEngine(fault),
    });
    this.#sweep = new Sweep({
      ...options,
      tracked: this.#tracked,
      track: (id) => this.#track(id),
      lookAt: (tracked) => this.#lookAt(tracked),
      onEngineAway: (fault) => this.#loseEngine(fault),
      onSwept: () => this.#swept(),
    });
  }

  /** Adopts what an earlier host left running, and takes up open work. Call once. */
  async start(): Promise<void> {
    this.#silence = this.#options.driver.events((event) => this.#hear(event));
    await this.#takeUp();
  }

  /**
   * Work may have come for this session. Thaws at once, or starts a container; costs next to nothing when
   * one runs, because its runner hears of the work by itself.
   */
  wake(sessionId: SessionId): void {
    if (this.#isClosed) return;
    const tracked = this.#track(sessionId);
    const now = this.#options.clock.now();
    tracked.rings++;
    tracked.activityMs = now;
    if (tracked.stepping === null && tracked.container?.kind === 'running') {
      // In case the runner never takes the work: look, but not sooner than at any busy container.
      this.#wakeups.setNotLater(sessionId, epochMs(now + this.#options.policy.lookAgainMs));
      return;
    }
    this.#run(tracked);
  }

  /** The session's facts have changed (quarantined, released, ended, another config): plan anew now. */
  reconcile(sessionId: SessionId): void {
    if (this.#isClosed) return;
    const tracked = this.#track(sessionId);
    tracked.rings++;
    tracked.liveness = null;
    this.#run(tracked);
  }

  /**
   * Ends the present run, busy or not. After `stopped` only work that comes later starts another; `holds-lock`
   * counts as a failure of the run.
   */
  requestStop(sessionId: SessionId, reason: StopRequest): void {
    const tracked = this.#tracked.get(sessionId);
    if (tracked === undefined || (tracked.container === null && tracked.stepping === null)) return;
    tracked.stopRequest = reason;
    tracked.stopAskedMs = this.#options.clock.now();
    this.reconcile(sessionId);
  }

  /** Somebody met half a commit in outbound.db. It is rolled back; then `onState` is called again, to read anew. */
  reportHalfCommit(sessionId: SessionId): void {
    if (this.#isClosed) return;
    this.#track(sessionId).halfCommit = true;
    this.reconcile(sessionId);
  }

  /** Stops every container and starts none; for a host that is to leave nothing running. */
  async stopAll(): Promise<void> {
    this.#isDraining = true;
    for (const id of this.#places.holders()) this.requestStop(id, 'requested');
    await this.idle();
  }

  /** Resolves when no step is under way. */
  async idle(): Promise<void> {
    for (;;) {
      const steps = [...this.#tracked.values()].flatMap(({ stepping }) => stepping ?? []);
      if (this.#sweep.running !== null) steps.push(this.#sweep.running);
      if (steps.length === 0) return;
      await Promise.all(steps);
    }
  }

  /** What people see of it now; `idle` for one that is not watched. */
  state(sessionId: SessionId): SessionState {
    return this.#tracked.get(sessionId)?.shown ?? { kind: 'idle' };
  }

  /** For metrics: sessions watched, containers there, sessions that wait for a place. */
  counts(): { watched: number; places: number; waiting: number } {
    return { watched: this.#tracked.size, places: this.#places.held, waiting: this.#places.waiting };
  }

  /** Finishes the steps under way. Containers go on: the next host adopts them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#silence?.();
    this.#wakeups.close();
    this.#sweep.close();
    this.#engine.close();
    await this.idle();
  }

  #track(sessionId: SessionId): Tracked {
    let tracked = this.#tracked.get(sessionId);
    if (tracked === undefined) {
      tracked = new Tracked(sessionId, this.#options.clock.now());
      this.#tracked.set(sessionId, tracked);
    }
    return tracked;
  }

  #replan(sessionId: SessionId): void {
    const tracked = this.#tracked.get(sessionId);
    if (tracked !== undefined) this.#run(tracked);
  }

  #lookAt(tracked: Tracked): void {
    // An adopted container holds its place from here on, not only once its first step is over.
    if (tracked.container !== null) this.#places.take(tracked.sessionId);
    tracked.mustInspect = true;
    this.#run(tracked);
  }

  /** Takes steps until there is nothing to do now. A call during the steps adds a round (I1). */
  #run(tracked: Tracked): void {
    tracked.again = true;
    if (tracked.stepping !== null || this.#isClosed) return;
    tracked.stepping = this.#rounds(tracked);
  }

  async #rounds(tracked: Tracked): Promise<void> {
    while (tracked.again && !this.#isClosed) {
      tracked.again = false;
      await this.#round(tracked);
    }
    // Without a wait since the last look at `again`: nobody can have rung in between.
    tracked.stepping = null;
    this.#leave(tracked);
  }

  async #round(tracked: Tracked): Promise<void> {
    try {
      await this.#takeSteps(tracked);
    } catch (error) {
      if (error instanceof DriverFault && error.kind === 'engine-away') {
        // The next round plans without the engine.
        tracked.again = true;
        tracked.mustInspect = true;
        this.#loseEngine(error);
        return;
      }
      // A fault of the world or a bug: this session tries again, the others go on.
      const { log, clock, policy } = this.#options;
      const level = error instanceof Fault && error.retryable ? 'warn' : 'error';
      log[level]({ sessionId: tracked.sessionId, err: error }, 'a step failed');
      tracked.mustInspect = true;
      this.#wakeups.set(tracked.sessionId, epochMs(clock.now() + policy.lookAgainMs));
    }
  }

  async #takeSteps(tracked: Tracked): Promise<void> {
    const { sessions, clock } = this.#options;
    // What the container said earlier is no ground for a new decision.
    tracked.liveness = null;
    for (let step = 0; step < MAX_STEPS; step++) {
      if (this.#isClosed) return;
      if (tracked.mustInspect && !this.#engine.isAway) await this.#apply.inspect(tracked);
      const facts = this.#load(tracked);
      if (facts === null) return;
      const plan = planRuntime(
        this.#desire(tracked, facts),
        tracked.observe(facts.record, this.#isListed),
        clock.now(),
      );
      tracked.noteSuspicion(plan, clock.now());
      switch (plan.kind) {
        case 'look':
          tracked.hear(await sessions.readLiveness(tracked.sessionId), clock.now());
          this.#noteHealth(tracked, facts);
          break;
        case 'wait':
        case 'rest':
          this.#pauseSteps(tracked, facts, plan);
          return;
        default:
          if (plan.kind === 'start') this.#places.take(tracked.sessionId);
          await this.#apply.apply(tracked, facts, plan);
          // A run that ended is judged by what it left; a live one is asked anew.
          if (tracked.container !== null) tracked.liveness = null;
          if (plan.kind === 'recover' || plan.kind === 'remove') tracked.liveness = null;
          if (plan.kind === 'recover' && isSettled(facts.record))
            this.#options.onState(tracked.sessionId, tracked.shown);
      }
    }
    throw new Error(`${MAX_STEPS} steps in a row: the plan and its effect go in a circle`);
  }

  /** Null when the session is gone and nothing of it is known; one that goes while it is watched has ended. */
  #load(tracked: Tracked): SessionFacts | null {
    const facts = this.#options.sessions.load(tracked.sessionId);
    if (facts !== null) tracked.facts = facts;
    else if (tracked.facts !== null) tracked.facts = { ...tracked.facts, ended: true };
    return tracked.facts;
  }

  #desire(tracked: Tracked, facts: SessionFacts): Desired {
    const { clock, policy, memoryPressure } = this.#options;
    return {
      facts,
      hasPlace: !this.#isDraining && this.#places.has(tracked.sessionId),
      makeRoom: this.#places.isRoomWanted(),
      memoryPressure: memoryPressure?.() ?? false,
      stopRequest: tracked.stopRequest,
      halfCommit: tracked.halfCommit,
      engine: this.#engine.describe(clock.now()),
      policy,
    };
  }

  #pauseSteps(tracked: Tracked, facts: SessionFacts, plan: Extract<RuntimePlan, { kind: 'wait' | 'rest' }>): void {
    const { sessionId } = tracked;
    if (plan.kind === 'wait') this.#wakeups.set(sessionId, plan.untilMs);
    else this.#wakeups.delete(sessionId);
    if (plan.kind === 'wait' && plan.why === 'room' && !this.#isDraining) {
      this.#places.wait(sessionId, facts.agentGroupId);
      this.#askForRoom();
    } else this.#places.stopWaiting(sessionId);
    const container = tracked.container ?? { kind: 'absent' };
    this.#show(tracked, describeState(facts, container, plan, this.#engine.reason, this.#options.policy));
  }

  /** A run that reached idle has proved itself. */
  #noteHealth(tracked: Tracked, { record }: SessionFacts): void {
    if (!tracked.seemsIdle || record.failures === 0 || tracked.container?.kind !== 'running') return;
    this.#options.sessions.save(tracked.sessionId, { ...record, failures: 0 });
  }

  #show(tracked: Tracked, state: SessionState): void {
    if (JSON.stringify(state) === JSON.stringify(tracked.shown)) return;
    tracked.shown = state;
    this.#options.onState(tracked.sessionId, state);
  }

  /** After the steps: gives up a place that is not used, and forgets a session that needs nothing. */
  #leave(tracked: Tracked): void {
    if (this.#isClosed) return;
    const { sessionId, container, facts } = tracked;
    if (container !== null) this.#places.take(sessionId);
    else if (facts === null || isSettled(facts.record)) {
      this.#places.release(sessionId);
      if (!this.#wakeups.has(sessionId)) {
        this.#places.stopWaiting(sessionId);
        this.#tracked.delete(sessionId);
      }
    }
    for (let next = this.#nextInLine(); next !== null; next = this.#nextInLine()) this.#run(this.#track(next));
    if (this.#places.held > 0) this.#sweep.arm();
  }

  #nextInLine(): SessionId | null {
    return this.#isDraining ? null : this.#places.grantNext();
  }

  /** Asks the likeliest holder of a place to plan anew. */
  #askForRoom(): void {
    const victim = this.#places.isRoomWanted() ? this.#places.chooseVictim() : null;
    if (victim !== null) this.#replan(victim);
  }

  #hear(event: DriverEvent): void {
    if (this.#isClosed) return;
    if (event.kind === 'resync') {
      // Before the first list there is nothing to compare.
      if (this.#isListed) void this.#sweep.now();
      return;
    }
    const tracked = this.#tracked.get(event.sessionId);
    if (event.kind === 'die' && tracked?.container?.id === event.containerId) this.#lookAt(tracked);
  }

  #loseEngine(fault: DriverFault): void {
    if (!this.#engine.lose(fault.message, fault.hint)) return;
    for (const each of this.#tracked.values()) this.#run(each);
  }

  /** At start, and when the engine is back: learn what is there, then go on with what is open. */
  async #takeUp(): Promise<void> {
    await this.#sweep.now();
    if (this.#isClosed) return;
    for (const id of this.#options.sessions.listTracked()) this.#track(id);
    for (const each of this.#tracked.values()) this.#run(each);
  }

  #swept(): void {
    this.#isListed = true;
    if (this.#places.held === 0) return;
    this.#sweep.arm();
    // Frozen containers plan nothing for a long time: someone must tell them that memory is short.
    const victim = this.#options.memoryPressure?.() ? this.#places.chooseVictim() : null;
    if (victim !== null) this.#replan(victim);
  }
}
