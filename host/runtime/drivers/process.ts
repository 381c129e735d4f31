/**
 * Containers that are plain child processes: for development and fast tests. They are held in by
 * nothing: never chosen silently for a provider that can run tools.
 *
 * I1. Each run is a process group of its own; signals go to the group, so that helpers freeze and end too.
 * I2. No signal goes out before the pid is known to be still the same process (pid and start time).
 * I3. A run outlives this object and the host: detached, and its output goes to a file.
 * I4. No run without a record: its program begins when the record names its process. Else a host that died
 *     between the two would leave a run that nobody knows, beside the one that the next host starts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerId, epochMs, type InstallId } from '../../../shared/ids.ts';
import { FILE_NAMES, RUNNER_ENV } from '../../../shared/session-files.ts';
import { errorCode } from '../../config/errors.ts';
import {
  type Availability,
  type ContainerDriver,
  type ContainerSpec,
  type DriverEvent,
  DriverFault,
  KILL_VERIFY_MS,
  type ListedContainer,
  type ObservedContainer,
  RECOVER_DEADLINE_MS,
  recoveryProgram,
  type StartedContainer,
} from './driver.ts';
import { type ProcessRecord, ProcessRecords, readProcessStat, runId } from './process-record.ts';

/** How often a signal's effect is looked for. Higher: slower pause and stop. Lower: load. */
const EFFECT_POLL_MS = 2;
/** A stop signal shows in /proc within microseconds. */
const FREEZE_DEADLINE_MS = 1_000;
/** How often runs of an earlier host are looked at: nobody tells when they end. */
const ADOPTED_POLL_MS = 200;

export interface ProcessDriverOptions {
  installId: InstallId;
  /** The host's data folder; records go to `processes/` in it. */
  home: string;
  /** The runner's program, when a spec names no command. */
  runnerPath: string;
}

