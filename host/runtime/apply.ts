/**
 * Does one step of a plan, and decides nothing. Each step is stored before it is done (start, stop) or
 * after (the rest), so that a host that dies in between finds what it must look at; and each looks
 * afterwards whether it had its effect.
 */
import type { EpochMs } from '../../shared/ids.ts';
import { epochMs } from '../../shared/ids.ts';
import { assertNever, Fault } from '../config/errors.ts';
import { planAdoption } from './adoption.ts';
import { type ContainerDriver, DriverFault } from './drivers/driver.ts';
import type { RunOutcome, RuntimePlan } from './facts.ts';
import type { RuntimePolicy } from './policy.ts';
import type { RuntimeClock, RuntimeLog, RuntimeRecord, RuntimeSessions, SessionFacts } from './ports.ts';
import type { StopReason } from './reasons.ts';
import { pauseSafely } from './safe-pause.ts';
import type { Tracked } from './tracked.ts';

export interface ApplyParts {
  driver: ContainerDriver;
  sessions: RuntimeSessions;
  clock: RuntimeClock;
  policy: RuntimePolicy;
  log: RuntimeLog;
  /** A state in the middle of a step was stored. */
  onRecord: (tracked: Tracked, record: RuntimeRecord) => void;
  /** The engine did not answer. */
  onEngineAway: (fault: DriverFault) => void;
}

type Step = Exclude<RuntimePlan, { kind: 'look' } | { kind: 'wait' } | { kind: 'rest' }>;

export class Apply {
  readonly #parts: ApplyParts;

  constructor(parts: ApplyParts) {
    this.#parts = parts;
  }

  /** Throws DriverFault when the step failed in a way that says nothing about the run: it is tried again. */
  async apply(tracked: Tracked, facts: SessionFacts, plan: Step): Promise<void> {
    switch (plan.kind) {
      case 'start':
        return this.#start(tracked, facts.record);
      case 'pause':
        return this.#pause(tracked, facts.record);
      case 'resume':
        return this.#resume(tracked, facts.record);
      case 'stop':
        return this.#stop(tracked, facts.record, plan.reason, plan.graceMs);
      case 'remove':
        return this.#remove(tracked);
      case 'recover':
        return this.#recover(tracked, facts.record);
      case 'requeue':
        return this.#requeue(tracked, plan.reason);
      case 'settle':
        return this.#settle(tracked, facts.record, plan.outcome);
      default:
        return assertNever(plan);
    }
  }

  /** Asks the driver what has become of the container. */
  async inspect(tracked: Tracked): Promise<void> {
    const { container } = tracked;
    if (container === null) return;
    const observed = await this.#parts.driver.inspect(container.id);
    tracked.see(container.id, observed, 'configVersion' in container ? container.configVersion : 0, this.#now());
  }

  async #start(tracked: Tracked, record: RuntimeRecord): Promise<void> {
    const { sessions, driver, log } = this.#parts;
    const { sessionId } = tracked;
    const began = this.#now();
    tracked.beginRun(began);
    const starting = this.#save(tracked, record, { state: 'starting', epoch: record.epoch + 1, containerId: null });
    const prepared = await sessions.prepare(sessionId, starting.epoch);
    if (prepared.kind === 'later') {
      tracked.startFault = { reason: 'no-image-yet', retryable: true };
      return;
    }
    if (prepared.kind === 'refused') {
      log.warn({ sessionId, reason: prepared.reason }, 'a session could not be prepared');
      tracked.startFault = { reason: prepared.failure, retryable: true };
      return;
    }
    const { spec } = prepared;
    tracked.spec = spec;
    try {
      const { id, startedAtMs } = await driver.start(spec);
      tracked.see(id, { kind: 'running', startedAtMs }, spec.configVersion, this.#now());
      this.#save(tracked, starting, { state: 'running', containerId: id });
      log.info({ sessionId, epoch: spec.epoch, tookMs: this.#now() - began }, 'container started');
      await this.inspect(tracked);
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      if (tracked.container !== null) throw error;
      await this.#noteStartFault(tracked, starting, error);
    }
  }

  async #noteStartFault(tracked: Tracked, record: RuntimeRecord, fault: DriverFault): Promise<void> {
    const { sessionId } = tracked;
    this.#parts.log.warn({ sessionId, err: fault, kind: fault.kind, hint: fault.hint }, 'container not started');
    if (fault.kind === 'engine-away') this.#parts.onEngineAway(fault);
    if (fault.kind === 'name-conflict' && (await this.#clearTheWay(tracked, record))) return;
    const reason = fault.kind === 'gone' ? 'engine-refused' : fault.kind;
    tracked.startFault = { reason, retryable: fault.retryable };
  }

  /** Removes own containers of earlier runs of this session. True when there was one: the next try can do. */
  async #clearTheWay({ sessionId }: Tracked, record: RuntimeRecord): Promise<boolean> {
    const { driver, log } = this.#parts;
    let removed = false;
    for (const listed of await driver.list()) {
      if (listed.sessionId !== sessionId) continue;
      const verdict = planAdoption(listed, record);
      if (verdict.kind !== 'remove') continue;
      log.warn({ sessionId, container: listed.id, why: verdict.why }, 'a container was in the way');
      await driver.remove(listed.id);
      removed = true;
    }
    return removed;
  }

  async #pause(tracked: Tracked, record: RuntimeRecord): Promise<void> {
    const { clock, policy, log } = this.#parts;
    const outcome = await pauseSafely(this.#parts, tracked);
    await this.inspect(tracked);
    switch (outcome.kind) {
      case 'paused':
        tracked.trustPause();
        if (tracked.container?.kind === 'paused') this.#save(tracked, record, { state: 'paused' });
        return;
      case 'called-off':
        tracked.pauseAgainMs = epochMs(clock.now() + policy.quietMs);
        return;
      case 'unsafe':
        log.debug({ sessionId: tracked.sessionId }, 'not frozen: a lock was held, or the engine could not');
        tracked.pauseAgainMs = epochMs(clock.now() + policy.pauseAgainMs);
        return;
      default:
        assertNever(outcome);
    }
  }

  async #resume(tracked: Tracked, record: RuntimeRecord): Promise<void> {
    const { container } = tracked;
    if (container === null) return;
    await this.#parts.driver.resume(container.id);
    this.#save(tracked, record, { state: 'running' });
    await this.inspect(tracked);
  }

  async #stop(tracked: Tracked, record: RuntimeRecord, reason: StopReason, graceMs: number): Promise<void> {
    const { container, sessionId } = tracked;
    if (container === null) return;
    this.#parts.log.info({ sessionId, reason }, 'container is being stopped');
    if (record.state !== 'stopping') {
      const sinceMs = (reason === 'stopped' ? tracked.stopAskedMs : null) ?? this.#now();
      this.#save(tracked, record, { state: 'stopping', reason, sinceMs });
    }
    await this.#parts.driver.stop(container.id, graceMs);
    await this.inspect(tracked);
  }

  async #remove(tracked: Tracked): Promise<void> {
    const { container } = tracked;
    if (container?.kind !== 'exited') return;
    await this.#parts.driver.remove(container.id);
    tracked.exit = { exitCode: container.exitCode, outOfMemory: container.outOfMemory };
    await this.inspect(tracked);
  }

