/** The runtime's ports, on top of `store` and `sessions`. */
import { lstatSync } from 'node:fs';
import { z } from 'zod';
import type { ContainerId, EpochMs, InstallId, SessionId } from '../../shared/ids.ts';
import { epochMs } from '../../shared/ids.ts';
import { MAX_TOOL_TIMEOUT_MS } from '../../shared/limits.ts';
import { RUNNER_STATE } from '../../shared/protocol.ts';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';
import { DEFAULT_RESOURCES } from '../agents/config/limits.ts';
import type { PreparedMounts } from '../agents/mounts/mounts.ts';
import { errorCode, Fault } from '../config/errors.ts';
import type { ImageBuilds } from '../images/images.ts';
import type { ImageState } from '../images/plan.ts';
import { runtimeLog } from '../observe/logger.ts';
import { type AckEffect, isStale, planLostClaim } from '../sessions/acks.ts';
import type { Charts } from '../sessions/chart.ts';
import type { DueTimer } from '../sessions/due-timer.ts';
import { createSessionFolder, hostContainerUser } from '../sessions/folder.ts';
import type { Inboxes, SessionRef } from '../sessions/inbox.ts';
import type { OpenInbound } from '../sessions/inbox-tables.ts';
import type { OutboxReader } from '../sessions/outbox-reader.ts';
import type { ReadResult } from '../sessions/reader-lane.ts';
import { type EndFiring, keepOpen, showAcks, type TellChat, tellFailures, writeAcks } from '../sessions/settle.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { Session, SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { ContainerLimits, ContainerSpec, FolderMount } from './drivers/driver.ts';
import type { Liveness, Prepared, RuntimeRecord, RuntimeSessions, SessionFacts } from './ports.ts';

export interface SessionViewParts {
  home: string;
  installId: InstallId;
  /** What agents' containers are made of. */
  images: Pick<ImageBuilds, 'imageFor' | 'confirm'> & { mayGoOn(agent: AgentGroup): boolean };
  /** The path of the agent's folder, which is there then. Throws Fault. */
  prepareFolder: (agent: AgentGroup) => string;
  /** The folders of the machine that the agent may see now. */
  prepareMounts: (agent: AgentGroup) => Promise<PreparedMounts>;
  sessions: SessionStore;
  agents: AgentStore;
  transcript: Transcript;
  inboxes: Inboxes;
  reader: OutboxReader;
  charts: Charts;
  /** Its container may connect to the gateway when this is done. Rejects with Fault `gateway_unavailable`. */
  openWay: (id: SessionId) => Promise<void>;
  /** Writes the list of the session's tasks, as its runner shows it. */
  writeTasks: (session: Session, paths: SessionPaths) => void;
  due: DueTimer;
  tellChat: TellChat;
  endFiring: EndFiring;
  /** What became of claims whose container is gone. */
  onClaimsEnded: (ref: SessionRef, open: ReadonlyMap<string, OpenInbound>, effects: readonly AckEffect[]) => void;
  quarantine: (id: SessionId, reason: string) => void;
  now: () => number;
}

const MIB = 1024 * 1024;
/** What a container may use unless its agent's config says otherwise. */
const DEFAULT_LIMITS: ContainerLimits = {
  memoryBytes: DEFAULT_RESOURCES.memoryMb * MIB,
  cpus: DEFAULT_RESOURCES.cpus,
  pids: DEFAULT_RESOURCES.pids,
  fileSizeBytes: 256 * MIB,
  openFiles: 1_024,
};
const MAX_WATCHED_CLAIMS = 200;

/** The version of no container: whatever is there ends when it is idle. */
const NO_CONFIG = -1;
/** Of a session whose agent is gone: nothing starts. */
const NO_IMAGE: ImageState = { kind: 'waiting', reason: 'Its agent was removed.' };

const idleSchema = z.object({ since: z.number() });
const helloSchema = z.object({ startedAt: z.number() });
const toolSchema = z.object({ startedAt: z.number(), timeoutMs: z.number().positive() });

export class SessionView implements RuntimeSessions {
  readonly #parts: SessionViewParts;

  constructor(parts: SessionViewParts) {
    this.#parts = parts;
  }

