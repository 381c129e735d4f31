/**
 * Containers in memory. A `FakeEngine` stands for the Docker Engine: it outlives driver objects, and tests
 * break it. Passes the drivers' contract suite.
 */
import {
  type Availability,
  type ContainerDriver,
  type ContainerSpec,
  type DriverEvent,
  DriverFault,
  type DriverFaultKind,
  type ListedContainer,
  type ObservedContainer,
  type StartedContainer,
} from '../../../host/runtime/drivers/driver.ts';
import { type ContainerId, epochMs, type InstallId, parseContainerId, type SessionId } from '../../../shared/ids.ts';

/** What the program of a fake container does, from the first word of the spec's command. */
type Program = 'obey' | 'ignore-term' | 'exit';

interface FakeContainer {
  id: ContainerId;
  spec: ContainerSpec;
  state: ListedContainer['state'];
  startedAtMs: number;
  exitCode: number | null;
  outOfMemory: boolean;
  program: Program;
  /** What the program would have counted; see the contract suite. */
  ticks: number;
}

export class FakeEngine {
  readonly containers = new Map<ContainerId, FakeContainer>();
  readonly listeners = new Map<(event: DriverEvent) => void, InstallId>();
  /** Every action that changed something, in order: `start ses_…`. */
  readonly actions: string[] = [];
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  away = false;
  /** Faults of the next actions of this name. */
  readonly failNext: { action: string; kind: DriverFaultKind }[] = [];
  /** Awaited in front of an action, to hold it in the middle. */
  gate: ((action: string, sessionId: SessionId) => Promise<void> | undefined) | null = null;
  recovered = 0;
  #nextId = 1;

  constructor(now: () => number = () => Date.now(), sleep: (ms: number) => Promise<void> = async () => {}) {
    this.now = now;
    this.sleep = sleep;
  }

  create(spec: ContainerSpec, program: Program, exitCode: number): FakeContainer {
    const id = parseContainerId(`fake-${this.#nextId++}`);
    if (id === null) throw new Error('the shape of a container id changed');
    const made: FakeContainer = {
      ...{ id, spec, program, exitCode, state: 'running', outOfMemory: false, ticks: 0 },
      startedAtMs: this.now(),
    };
    this.containers.set(id, made);
    return made;
  }

  /** The program ends by itself. */
  die(id: ContainerId, exitCode: number, outOfMemory = false): void {
    const container = this.containers.get(id);
    if (container === undefined) throw new Error('no such container');
    Object.assign(container, { state: 'exited', exitCode, outOfMemory });
    this.ring({ kind: 'die', sessionId: container.spec.sessionId, containerId: id }, container.spec.installId);
  }

  ofSession(sessionId: SessionId): FakeContainer | null {
    for (const container of this.containers.values()) if (container.spec.sessionId === sessionId) return container;
    return null;
  }

  ring(event: DriverEvent, installId: InstallId): void {
    for (const [listener, install] of this.listeners) if (install === installId) listener(event);
  }
}

export class FakeDriver implements ContainerDriver {
  readonly name = 'fake';
  readonly #engine: FakeEngine;
  readonly #installId: InstallId;

  constructor(engine: FakeEngine, installId: InstallId) {
    this.#engine = engine;
    this.#installId = installId;
  }

  async available(): Promise<Availability> {
    return this.#engine.away
      ? { kind: 'away', reason: 'the fake engine is away', hint: 'bring it back' }
      : { kind: 'available' };
  }

