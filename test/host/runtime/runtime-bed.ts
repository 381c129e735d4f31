/** A runtime on a fake clock, engine and sessions, and what its tests do with them. */
import { expect } from 'vitest';
import { DEFAULT_POLICY, type RuntimePolicy } from '../../../host/runtime/policy.ts';
import type { SessionState } from '../../../host/runtime/ports.ts';
import { Runtime } from '../../../host/runtime/runtime.ts';
import { epochMs, makeId, type SessionId } from '../../../shared/ids.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeDriver, FakeEngine } from './fake-driver.ts';
import { FakeSessions } from './fake-sessions.ts';
import { makeSilentLog } from './silent-log.ts';

export const policy: RuntimePolicy = DEFAULT_POLICY;

export class RuntimeBed {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine(
    () => this.clock.now(),
    (ms) => new Promise((resolve) => void this.clock.at(epochMs(this.clock.now() + ms), resolve)),
  );
  readonly installId = makeId('install');
  readonly sessions = new FakeSessions(this.installId, () => this.clock.now());
  readonly states: [SessionId, SessionState][] = [];
  readonly log = makeSilentLog();
  /** The machine is short of memory. */
  pressure = false;
  runtime = this.makeRuntime();

  /** One that has begun. */
  static async start(): Promise<RuntimeBed> {
    const bed = new RuntimeBed();
    await bed.runtime.start();
    await settle();
    return bed;
  }

  /** Fails when anything was logged as an error. */
  async end(): Promise<void> {
    await this.runtime[Symbol.asyncDispose]();
    expect(this.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }

  makeRuntime(maxRunning = 8): Runtime {
    return new Runtime({
      driver: new FakeDriver(this.engine, this.installId),
      sessions: this.sessions,
      policy,
      maxRunning,
      clock: this.clock,
      log: this.log,
      onState: (id, state) => this.states.push([id, state]),
      memoryPressure: () => this.pressure,
    });
  }

  /** The host dies and starts anew: nothing but the engine and the stored records is left. */
  async restart(maxRunning = 8): Promise<void> {
    await this.runtime[Symbol.asyncDispose]();
    this.runtime = this.makeRuntime(maxRunning);
    await this.runtime.start();
    await settle();
  }

  /** What people saw of it, in order. */
  kinds(id: SessionId): SessionState['kind'][] {
    return this.states.filter(([each]) => each === id).map(([, state]) => state.kind);
  }

  containerOf(id: SessionId) {
    const found = this.engine.ofSession(id);
    if (found === null) throw new Error('the session has no container');
    return found;
  }

  /** What the engine was asked to do with it, in order. */
  actionsOf(id: SessionId) {
    return this.engine.actions.filter((action) => action.endsWith(id)).map((action) => action.split(' ')[0]);
  }

  /** A session whose runner came up, worked, and is idle now. */
  async startIdle(id = this.sessions.add()): Promise<SessionId> {
    this.sessions.receive(id);
    this.runtime.wake(id);
    await settle();
    this.sessions.hello(id);
    this.sessions.finish(id);
    return id;
  }

  async startPaused(id = this.sessions.add()): Promise<SessionId> {
    await this.startIdle(id);
    await this.clock.advance(policy.pauseAfterMs + policy.lookAgainMs + policy.quietMs);
    expect(this.containerOf(id).state).toBe('paused');
    return id;
  }

  /** A session whose runner works on a message. */
  async startBusy(id = this.sessions.add()): Promise<SessionId> {
    this.sessions.receive(id);
    this.runtime.wake(id);
    await settle();
    this.sessions.hello(id);
    this.sessions.claim(id);
    return id;
  }
}