  async #recover(tracked: Tracked, record: RuntimeRecord): Promise<void> {
    const { sessions, driver, log } = this.#parts;
    const { sessionId } = tracked;
    if (tracked.spec === null) {
      const prepared = await sessions.prepare(sessionId, record.epoch);
      tracked.spec = prepared.kind === 'ready' ? prepared.spec : null;
    }
    tracked.recovered = true;
    tracked.halfCommit = false;
    if (tracked.spec === null) return;
    try {
      await driver.recover(tracked.spec);
      log.info({ sessionId }, 'half a commit was rolled back');
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      if (error.kind === 'engine-away') {
        tracked.recovered = false;
        throw error;
      }
      log.warn({ sessionId, err: error }, 'half a commit was not rolled back');
    }
  }

  async #requeue(tracked: Tracked, reason: string): Promise<void> {
    tracked.requeued = true;
    try {
      await this.#parts.sessions.requeueClaims(tracked.sessionId, reason, this.#now());
    } catch (error) {
      // Its claims are not known yet: asked again, or nobody would take them back.
      if (error instanceof Fault && error.code === 'reader_unavailable') tracked.requeued = false;
      throw error;
    }
  }

  async #settle(tracked: Tracked, record: RuntimeRecord, outcome: RunOutcome): Promise<void> {
    const { log, policy } = this.#parts;
    const { sessionId, exit } = tracked;
    tracked.startFault = null;
    tracked.stopRequest = null;
    if (outcome.kind === 'ended') {
      // When somebody stopped it stays known: what was there by then starts no other run (I7 of the plan).
      const isStopped = record.state === 'stopping' && record.reason === 'stopped';
      const since = isStopped ? { reason: 'stopped', sinceMs: record.sinceMs } : { reason: null };
      this.#save(tracked, record, { state: 'absent', containerId: null, ...since });
      return;
    }
    const counted = record.failures + 1;
    const failures = outcome.final ? Math.max(counted, policy.maxFailures) : counted;
    log.warn({ sessionId, reason: outcome.reason, failures, exit }, 'a run failed');
    this.#save(tracked, record, { state: 'failed', containerId: null, failures, reason: outcome.reason });
  }

  #save(tracked: Tracked, record: RuntimeRecord, changes: Partial<RuntimeRecord>): RuntimeRecord {
    const reason = changes.state === 'running' ? null : record.reason;
    const next: RuntimeRecord = { ...record, reason, sinceMs: this.#now(), ...changes };
    this.#parts.sessions.save(tracked.sessionId, next);
    this.#parts.onRecord(tracked, next);
    return next;
  }

  #now(): EpochMs {
    return this.#parts.clock.now();
  }
}