  async list(): Promise<ListedContainer[]> {
    await this.#enter('list', null);
    return [...this.#engine.containers.values()]
      .filter(({ spec }) => spec.installId === this.#installId)
      .map(({ id, spec, state, startedAtMs }) => ({
        ...{ id, state, startedAtMs: epochMs(startedAtMs) },
        ...{ sessionId: spec.sessionId, epoch: spec.epoch, configVersion: spec.configVersion, image: spec.image },
      }));
  }

  async start(spec: ContainerSpec): Promise<StartedContainer> {
    await this.#enter('start', spec.sessionId);
    if (!(spec.user.uid > 0 && spec.user.gid > 0)) throw new DriverFault('bad-spec', 'root was asked for');
    if ((spec.folders ?? []).length > 0) throw new DriverFault('bad-spec', 'a fake has no mounts');
    if (this.#engine.ofSession(spec.sessionId) !== null) throw new DriverFault('name-conflict', 'one exists');
    const [program, code] = spec.command ?? ['obey'];
    const made = this.#engine.create(spec, toProgram(program), 0);
    this.#engine.ring({ kind: 'start', sessionId: spec.sessionId, containerId: made.id }, this.#installId);
    if (made.program === 'exit') this.#engine.die(made.id, Number(code));
    return { id: made.id, startedAtMs: epochMs(made.startedAtMs) };
  }

  async pause(id: ContainerId): Promise<void> {
    const container = await this.#expect('pause', id, 'running');
    container.state = 'paused';
  }

  async resume(id: ContainerId): Promise<void> {
    const container = await this.#expect('resume', id, 'paused');
    container.state = 'running';
  }

  async stop(id: ContainerId, graceMs: number): Promise<void> {
    const container = await this.#find('stop', id);
    if (container === null || container.state === 'exited') return;
    if (container.program === 'ignore-term') {
      await this.#engine.sleep(graceMs);
      await this.kill(id);
    } else this.#engine.die(id, 0);
  }

  async kill(id: ContainerId): Promise<void> {
    const container = await this.#find('kill', id);
    if (container !== null && container.state !== 'exited') this.#engine.die(id, 137);
  }

  async remove(id: ContainerId): Promise<void> {
    const container = await this.#find('remove', id);
    if (container === null) return;
    if (container.state !== 'exited') this.#engine.die(id, 137);
    this.#engine.containers.delete(id);
  }

  async inspect(id: ContainerId): Promise<ObservedContainer> {
    await this.#enter('inspect', null);
    const container = this.#own(id);
    if (container === null) return { kind: 'absent' };
    const { state, exitCode, outOfMemory } = container;
    const startedAtMs = epochMs(container.startedAtMs);
    switch (state) {
      case 'created':
        return { kind: 'created' };
      case 'running':
      case 'paused':
        return { kind: state, startedAtMs };
      case 'exited':
        return { kind: 'exited', exitCode, outOfMemory };
    }
  }

  events(listener: (event: DriverEvent) => void): () => void {
    this.#engine.listeners.set(listener, this.#installId);
    queueMicrotask(() => listener({ kind: 'resync' }));
    return () => {
      this.#engine.listeners.delete(listener);
    };
  }

  async recover(spec: ContainerSpec): Promise<void> {
    await this.#enter('recover', spec.sessionId);
    if (this.#engine.ofSession(spec.sessionId) !== null) throw new DriverFault('name-conflict', 'one exists');
    this.#engine.recovered++;
  }

  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #own(id: ContainerId): FakeContainer | null {
    const container = this.#engine.containers.get(id);
    return container !== undefined && container.spec.installId === this.#installId ? container : null;
  }

  async #find(action: string, id: ContainerId): Promise<FakeContainer | null> {
    await this.#enter(action, this.#own(id)?.spec.sessionId ?? null);
    return this.#own(id);
  }

  async #expect(action: string, id: ContainerId, state: ListedContainer['state']): Promise<FakeContainer> {
    const container = await this.#find(action, id);
    if (container === null || container.state !== state) throw new DriverFault('gone', `cannot ${action}`);
    return container;
  }

  async #enter(action: string, sessionId: SessionId | null): Promise<void> {
    // Without a gate there is no wait: tests see at once that the engine was called.
    const held = sessionId === null ? undefined : this.#engine.gate?.(action, sessionId);
    if (held !== undefined) await held;
    if (this.#engine.away) throw new DriverFault('engine-away', 'the fake engine is away');
    const at = this.#engine.failNext.findIndex((fault) => fault.action === action);
    const [fault] = at === -1 ? [] : this.#engine.failNext.splice(at, 1);
    if (fault !== undefined) throw new DriverFault(fault.kind, `the fake engine failed to ${action}`);
    if (sessionId !== null) this.#engine.actions.push(`${action} ${sessionId}`);
  }
}

function toProgram(word: string | undefined): Program {
  if (word === 'obey' || word === 'ignore-term' || word === 'exit') return word;
  throw new DriverFault('bad-spec', `a fake container has no program ${word}`);
}