  load(id: SessionId): SessionFacts | null {
    const { sessions, agents, images, inboxes, now } = this.#parts;
    const session = sessions.get(id);
    if (session === null) return null;
    const agent = agents.get(session.agentGroupId);
    const facts = {
      sessionId: id,
      agentGroupId: session.agentGroupId,
      record: toRecord(session),
      quarantineReason: session.quarantineReason,
      ended: agent === null,
      configVersion: agent !== null && images.mayGoOn(agent) ? agent.config.revision : NO_CONFIG,
      image: agent === null ? NO_IMAGE : images.imageFor(agent),
    };
    try {
      const work = inboxes.read(session, (tables) => tables.work(now()));
      return {
        ...facts,
        hasDueWork: work.due > 0,
        dueSinceMs: toEpoch(work.dueSince),
        freshSinceMs: toEpoch(work.newestFreshAt),
        isAllFresh: work.due > 0 && work.dueFresh === work.due,
        newestWorkMs: toEpoch(work.newestAt),
        nextDueMs: toEpoch(work.nextDueAt),
      };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const idle = {
        ...{ hasDueWork: false, dueSinceMs: null, newestWorkMs: null, nextDueMs: null },
        ...{ freshSinceMs: null, isAllFresh: false },
      };
      // A crash between the session's row and its folder leaves this; there was no message yet.
      if (error.code === 'session_missing') return { ...facts, ...idle };
      if (error.code === 'session_corrupt') this.#parts.quarantine(id, error.message);
      else runtimeLog.warn({ sessionId: id, err: error }, 'the inbox of a session could not be read');
      return { ...facts, ...idle, quarantineReason: facts.quarantineReason ?? error.message };
    }
  }

  save(id: SessionId, record: RuntimeRecord): void {
    this.#parts.sessions.saveObserved(
      id,
      {
        runtimeState: record.state,
        containerId: record.containerId,
        epoch: record.epoch,
        failures: record.failures,
        stateReason: record.reason,
      },
      record.sinceMs,
    );
  }

  listTracked(): SessionId[] {
    return this.#parts.sessions.listOpenIds();
  }

  async prepare(id: SessionId, epoch: number): Promise<Prepared> {
    const { sessions, agents, charts, reader, home } = this.#parts;
    const session = sessions.get(id);
    const agent = session === null ? null : agents.get(session.agentGroupId);
    if (session === null || agent === null) return refuse('the session or its agent is gone');
    const image = await this.#parts.images.confirm(agent);
    if (image.kind !== 'ready') return { kind: 'later' };
    const mounts = await this.#parts.prepareMounts(agent);
    if (mounts.kind === 'refused') return { kind: 'refused', reason: mounts.why, failure: 'mount-refused' };
    const paths = sessionPaths(home, session.agentGroupId, id);
    const user = hostContainerUser(session);
    createSessionFolder(paths, user);
    const group = this.#prepareFolder(agent);
    if (typeof group !== 'string') return group;
    charts.write(session, agent, paths);
    this.#parts.writeTasks(session, paths);
    reader.warm();
    const way = await this.#openWay(id);
    if (way !== null) return way;
    const run = { image: image.image, folders: mounts.folders, paths, group, epoch };
    return { kind: 'ready', spec: this.#spec(session, agent, run) };
  }

  #spec(
    session: Session,
    agent: AgentGroup,
    run: { image: string; folders: readonly FolderMount[]; paths: SessionPaths; group: string; epoch: number },
  ): ContainerSpec {
    const { resources } = agent.config;
    const { image, folders, paths, group, epoch } = run;
    return {
      sessionId: session.id,
      agentGroupId: session.agentGroupId,
      installId: this.#parts.installId,
      epoch,
      configVersion: agent.config.revision,
      image,
      user: hostContainerUser(session),
      mounts: { in: paths.in, out: paths.out, state: paths.state, agent: group },
      folders,
      env: { TZ: agent.config.timezone, NODE_ENV: 'production' },
      limits: {
        ...DEFAULT_LIMITS,
        ...(resources.memoryMb === undefined ? {} : { memoryBytes: resources.memoryMb * MIB }),
        ...(resources.cpus === undefined ? {} : { cpus: resources.cpus }),
        ...(resources.pids === undefined ? {} : { pids: resources.pids }),
      },
    };
  }

  /** What stands in the way of a start; null: nothing. */
  async #openWay(id: SessionId): Promise<Extract<Prepared, { kind: 'refused' }> | null> {
    try {
      await this.#parts.openWay(id);
      return null;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { kind: 'refused', reason: error.message, failure: 'no-gateway' };
    }
  }

  #prepareFolder(agent: AgentGroup): string | Extract<Prepared, { kind: 'refused' }> {
    try {
      return this.#parts.prepareFolder(agent);
    } catch (error) {
      if (!(error instanceof Fault) || error.retryable) throw error;
      return refuse(error.message);
    }
  }

  async readLiveness(id: SessionId): Promise<Liveness> {
    const session = this.#parts.sessions.get(id);
    if (session === null) return { kind: 'quarantined', reason: 'the session is gone' };
    const paths = sessionPaths(this.#parts.home, session.agentGroupId, id);
    const open = this.#open(session);
    const result = await this.#read(session, paths, open);
    switch (result.kind) {
      case 'busy':
      case 'hot-journal':
        return { kind: result.kind };
      case 'violation':
        this.#parts.quarantine(id, result.reason);
        return { kind: 'quarantined', reason: result.reason };
      case 'snapshot':
        return toLiveness(result.snapshot, open, readHeartbeat(paths.heartbeat));
    }
  }

  async probeLocks(id: SessionId): Promise<boolean> {
    const session = this.#parts.sessions.get(id);
    if (session === null) return false;
    try {
      // An empty commit takes the write lock and needs no reader in the way.
      await this.#parts.inboxes.commit(session, () => undefined);
    } catch (error) {
      if (error instanceof Fault && error.code === 'session_busy') return false;
      throw error;
    }
    const paths = sessionPaths(this.#parts.home, session.agentGroupId, id);
    return (await this.#read(session, paths, [])).kind === 'snapshot';
  }

  async requeueClaims(id: SessionId, reason: string, now: EpochMs): Promise<void> {
    const { sessions, inboxes, transcript, due, tellChat } = this.#parts;
    const session = sessions.get(id);
    if (session === null) return;
    const open = this.#open(session);
    const result = await this.#read(session, sessionPaths(this.#parts.home, session.agentGroupId, id), open);
    if (result.kind !== 'snapshot') return;
    const byId = new Map(open.map((row) => [row.id as string, row]));
    const lost = result.snapshot.processing.flatMap((mark) => {
      const row = byId.get(mark.messageId);
      return row === undefined ? [] : (planLostClaim(row, mark, reason, now) ?? []);
    });
    if (lost.length === 0) return;
    tellFailures(session, byId, lost, tellChat);
    const effects = await inboxes.commit(session, (tables) => {
      const kept = keepOpen(tables, lost);
      writeAcks(tables, kept);
      return kept;
    });
    showAcks(session, transcript, byId, effects, this.#parts.endFiring);
    this.#parts.onClaimsEnded(session, byId, effects);
    due.set(id, inboxes.read(session, (tables) => tables.work(now)).nextDueAt);
  }

  #open(session: Session): OpenInbound[] {
    return this.#parts.inboxes.read(session, (tables) => tables.listOpen(MAX_WATCHED_CLAIMS));
  }

  /** Throws a retryable Fault when no reader had time for it: that says nothing about the session. */
  async #read(session: Session, paths: SessionPaths, open: readonly OpenInbound[]): Promise<KnownRead> {
    const result = await this.#parts.reader.read({
      out: paths.out,
      ownerUid: hostContainerUser(session).uid,
      afterSeq: Number.MAX_SAFE_INTEGER,
      limit: 1,
      seqs: [],
      openIds: open.map((row) => row.id),
      withState: true,
    });
    if (result.kind === 'unread') {
      throw new Fault('reader_unavailable', 'no reader had time for outbound.db', { retryable: true });
    }
    return result;
  }
}

