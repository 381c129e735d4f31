/**
 * One real call to an agent's model, through all that its turns go through: a container of its image without a
 * network, a socket of its own, the host's gateway with the agent's service, key and budget.
 *
 *   test ─▶ facts that settle it (no model, no key, no image) ─▶ container: runner --probe ─▶ word ─▶ report
 *
 * I1. Nothing of the agent's is in there: no conversation, no folder, no mounts, no MCP servers.
 * I2. Its containers are of an install of their own, so that the runtime neither counts nor removes them; what a
 *     host that died left is removed at the next start.
 * I3. What the container says is a claim: it is shown as one, and nothing is decided by it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type AgentGroupId, type InstallId, makeId, type SessionId } from '../../../shared/ids.ts';
import { modelServiceOf } from '../../../shared/providers.ts';
import { CONTAINER_PATHS, RUNNER_ENV } from '../../../shared/session-files.ts';
import { Fault } from '../../config/errors.ts';
import { UnderWay } from '../../config/under-way.ts';
import type { Credential } from '../../egress/credentials.ts';
import type { Service } from '../../egress/services.ts';
import type { ImageState } from '../../images/plan.ts';
import { runtimeLog } from '../../observe/logger.ts';
import { hostContainerUser } from '../../sessions/folder.ts';
import { describeRunner } from '../../sessions/runner-file.ts';
import type { AgentGroup } from '../../store/agents.ts';
import { type ContainerDriver, type ContainerSpec, DriverFault, type StartedContainer } from '../drivers/driver.ts';
import { PROBE_DEADLINE_MS, PROBE_LIMITS, PROBE_LOOK_MS } from './limits.ts';
import { listModels } from './list-models.ts';
import { ProbePace } from './pace.ts';
import { clearProbePlaces, makeProbePlace, type ProbePlace, WORD_FILE } from './place.ts';
import { planReport } from './plan.ts';
import type { ProbeOutcome, ProbeReport } from './report.ts';

/** A gateway that sees one agent as it was given: with the config that is tried. */
export interface ProbeGateway extends AsyncDisposable {
  open(session: { sessionId: SessionId; agentGroupId: AgentGroupId }, socketPath: string): Promise<void>;
}

export interface ProberParts {
  /** Folder of all calls. */
  places: string;
  /** Not the host's own (I2). */
  installId: InstallId;
  driver: ContainerDriver;
  /** How the runner is started: in the image, or beside the host. */
  runner: readonly string[];
  /** Right before a start. */
  confirmImage: (agent: AgentGroup) => Promise<ImageState>;
  services: { get(name: string): Service | null };
  credentials: { credentialFor(service: Service, agentGroupId: AgentGroupId): Credential };
  gatewayFor: (agent: AgentGroup) => ProbeGateway;
  now: () => number;
  /** Others in tests. */
  deadlineMs?: number;
}

export type Probe =
  | { kind: 'report'; report: ProbeReport }
  /** One of the agent is under way, or as many as may be. */
  | { kind: 'busy' }
  | { kind: 'too-often'; waitMs: number };

export type ModelList = Exclude<Probe, { kind: 'report' }> | { kind: 'models'; models: string[] | null };

/** Of all sessions' users the last one: 60,000 sessions share it by turns. */
const PROBE_USER = 59_999;

export class Prober implements AsyncDisposable {
  readonly #parts: ProberParts;
  readonly #pace = new ProbePace();
  readonly #underWay = new UnderWay();
  readonly #stop = new AbortController();

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  /** I2. Nobody waits for it. */
  start(): void {
    if (clearProbePlaces(this.#parts.places)) void this.#underWay.add(this.#clearContainers());
  }

  /** Calls the model of this agent once. Rejects with what the disk throws, and Fault `host_stopping`. */
  test(agent: AgentGroup): Promise<Probe> {
    return this.#inTurn(agent, async () => {
      const { agentName, provider, model } = { ...agent.config, agentName: agent.name };
      const service = modelServiceOf(agent.config);
      const used = this.#serviceOf(agent);
      const place = used?.baseUrl.host ?? null;
      const hasKey = used !== null && this.#parts.credentials.credentialFor(used, agent.id).kind === 'header';
      const outcome = await this.#findOutcome(agent);
      return { kind: 'report', report: planReport({ agentName, provider, service, place, model, hasKey }, outcome) };
    });
  }

