/**
 * Containers of a Docker Engine. The only file that knows dockerode; what is asked for is in
 * `hardening.ts`, what errors mean in `docker-fault.ts`.
 */
import Docker from 'dockerode';
import { type ContainerId, epochMs, type InstallId, parseContainerId, parseId } from '../../../shared/ids.ts';
import type { RuntimeLog } from '../ports.ts';
import { confirmFolders } from './confirm-folders.ts';
import { DockerEvents } from './docker-events.ts';
import { type DockerAction, statusOf, toDriverFault } from './docker-fault.ts';
import {
  type Availability,
  type ContainerDriver,
  type ContainerSpec,
  type DriverEvent,
  DriverFault,
  KILL_VERIFY_MS,
  LABELS,
  type ListedContainer,
  type ObservedContainer,
  RECOVER_DEADLINE_MS,
  type StartedContainer,
} from './driver.ts';
import { containerRequest, recoveryRequest } from './hardening.ts';

/** An engine that is silent for longer counts as away. Lower: a busy disk looks like an outage. */
const COMMAND_TIMEOUT_MS = 30_000;

export interface DockerDriverOptions {
  installId: InstallId;
  log: RuntimeLog;
  /** Path of the engine's socket; DOCKER_HOST or the default when left out. */
  socketPath?: string;
}

export class DockerDriver implements ContainerDriver {
  readonly name = 'docker';
  readonly #installId: InstallId;
  readonly #log: RuntimeLog;
  /** For short commands: a time-out ends them. */
  readonly #docker: Docker;
  /** For waiting and events: silence is normal. */
  readonly #patient: Docker;
  readonly #streams = new Set<DockerEvents>();

  constructor(options: DockerDriverOptions) {
    this.#installId = options.installId;
    this.#log = options.log;
    const where = options.socketPath === undefined ? {} : { socketPath: options.socketPath };
    this.#docker = new Docker({ ...where, timeout: COMMAND_TIMEOUT_MS });
    this.#patient = new Docker(where);
  }

  async available(): Promise<Availability> {
    try {
      await this.#docker.ping();
      return { kind: 'available' };
    } catch (error) {
      const fault = toDriverFault('look', error);
      const reason = fault instanceof DriverFault ? fault.message : String(error);
      const hint = fault instanceof DriverFault ? fault.hint : undefined;
      return { kind: 'away', reason, hint: hint ?? 'docker info' };
    }
  }