type KnownRead = Exclude<ReadResult, { kind: 'unread' }>;

function toRecord(session: Session): RuntimeRecord {
  return {
    state: session.runtimeState,
    // The column holds what a driver gave.
    containerId: session.containerId as ContainerId | null,
    epoch: session.epoch,
    failures: session.failures,
    reason: session.stateReason,
    sinceMs: epochMs(session.stateSince),
  };
}

function toLiveness(
  snapshot: Extract<ReadResult, { kind: 'snapshot' }>['snapshot'],
  open: readonly OpenInbound[],
  heartbeatMs: EpochMs | null,
): Liveness {
  const byId = new Map(open.map((row) => [row.id as string, row]));
  const claims = snapshot.processing.filter((mark) => {
    const row = byId.get(mark.messageId);
    return mark.state === 'claimed' && row !== undefined && !isStale(row, mark);
  });
  const idle = parseState(idleSchema, snapshot.runnerState[RUNNER_STATE.idle]);
  const hello = parseState(helloSchema, snapshot.runnerState[RUNNER_STATE.hello]);
  const tool = parseState(toolSchema, snapshot.runnerState[RUNNER_STATE.tool]);
  return {
    kind: 'live',
    helloMs: toEpoch(hello?.startedAt ?? null),
    openClaims: claims.length,
    oldestClaimMs: claims.length === 0 ? null : epochMs(Math.min(...claims.map((claim) => claim.changedAt))),
    heartbeatMs,
    idleSinceMs: toEpoch(idle?.since ?? null),
    tool:
      tool === null
        ? null
        : { startedAtMs: epochMs(tool.startedAt), timeoutMs: Math.min(tool.timeoutMs, MAX_TOOL_TIMEOUT_MS) },
  };
}

function parseState<T>(schema: z.ZodType<T>, json: string | undefined): T | null {
  if (json === undefined) return null;
  try {
    const parsed = schema.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function readHeartbeat(path: string): EpochMs | null {
  try {
    const stats = lstatSync(path);
    return stats.isFile() ? epochMs(stats.mtimeMs) : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

function refuse(reason: string): Extract<Prepared, { kind: 'refused' }> {
  return { kind: 'refused', reason, failure: 'refused' };
}

function toEpoch(value: number | null): EpochMs | null {
  return value === null ? null : epochMs(value);
}
