/**
 * What runs containers: Docker, plain processes, or a fake in tests. All pass one contract suite
 * (`test/contracts/driver.ts`).
 *
 * I1. A driver sees only containers of its own install: others are neither listed nor touched.
 * I2. At most one container per session: a second start is a fault of kind `name-conflict`, also when
 *     the first was started by another driver object or by a host that died.
 * I3. A `ContainerId` names one run. An action on a run that is gone never reaches its successor.
 * I4. Containers outlive the driver and the host; a new driver object finds them with `list()`.
 * I5. What a driver failed at is a `DriverFault`, and nothing else escapes.
 */
import type { AgentGroupId, ContainerId, EpochMs, InstallId, SessionId } from '../../../shared/ids.ts';
import type { WorkspacePaths } from '../../../shared/session-files.ts';
import { Fault } from '../../config/errors.ts';

export interface ContainerLimits {
  /** Memory and swap together. Higher: one agent starves the machine. Lower: it is killed in mid-turn. */
  memoryBytes: number;
  /** Cores, fractions allowed. Higher: one agent slows the others. Lower: slow turns. */
  cpus: number;
  /** Processes and threads. Higher: a fork bomb hurts. Lower: a node program with helpers fails (about 12 each). */
  pids: number;
  /** Largest file it may write. Higher: fills the disk at once. Lower: agents cannot write larger results. */
  fileSizeBytes: number;
  openFiles: number;
}

/** Mounted only as long as `source` is a real path that leads to what was judged. */
export interface FolderMount {
  name: string;
  source: string;
  /** Device and inode, as `<device>:<inode>`. */
  identity: string;
  isReadOnly: boolean;
}

/** Everything a run needs. The same spec starts the same container on every driver. */
export interface ContainerSpec {
  sessionId: SessionId;
  agentGroupId: AgentGroupId;
  installId: InstallId;
  /** Number of the run, one higher with every start of the session; the container carries it as a label. */
  epoch: number;
  /** Version of the agent's container config; a container with another one is replaced when it is idle. */
  configVersion: number;
  image: string;
  /** Never root. The `process` driver ignores it: its children run as the host's user. */
  user: { uid: number; gid: number };
  /** Folders on the host; each must exist. `in` is read-only inside. */
  mounts: WorkspacePaths;
  /** Folders of the machine, at /workspace/mounts/<name>. The `process` driver has none. */
  folders?: readonly FolderMount[];
  /** The complete environment, and never a secret (I7). */
  env: Readonly<Record<string, string>>;
  limits: ContainerLimits;
  /** Further labels, for people who look with `docker ps`. */
  labels?: Readonly<Record<string, string>>;
  /** Instead of the image's own program; for tests and recovery. */
  command?: readonly string[];
}

/** What `list()` tells of a container. */
export interface ListedContainer {
  id: ContainerId;
  sessionId: SessionId;
  epoch: number;
  configVersion: number;
  /** `created` has never run: its host died in the middle of starting it. */
  state: 'created' | 'running' | 'paused' | 'exited';
  /** When it was made: not later than the first instruction of its program. */
  startedAtMs: EpochMs;
  image: string;
}

/** What is true of one container now. `absent` also when it was never there. */
export type ObservedContainer =
  | { kind: 'absent' }
  | { kind: 'created' }
  | { kind: 'running'; startedAtMs: EpochMs }
  | { kind: 'paused'; startedAtMs: EpochMs }
  /** `exitCode` is null when nobody was there to see it; 128 + n after signal n. */
  | { kind: 'exited'; exitCode: number | null; outOfMemory: boolean };

export interface StartedContainer {
  id: ContainerId;
  startedAtMs: EpochMs;
}

/** A doorbell: something happened, look yourself. May be lost or doubled. */
export type DriverEvent =
  | { kind: 'start' | 'die' | 'oom'; sessionId: SessionId; containerId: ContainerId }
  /** Events may have been lost: look at everything. */
  | { kind: 'resync' };

export type Availability = { kind: 'available' } | { kind: 'away'; reason: string; hint: string };