  async list(): Promise<ListedContainer[]> {
    const infos = await this.#call('look', () =>
      this.#docker.listContainers({ all: true, filters: { label: [`${LABELS.install}=${this.#installId}`] } }),
    );
    return infos.flatMap((info) => {
      const listed = toListed(info);
      // Only a person with access to the engine can make one like it: left alone.
      if (listed === null) this.#log.warn({ container: info.Id }, 'a container with our install label is not ours');
      return listed === null ? [] : [listed];
    });
  }

  async start(spec: ContainerSpec): Promise<StartedContainer> {
    const request = containerRequest(spec);
    confirmFolders(spec);
    const startedAtMs = epochMs();
    const container = await this.#call('create', () => this.#docker.createContainer(request));
    try {
      confirmFolders(spec);
      await this.#call('start', () => container.start());
      confirmFolders(spec);
    } catch (error) {
      await this.#removeQuietly(container);
      throw error;
    }
    return { id: toContainerId(container.id), startedAtMs };
  }

  async pause(id: ContainerId): Promise<void> {
    await this.#freezeOrThaw('pause', id, 'running');
  }

  async resume(id: ContainerId): Promise<void> {
    await this.#freezeOrThaw('resume', id, 'paused');
  }

  async stop(id: ContainerId, graceMs: number): Promise<void> {
    // Signals to a frozen container make the engine thaw it.
    if (!(await this.#signal(id, 'SIGTERM'))) return;
    if (await this.#waitForEnd(id, graceMs)) return;
    await this.kill(id);
  }

  async kill(id: ContainerId): Promise<void> {
    if (!(await this.#signal(id, 'SIGKILL'))) return;
    if (await this.#waitForEnd(id, KILL_VERIFY_MS)) return;
    throw new DriverFault('stubborn', 'the container outlived SIGKILL', {
      hint: `look at it: docker inspect ${id.slice(0, 12)}`,
    });
  }

  async remove(id: ContainerId): Promise<void> {
    try {
      await this.#docker.getContainer(id).remove({ force: true, v: true });
    } catch (error) {
      // 404: gone. 409: another removal of it is under way.
      const status = statusOf(error);
      if (status !== 404 && status !== 409) throw toDriverFault('remove', error);
    }
  }

  async inspect(id: ContainerId): Promise<ObservedContainer> {
    let info: Docker.ContainerInspectInfo;
    try {
      info = await this.#docker.getContainer(id).inspect();
    } catch (error) {
      if (statusOf(error) === 404) return { kind: 'absent' };
      throw toDriverFault('look', error);
    }
    return toObserved(info);
  }

  events(listener: (event: DriverEvent) => void): () => void {
    const stream = new DockerEvents(
      (signal) =>
        this.#patient.getEvents({
          abortSignal: signal,
          filters: {
            type: ['container'],
            event: ['start', 'die', 'oom'],
            label: [`${LABELS.install}=${this.#installId}`],
          },
        }),
      listener,
      this.#log,
    );
    this.#streams.add(stream);
    return () => {
      this.#streams.delete(stream);
      stream.close();
    };
  }

  async recover(spec: ContainerSpec): Promise<void> {
    const request = recoveryRequest(spec);
    const container = await this.#call('create', () => this.#docker.createContainer(request));
    try {
      await this.#call('start', () => container.start());
      if (!(await this.#waitForEnd(container.id, RECOVER_DEADLINE_MS))) {
        throw new DriverFault('recovery', `rolling back took longer than ${RECOVER_DEADLINE_MS} ms`);
      }
      const { State } = await this.#call('look', () => container.inspect());
      if (State.ExitCode !== 0) {
        throw new DriverFault('recovery', `outbound.db could not be rolled back (exit code ${State.ExitCode})`);
      }
    } finally {
      await this.#removeQuietly(container);
    }
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #freezeOrThaw(action: 'pause' | 'resume', id: ContainerId, from: ObservedContainer['kind']): Promise<void> {
    const container = this.#docker.getContainer(id);
    try {
      await (action === 'pause' ? container.pause() : container.unpause());
    } catch (error) {
      const fault = toDriverFault(action, error);
      // The engine answers 500 both to a wrong state and to trouble of its own: only a look tells them apart.
      if (fault instanceof DriverFault && fault.kind === 'engine-refused' && (await this.inspect(id)).kind !== from) {
        throw new DriverFault('gone', `the container is not in a state to ${action}`, { cause: error });
      }
      throw fault;
    }
  }

  /** False when it does not run any more. */
  async #signal(id: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<boolean> {
    try {
      await this.#docker.getContainer(id).kill({ signal });
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || status === 409) return false;
      throw toDriverFault('kill', error);
    }
  }

  /** Whether it ended within the time. */
  async #waitForEnd(id: string, deadlineMs: number): Promise<boolean> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), deadlineMs);
    try {
      await this.#patient.getContainer(id).wait({ condition: 'not-running', abortSignal: abort.signal });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return true;
      if (abort.signal.aborted) return false;
      throw toDriverFault('wait', error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The first error is the one to tell; what stays behind is removed as an orphan later. */
  async #removeQuietly(container: Docker.Container): Promise<void> {
    try {
      await container.remove({ force: true, v: true });
    } catch (error) {
      if (statusOf(error) !== 404) this.#log.warn({ err: error, container: container.id }, 'container not removed');
    }
  }

  async #call<T>(action: DockerAction, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw toDriverFault(action, error);
    }
  }
}

function toContainerId(text: string): ContainerId {
  const id = parseContainerId(text);
  if (id === null) throw new DriverFault('engine-refused', 'the engine gave a container an id of unknown shape');
  return id;
}

function toListed(info: Docker.ContainerInfo): ListedContainer | null {
  const id = parseContainerId(info.Id);
  const sessionId = parseId('session', info.Labels[LABELS.session] ?? '');
  const epoch = Number(info.Labels[LABELS.epoch]);
  const configVersion = Number(info.Labels[LABELS.config]);
  if (id === null || sessionId === null || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(configVersion)) {
    return null;
  }
  const startedAtMs = epochMs(info.Created * 1000);
  return { id, sessionId, epoch, configVersion, state: toListedState(info.State), startedAtMs, image: info.Image };
}

function toListedState(state: string): ListedContainer['state'] {
  switch (state) {
    case 'created':
    case 'running':
    case 'paused':
      return state;
    // exited, dead, removing; restarting never happens with our restart policy.
    default:
      return 'exited';
  }
}

function toObserved({ State: state, Created: created }: Docker.ContainerInspectInfo): ObservedContainer {
  const startedAtMs = epochMs(Date.parse(created));
  if (state.Paused) return { kind: 'paused', startedAtMs };
  if (state.Running) return { kind: 'running', startedAtMs };
  if (state.Status === 'created') return { kind: 'created' };
  return { kind: 'exited', exitCode: state.ExitCode, outOfMemory: state.OOMKilled };
}
