/**
 * The container that Docker is asked for: every property that holds a hostile program in. Pure.
 * Each line is proved from inside a container by `test/host/runtime/hardening.test.ts`.
 */
import type { InstallId, SessionId } from '../../../shared/ids.ts';
import { CONTAINER_PATHS, FILE_NAMES, MOUNTS_PATH } from '../../../shared/session-files.ts';
import {
  type ContainerSpec,
  DriverFault,
  type FolderMount,
  LABELS,
  RECOVERY_EPOCH,
  recoveryProgram,
} from './driver.ts';

/** Scratch space in memory, counted against the container's memory. Lower: npm and git fail in /tmp. */
const TMP_BYTES = 64 * 1024 * 1024;
/** /dev/shm, counted likewise. Chromium and some Python libraries need a little. */
const SHM_BYTES = 16 * 1024 * 1024;
/** When the machine runs out of memory, the kernel takes an agent before it takes the host. */
const OOM_SCORE = 500;
/** Where the agent image keeps its packages; see container/Dockerfile. */
const IMAGE_SQLITE = '/app/node_modules/better-sqlite3';

/** One per session and install: a second create with this name conflicts, whoever asks (driver I2). */
export function containerName(installId: InstallId, sessionId: SessionId): string {
  return `portolan-${installId.slice(-8)}-${sessionId}`;
}

/** Body of `POST /containers/create`. Throws DriverFault `bad-spec` for a root user. */
export function containerRequest(spec: ContainerSpec) {
  const program =
    spec.command === undefined ? {} : { Entrypoint: spec.command.slice(0, 1), Cmd: spec.command.slice(1) };
  return {
    ...hardened(spec),
    ...program,
    WorkingDir: CONTAINER_PATHS.agent,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels, ...ownLabels(spec, spec.epoch) },
    HostConfig: {
      ...hardenedHost(spec),
      Mounts: [
        bind(spec.mounts.in, CONTAINER_PATHS.in, true),
        bind(spec.mounts.out, CONTAINER_PATHS.out, false),
        bind(spec.mounts.state, CONTAINER_PATHS.state, false),
        bind(spec.mounts.agent, CONTAINER_PATHS.agent, false),
        ...(spec.folders ?? []).map(bindFolder),
      ],
    },
  };
}

/** The throwaway container of a recovery: the same walls, no network, out/ alone. */
export function recoveryRequest(spec: ContainerSpec) {
  return {
    ...hardened(spec),
    Entrypoint: ['node'],
    Cmd: ['-e', recoveryProgram(IMAGE_SQLITE, `${CONTAINER_PATHS.out}/${FILE_NAMES.outboundDb}`)],
    WorkingDir: CONTAINER_PATHS.out,
    Env: [],
    Labels: ownLabels(spec, RECOVERY_EPOCH),
    HostConfig: {
      ...hardenedHost(spec),
      Mounts: [bind(spec.mounts.out, CONTAINER_PATHS.out, false)],
    },
  };
}

function hardened(spec: ContainerSpec) {
  const { uid, gid } = spec.user;
  if (!(uid > 0 && gid > 0)) {
    throw new DriverFault('bad-spec', `a container never runs as root, and ${uid}:${gid} was asked for`);
  }
  return {
    name: containerName(spec.installId, spec.sessionId),
    Image: spec.image,
    Hostname: 'agent',
    User: `${uid}:${gid}`,
    Tty: false,
    OpenStdin: false,
    StopSignal: 'SIGTERM',
    // A health check of the image would be a program that nobody asked for.
    Healthcheck: { Test: ['NONE'] },
  };
}

function hardenedHost({ limits, user }: ContainerSpec) {
  return {
    Privileged: false,
    // The only way out is the socket in in/: nothing of a spec can ask for another.
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    // Its user's own: some versions of runc give it the mode of the image's /tmp, whatever is asked for.
    Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${TMP_BYTES},mode=1777,uid=${user.uid},gid=${user.gid}` },
    CapDrop: ['ALL'],
    // Seccomp stays at the engine's default, which naming no profile asks for.
    SecurityOpt: ['no-new-privileges:true'],
    // A child that ignores signals, or leaves zombies, is the init's to handle: without it a stop takes the whole grace.
    Init: true,
    Memory: limits.memoryBytes,
    // Equal: no swap, so that a hog dies instead of grinding the disk.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.pids,
    OomScoreAdj: OOM_SCORE,
    ShmSize: SHM_BYTES,
    Ulimits: [
      { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
      { Name: 'fsize', Soft: limits.fileSizeBytes, Hard: limits.fileSizeBytes },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    IpcMode: 'private',
    CgroupnsMode: 'private' as const,
    // What it prints lands on the host's disk.
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
    // The runtime restarts with back-off and wants to see the exit code first.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
  };
}

function ownLabels(spec: ContainerSpec, epoch: number): Record<string, string> {
  return {
    [LABELS.install]: spec.installId,
    [LABELS.session]: spec.sessionId,
    [LABELS.agentGroup]: spec.agentGroupId,
    [LABELS.epoch]: String(epoch),
    [LABELS.config]: String(spec.configVersion),
  };
}

/** Without what is mounted below it: only the folder was judged. A name that climbs would cover other mounts. */
function bindFolder({ name, source, isReadOnly }: FolderMount) {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new DriverFault('bad-spec', 'a mount has a name that is a path');
  const { BindOptions: options, ...mount } = bind(source, `${MOUNTS_PATH}/${name}`, isReadOnly);
  return { ...mount, BindOptions: { ...options, NonRecursive: true } };
}

/** `Mounts` refuses a missing source, where `Binds` would create it as root. */
function bind(source: string, target: string, readOnly: boolean) {
  return {
    Type: 'bind' as const,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: { Propagation: 'rprivate' as const },
  };
}