export interface ContainerDriver extends AsyncDisposable {
  readonly name: 'docker' | 'process' | 'fake';
  /** Whether the engine answers. Never throws. */
  available(): Promise<Availability>;
  /** This install's containers, whatever their state. Throws DriverFault. */
  list(): Promise<ListedContainer[]>;
  /** Creates and starts. Throws DriverFault; then nothing of this run is left behind. */
  start(spec: ContainerSpec): Promise<StartedContainer>;
  /** Freezes every process of it. On return it is frozen. Throws DriverFault (`gone` when it does not run). */
  pause(id: ContainerId): Promise<void>;
  /** Thaws. On return it runs. Throws DriverFault (`gone` when it is not there any more). */
  resume(id: ContainerId): Promise<void>;
  /**
   * SIGTERM, then SIGKILL after `graceMs`; also of a frozen one. On return it does not run, but is still
   * listed as exited: within `graceMs` + 1 s on a machine that keeps up. Throws DriverFault `stubborn` when it
   * outlives SIGKILL by KILL_VERIFY_MS. Fine when it is gone.
   */
  stop(id: ContainerId, graceMs: number): Promise<void>;
  /** SIGKILL at once; else as `stop`. */
  kill(id: ContainerId): Promise<void>;
  /** Takes away an exited container and what it left. Kills it first when it runs. Fine when it is gone. */
  remove(id: ContainerId): Promise<void>;
  inspect(id: ContainerId): Promise<ObservedContainer>;
  /** Rings for this install's containers until the returned function is called. */
  events(listener: (event: DriverEvent) => void): () => void;
  /**
   * Rolls back the half commit of a killed container (safe kill): a throwaway container without network,
   * with `out/` alone, opens outbound.db read-write. Call only when no container of the session exists.
   * Throws DriverFault `recovery` when the database could not be opened.
   */
  recover(spec: ContainerSpec): Promise<void>;
  /** Ends event streams and timers. Containers go on. */
  close(): Promise<void>;
}

export type DriverFaultKind =
  /** The engine does not answer. Retry when it does. */
  | 'engine-away'
  | 'image-missing'
  /** A container of this session exists. */
  | 'name-conflict'
  /** Memory, processes, disk of the machine or the engine. */
  | 'no-resources'
  /** The container is not there, or not in the state that the action needs. */
  | 'gone'
  /** It survived SIGKILL. */
  | 'stubborn'
  /** A folder of the spec is missing, its user is root, a value makes no sense: trying again will not help. */
  | 'bad-spec'
  | 'recovery'
  /** A folder that is to be mounted is not what it was when it was judged. */
  | 'mount-refused'
  | 'engine-refused';

const RETRYABLE: Record<DriverFaultKind, boolean> = {
  'engine-away': true,
  'image-missing': false,
  'name-conflict': true,
  'no-resources': true,
  gone: true,
  stubborn: true,
  'bad-spec': false,
  recovery: true,
  'mount-refused': true,
  'engine-refused': true,
};

/** A driver failed. Branch on `kind`; `message` and `hint` are for people. */
export class DriverFault extends Fault {
  readonly kind: DriverFaultKind;

  constructor(kind: DriverFaultKind, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(kind, message, { ...options, retryable: RETRYABLE[kind] });
    this.name = 'DriverFault';
    this.kind = kind;
  }
}

/** SIGKILL takes milliseconds; longer than this and the kernel or the engine is in trouble. */
export const KILL_VERIFY_MS = 10_000;
/** Opening a database and rolling back one commit. Longer: the disk hangs. */
export const RECOVER_DEADLINE_MS = 30_000;
/** The epoch label of a recovery container; runs count from 1, so that a forgotten one is always stale. */
export const RECOVERY_EPOCH = 0;

/** Labels of a container, on every driver that has labels. */
export const LABELS = {
  install: 'portolan.install',
  session: 'portolan.session',
  agentGroup: 'portolan.agent',
  epoch: 'portolan.epoch',
  config: 'portolan.config',
} as const;

/**
 * The program of a recovery: the first read of a database with a hot journal rolls it back. Runs with
 * better-sqlite3 at `modulePath`; exits 0 when the database reads afterwards.
 */
export function recoveryProgram(modulePath: string, databasePath: string): string {
  return `const Database = require(${JSON.stringify(modulePath)});
const db = new Database(${JSON.stringify(databasePath)}, { fileMustExist: true, timeout: 5000 });
db.pragma('trusted_schema = OFF');
db.prepare('SELECT count(*) FROM sqlite_schema').get();
db.close();`;
}