  /** The models of the service that this agent uses, or would with the config that it is given here. */
  listModels(agent: AgentGroup): Promise<ModelList> {
    return this.#inTurn(agent, async () => {
      const service = this.#serviceOf(agent);
      if (service === null) return { kind: 'models', models: null };
      using place = this.#makePlace(agent);
      return { kind: 'models', models: await this.#askModels(agent, service, place) };
    });
  }

  /** Ends what is under way: a host that stops does not wait for a model. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#underWay[Symbol.asyncDispose]();
  }

  async #inTurn<T>(agent: AgentGroup, work: () => Promise<T>): Promise<T | Exclude<Probe, { kind: 'report' }>> {
    if (this.#stop.signal.aborted) throw new Fault('host_stopping', 'the host is stopping', { retryable: true });
    const paced = this.#pace.begin(agent.id, this.#parts.now());
    if (paced.kind !== 'go') return paced;
    try {
      return await this.#underWay.add(work());
    } finally {
      paced.done();
    }
  }

  async #findOutcome(agent: AgentGroup): Promise<ProbeOutcome> {
    const { credentials, driver } = this.#parts;
    if (modelServiceOf(agent.config) === null) return { kind: 'no-model' };
    const service = this.#serviceOf(agent);
    const credential = service === null ? null : credentials.credentialFor(service, agent.id);
    if (credential?.kind === 'missing') return { kind: 'no-key', why: credential.why, next: credential.next };
    const engine = await driver.available();
    if (engine.kind === 'away') return { kind: 'engine-away', reason: engine.reason, hint: engine.hint };
    const image = await this.#parts.confirmImage(agent);
    if (image.kind !== 'ready') return { kind: `image-${image.kind}`, reason: image.reason };
    using place = this.#makePlace(agent);
    const outcome = await this.#call(agent, image.image, place);
    const isUnknown = outcome.kind === 'answered' && outcome.answer.status === 404;
    if (!isUnknown || service === null) return outcome;
    return { ...outcome, models: await this.#askModels(agent, service, place) };
  }

  async #call(agent: AgentGroup, image: string, place: PlaceOf): Promise<ProbeOutcome> {
    const { driver, deadlineMs = PROBE_DEADLINE_MS } = this.#parts;
    await using gateway = this.#parts.gatewayFor(agent);
    await gateway.open({ sessionId: place.sessionId, agentGroupId: agent.id }, place.socket);
    let started: StartedContainer | null = null;
    try {
      started = await driver.start(this.#spec(agent, image, place));
      const exit = await this.#waitForEnd(started.id, deadlineMs);
      const answer = place.readWord();
      if (answer !== null) return { kind: 'answered', answer, models: null };
      return exit === null ? { kind: 'timed-out', afterMs: deadlineMs } : { kind: 'silent', exitCode: exit.code };
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      return { kind: 'not-started', reason: error.message, hint: error.hint ?? null };
    } finally {
      if (started !== null) await this.#removeQuietly(started.id);
    }
  }

  /** Null: it still ran when the time was over, or the host stops. */
  async #waitForEnd(id: StartedContainer['id'], deadlineMs: number): Promise<{ code: number | null } | null> {
    const deadline = performance.now() + deadlineMs;
    while (performance.now() < deadline && !this.#stop.signal.aborted) {
      const observed = await this.#parts.driver.inspect(id);
      if (observed.kind === 'exited') return { code: observed.exitCode };
      if (observed.kind === 'absent') return { code: null };
      await delay(PROBE_LOOK_MS);
    }
    return null;
  }

  async #askModels(agent: AgentGroup, service: Service, place: PlaceOf): Promise<string[] | null> {
    await using gateway = this.#parts.gatewayFor(agent);
    await gateway.open({ sessionId: place.sessionId, agentGroupId: agent.id }, place.socket);
    // Awaited here: the gateway is gone when this is left.
    return await listModels(place.socket, service, this.#stop.signal);
  }

  #serviceOf(agent: AgentGroup): Service | null {
    const name = modelServiceOf(agent.config);
    return name === null ? null : this.#parts.services.get(name);
  }

  #makePlace(agent: AgentGroup): PlaceOf {
    const { places, services, now } = this.#parts;
    const sessionId = makeId('session', now());
    const user = hostContainerUser({ userOffset: PROBE_USER, agentGroupId: agent.id });
    // I1
    const bare = { ...agent, config: { ...agent.config, mcpServers: [] } };
    const file = describeRunner(bare, sessionId, (name) => services.get(name)?.api ?? null);
    return Object.assign(makeProbePlace(places, file, user), { sessionId, user });
  }

  #spec(agent: AgentGroup, image: string, place: PlaceOf): ContainerSpec {
    return {
      sessionId: place.sessionId,
      agentGroupId: agent.id,
      installId: this.#parts.installId,
      epoch: 1,
      configVersion: agent.config.revision,
      image,
      user: place.user,
      mounts: place.folders,
      env: { TZ: agent.config.timezone, NODE_ENV: 'production' },
      limits: PROBE_LIMITS,
      command: ['/bin/sh', '-c', TO_FILE, 'sh', ...this.#parts.runner, '--probe'],
    };
  }

  async #clearContainers(): Promise<void> {
    const { driver } = this.#parts;
    try {
      for (const { id } of await driver.list()) await driver.remove(id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      runtimeLog.warn({ err: error }, 'containers that tested a model could not be cleared away');
    }
  }

  async #removeQuietly(id: StartedContainer['id']): Promise<void> {
    try {
      await this.#parts.driver.remove(id);
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      runtimeLog.warn({ err: error, container: id }, 'a container that tested a model was not removed');
    }
  }
}

interface PlaceOf extends ProbePlace {
  sessionId: SessionId;
  user: { uid: number; gid: number };
}

/** What it prints is its word; more than the host reads of it is no word. */
const TO_FILE = `exec "$@" 2>/dev/null > "\${${RUNNER_ENV.out}:-${CONTAINER_PATHS.out}}/${WORD_FILE}"`;
