/**
 * A random life: messages, runners that work, crash, hang and forget, hosts that are killed in the middle
 * of a step, an engine that goes away. Whatever happened, once it is over all work gets done and nothing
 * is left behind.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../host/runtime/policy.ts';
import { Runtime } from '../../../host/runtime/runtime.ts';
import { epochMs, makeId, type SessionId } from '../../../shared/ids.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeDriver, FakeEngine } from './fake-driver.ts';
import { FakeSessions } from './fake-sessions.ts';
import { makeSilentLog } from './silent-log.ts';

const PLACES = 2;
const SESSIONS = 4;
const KILLABLE = ['start', 'pause', 'resume', 'stop', 'remove'] as const;

const index = fc.nat(SESSIONS - 1);
const event = fc.oneof(
  fc.record({ kind: fc.constant('receive' as const), index, rings: fc.nat(2) }),
  fc.record({ kind: fc.constant('work' as const), index }),
  fc.record({ kind: fc.constant('crash' as const), index, exitCode: fc.constantFrom(0, 1, 137) }),
  fc.record({ kind: fc.constant('vanish' as const), index }),
  fc.record({ kind: fc.constant('configure' as const), index }),
  fc.record({ kind: fc.constant('lock' as const), index, free: fc.boolean() }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 1_000, 5_000, 15_000, 70_000, 900_000) }),
  fc.record({ kind: fc.constant('engine' as const), away: fc.boolean() }),
  fc.record({ kind: fc.constant('fail' as const), action: fc.constantFrom(...KILLABLE) }),
  fc.record({ kind: fc.constant('killHost' as const), during: fc.option(fc.constantFrom(...KILLABLE), { nil: null }) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine(
    () => this.clock.now(),
    (ms) => new Promise((resolve) => void this.clock.at(epochMs(this.clock.now() + ms), resolve)),
  );
  readonly installId = makeId('install');
  readonly sessions = new FakeSessions(this.installId, () => this.clock.now());
  readonly log = makeSilentLog();
  readonly ids: SessionId[] = Array.from({ length: SESSIONS }, () => this.sessions.add());
  runtime = this.#makeRuntime();

  async start(): Promise<void> {
    await this.runtime.start();
    await settle();
  }

  async live(what: Event): Promise<void> {
    const id = 'index' in what ? (this.ids[what.index] as SessionId) : (this.ids[0] as SessionId);
    const container = this.engine.ofSession(id);
    switch (what.kind) {
      case 'receive':
        this.sessions.receive(id);
        for (let ring = 0; ring < what.rings; ring++) this.runtime.wake(id);
        break;
      case 'work':
        this.work(id);
        break;
      case 'crash':
        if (container !== null && container.state !== 'exited') this.engine.die(container.id, what.exitCode);
        break;
      case 'vanish':
        if (container !== null) this.engine.containers.delete(container.id);
        break;
      case 'configure':
        this.sessions.change(id, { configVersion: this.sessions.get(id).facts.configVersion + 1 });
        break;
      case 'lock':
        this.sessions.get(id).locksFree = what.free;
        break;
      case 'pass':
        await this.clock.advance(what.ms);
        break;
      case 'engine':
        this.engine.away = what.away;
        break;
      case 'fail':
        this.engine.failNext.push({ action: what.action, kind: 'engine-refused' });
        break;
      case 'killHost':
        await this.#killHost(what.during);
        break;
    }
    await settle();
  }

  /** What a runner does when it looks: says hello, claims, finishes. */
  work(id: SessionId): void {
    if (this.engine.ofSession(id)?.state !== 'running') return;
    const { live, facts } = this.sessions.get(id);
    if (live.helloMs === null || live.helloMs < (this.engine.ofSession(id)?.startedAtMs ?? 0)) this.sessions.hello(id);
    else if (facts.hasDueWork) this.sessions.claim(id);
    else if (live.idleSinceMs === null) this.sessions.finish(id);
    else this.sessions.beat(id);
  }

  check(): void {
    const own = [...this.engine.containers.values()];
    expect(new Set(own.map(({ spec }) => spec.sessionId)).size).toBe(own.length);
    expect(own.length).toBeLessThanOrEqual(PLACES);
    expect(this.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }

  /** Everything is well again: runners work every second for a long time. */
  async heal(): Promise<void> {
    this.engine.away = false;
    this.engine.failNext.splice(0);
    for (const id of this.ids) {
      this.sessions.get(id).locksFree = true;
      // The host's own start, or its timer of due rows, tells of what was never rung for.
      this.runtime.wake(id);
    }
    for (let second = 0; second < 40 * 60; second += 5) {
      for (const id of this.ids) this.work(id);
      await this.clock.advance(5_000);
      this.check();
    }
  }

  #makeRuntime(): Runtime {
    return new Runtime({
      driver: new FakeDriver(this.engine, this.installId),
      ...{ sessions: this.sessions, policy: DEFAULT_POLICY, maxRunning: PLACES, clock: this.clock, log: this.log },
      onState: () => {},
    });
  }

  /** Without a word: what it was doing never goes on, and what it had not stored is lost. */
  async #killHost(during: string | null): Promise<void> {
    if (during !== null) {
      this.engine.gate = (action) => (action === during ? new Promise<void>(() => {}) : undefined);
      for (const id of this.ids) this.runtime.wake(id);
      await this.clock.advance(20_000);
      this.engine.gate = null;
    }
    this.clock.forgetTimers();
    this.engine.listeners.clear();
    this.runtime = this.#makeRuntime();
    await this.runtime.start();
  }
}

test('whatever happens, all work is done in the end and nothing is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const world = new World();
      await world.start();
      for (const each of events) {
        await world.live(each);
        world.check();
      }
      await world.heal();
      for (const id of world.ids) {
        const { facts, live } = world.sessions.get(id);
        expect(facts).toMatchObject({ hasDueWork: false, nextDueMs: null, record: { state: 'absent', failures: 0 } });
        expect(live.openClaims).toBe(0);
      }
      expect(world.engine.containers.size).toBe(0);
      expect(world.runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
      await world.clock.advance(60_000);
      expect(world.clock.pending).toBe(0);
    }),
    { numRuns: 60, timeout: 20_000 },
  );
}, 120_000);