export class ProcessDriver implements ContainerDriver {
  readonly name = 'process';
  readonly #options: ProcessDriverOptions;
  readonly #records: ProcessRecords;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  /** Runs started here, until their end was seen and noted. */
  readonly #ending = new Map<ContainerId, Promise<void>>();
  readonly #adopted = new Map<ContainerId, ProcessRecord>();
  #poll: NodeJS.Timeout | null = null;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
    const folder = join(options.home, 'processes');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#records = new ProcessRecords(folder);
  }

  async available(): Promise<Availability> {
    return { kind: 'available' };
  }

  async list(): Promise<ListedContainer[]> {
    return this.#records.list(this.#options.installId).map((record) => {
      const state = stateOf(record);
      const id = runId(record);
      if ((state === 'running' || state === 'paused') && !this.#ending.has(id)) this.#adopt(record);
      const { sessionId, epoch, configVersion, image } = record;
      return { id, sessionId, epoch, configVersion, state, image, startedAtMs: epochMs(record.startedAtMs) };
    });
  }

  async start(spec: ContainerSpec): Promise<StartedContainer> {
    checkSpec(spec);
    const startedAtMs = epochMs();
    const { sessionId, installId, epoch, configVersion, image } = spec;
    const made: ProcessRecord = {
      version: 1,
      ...{ sessionId, installId, epoch, configVersion, image, startedAtMs },
      process: null,
      exit: null,
    };
    this.#records.create(made);
    let child: ChildProcess | null = null;
    try {
      child = this.#spawn(spec);
      await spawned(child);
      const record = { ...made, process: identify(child) };
      this.#records.replace(record);
      child.stdin?.end('go\n');
      const id = runId(record);
      this.#watch(child, record);
      this.#ring({ kind: 'start', sessionId, containerId: id });
      return { id, startedAtMs };
    } catch (error) {
      // Not let go: it ends.
      child?.stdin?.destroy();
      this.#records.remove(sessionId);
      throw toFault(error);
    }
  }

  async pause(id: ContainerId): Promise<void> {
    const run = this.#live(id);
    if (run === null) throw new DriverFault('gone', 'the process does not run');
    signal(run, 'SIGSTOP');
    const frozen = await this.#until(() => stateOf(run) !== 'running', FREEZE_DEADLINE_MS);
    if (!frozen || stateOf(run) !== 'paused') throw new DriverFault('gone', 'the process did not freeze');
  }

  async resume(id: ContainerId): Promise<void> {
    const run = this.#live(id);
    if (run === null || !signal(run, 'SIGCONT')) throw new DriverFault('gone', 'the process does not run');
    if (!(await this.#until(() => stateOf(run) !== 'paused', FREEZE_DEADLINE_MS))) {
      throw new DriverFault('gone', 'the process did not thaw');
    }
  }

  async stop(id: ContainerId, graceMs: number): Promise<void> {
    const run = this.#live(id);
    if (run === null) return this.#settled(id);
    signal(run, 'SIGTERM');
    // A frozen group takes the signal when it thaws.
    signal(run, 'SIGCONT');
    if (await this.#until(() => stateOf(run) === 'exited', graceMs)) return this.#finish(id, run);
    await this.kill(id);
  }

  async kill(id: ContainerId): Promise<void> {
    const run = this.#live(id);
    if (run === null) return this.#settled(id);
    signal(run, 'SIGKILL');
    if (await this.#until(() => stateOf(run) === 'exited', KILL_VERIFY_MS)) return this.#finish(id, run);
    throw new DriverFault('stubborn', 'the process outlived SIGKILL', { hint: `look at it: ps ${run.process?.pid}` });
  }

  async remove(id: ContainerId): Promise<void> {
    await this.kill(id);
    const record = this.#records.readRun(id);
    this.#adopted.delete(id);
    if (record !== null) this.#records.remove(record.sessionId);
  }

  async inspect(id: ContainerId): Promise<ObservedContainer> {
    let record = this.#records.readRun(id);
    if (record !== null && stateOf(record) === 'exited') {
      // The exit code is noted a moment after the process is gone.
      await this.#settled(id);
      record = this.#records.readRun(id);
    }
    if (record === null) return { kind: 'absent' };
    const state = stateOf(record);
    if (state === 'created') return { kind: 'created' };
    if (state === 'exited') return { kind: 'exited', exitCode: record.exit?.code ?? null, outOfMemory: false };
    return { kind: state, startedAtMs: epochMs(record.startedAtMs) };
  }

  events(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    queueMicrotask(() => {
      if (this.#listeners.has(listener)) listener({ kind: 'resync' });
    });
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async recover(spec: ContainerSpec): Promise<void> {
    if (this.#records.read(spec.sessionId) !== null) {
      throw new DriverFault('name-conflict', 'a process of this session exists');
    }
    const modulePath = createRequire(import.meta.url).resolve('better-sqlite3');
    const program = recoveryProgram(modulePath, join(spec.mounts.out, FILE_NAMES.outboundDb));
    const child = spawn(process.execPath, ['-e', program], { env: {}, stdio: 'ignore', timeout: RECOVER_DEADLINE_MS });
    await spawned(child);
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new DriverFault('recovery', `outbound.db could not be rolled back (exit code ${code})`);
  }

  async close(): Promise<void> {
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#poll = null;
    this.#listeners.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #spawn(spec: ContainerSpec): ChildProcess {
    const { mounts } = spec;
    const folders = {
      [RUNNER_ENV.in]: mounts.in,
      [RUNNER_ENV.out]: mounts.out,
      [RUNNER_ENV.state]: mounts.state,
      [RUNNER_ENV.agent]: mounts.agent,
    };
    const [program, ...words] = spec.command ?? [process.execPath, this.#options.runnerPath];
    if (program === undefined) throw new DriverFault('bad-spec', 'the command is empty');
    const log = openSync(this.#records.logPath(spec.sessionId), 'w', 0o600);
    try {
      const child = spawn('/bin/sh', ['-c', GATE, 'sh', program, ...words], {
        cwd: mounts.agent,
        // Not the host's environment: it may hold secrets (I7).
        env: { PATH: process.env.PATH, ...spec.env, ...folders },
        detached: true,
        stdio: ['pipe', log, log],
      });
      child.stdin?.on('error', (error) => {
        // It ended before it was let go: its exit is what counts.
        if (errorCode(error) !== 'EPIPE') throw error;
      });
      child.unref();
      return child;
    } finally {
      closeSync(log);
    }
  }

  /** Notes the exit code and rings, when a child of this host ends. */
  #watch(child: ChildProcess, record: ProcessRecord): void {
    const id = runId(record);
    const settle = (code: number | null, signalName: NodeJS.Signals | null) => {
      const exitCode = code ?? 128 + (signalName === null ? 0 : constants.signals[signalName]);
      if (this.#records.readRun(id) !== null) this.#records.replace({ ...record, exit: { code: exitCode } });
      this.#ending.delete(id);
      this.#ring({ kind: 'die', sessionId: record.sessionId, containerId: id });
    };
    // Ended already: its event went by before anybody listened.
    if (child.exitCode !== null || child.signalCode !== null) settle(child.exitCode, child.signalCode);
    else {
      const ended = new Promise<void>((resolve) => {
        child.once('exit', (code, signalName) => {
          settle(code, signalName);
          resolve();
        });
      });
      this.#ending.set(id, ended);
    }
  }

  /** A run of an earlier host: its end is found by looking. */
  #adopt(record: ProcessRecord): void {
    this.#adopted.set(runId(record), record);
    this.#poll ??= setInterval(() => this.#lookAtAdopted(), ADOPTED_POLL_MS).unref();
  }

  #lookAtAdopted(): void {
    for (const [id, record] of this.#adopted) {
      if (stateOf(record) !== 'exited') continue;
      this.#adopted.delete(id);
      this.#ring({ kind: 'die', sessionId: record.sessionId, containerId: id });
    }
    if (this.#adopted.size > 0 || this.#poll === null) return;
    clearInterval(this.#poll);
    this.#poll = null;
  }

  #live(id: ContainerId): ProcessRecord | null {
    const record = this.#records.readRun(id);
    if (record === null) return null;
    const state = stateOf(record);
    return state === 'running' || state === 'paused' ? record : null;
  }

  /** The leader is gone; helpers it left in its group go too. */
  async #finish(id: ContainerId, run: ProcessRecord): Promise<void> {
    signal(run, 'SIGKILL');
    await this.#settled(id);
  }

  async #settled(id: ContainerId): Promise<void> {
    await this.#ending.get(id);
  }

  async #until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (performance.now() >= deadline) return false;
      await delay(EFFECT_POLL_MS);
    }
    return true;
  }

  #ring(event: DriverEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Waits for a line from the host, and becomes the program; ends when the host does before that (I4). */
const GATE = 'read -r go && exec "$@" </dev/null';

/** The same refusals that Docker would give. */
function checkSpec(spec: ContainerSpec): void {
  if (!(spec.user.uid > 0 && spec.user.gid > 0)) {
    throw new DriverFault('bad-spec', `a container never runs as root, and ${spec.user.uid} was asked for`);
  }
  if ((spec.folders ?? []).length > 0) {
    throw new DriverFault('bad-spec', 'a plain process has no mounts', { hint: 'run agents with Docker' });
  }
  for (const folder of Object.values(spec.mounts)) {
    if (!existsSync(folder)) throw new DriverFault('bad-spec', 'a folder of the session is missing');
  }
}

/** Rejects when the program could not be started. */
function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function identify(child: ChildProcess): ProcessRecord['process'] {
  if (child.pid === undefined) throw new DriverFault('engine-refused', 'the process has no pid');
  // A child that ended at once is a zombie until this host collects it, later than now: its times are there.
  const stat = readProcessStat(child.pid);
  return { pid: child.pid, startTicks: stat?.startTicks ?? '' };
}

function stateOf({ process: run }: ProcessRecord): ListedContainer['state'] {
  if (run === null) return 'created';
  const stat = readProcessStat(run.pid);
  if (stat === null || stat.startTicks !== run.startTicks || stat.state === 'Z' || stat.state === 'X') return 'exited';
  return stat.state === 'T' ? 'paused' : 'running';
}

/** False when nobody is left to take it. */
function signal({ process: run }: ProcessRecord, name: NodeJS.Signals): boolean {
  if (run === null) return false;
  const stat = readProcessStat(run.pid);
  // Another process has the pid now, and perhaps a group of that number (I2).
  if (stat !== null && stat.startTicks !== run.startTicks) return false;
  try {
    process.kill(-run.pid, name);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

function toFault(error: unknown): unknown {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'EACCES') {
    return new DriverFault('bad-spec', 'the program of the process cannot be started', { cause: error });
  }
  if (code === 'EAGAIN' || code === 'ENOMEM' || code === 'ENOSPC' || code === 'EMFILE') {
    return new DriverFault('no-resources', 'the machine has no room for a process', { cause: error });
  }
  return error;
}
