/**
 * The session folder: every path, pragma, owner and permission of the host–container contract, once.
 *
 *   <home>/sessions/<agentGroupId>/<sessionId>/        0700 host
 *     in/       0755 host       mounted read-only at /workspace/in
 *     out/      0700 container  mounted at /workspace/out
 *     state/    0700 container  mounted at /workspace/state
 *   <home>/groups/<folder>/     0700 container  mounted at /workspace/agent
 *
 * I1. The host alone writes in/, the container alone writes out/ and state/. The host creates
 *     both databases before the first wake and never opens outbound.db for writing after that.
 * I2. Each side has a doorbell: an empty file that it touches after a commit, and that the other side
 *     watches. A hint, that may be lost or doubled. Why not the databases themselves: one commit is thirty
 *     file events, each of which wakes the watcher, and the last comes before the lock is let go.
 */
import { join } from 'node:path';
import { BUSY_TIMEOUT_MS } from './limits.ts';

/** Where the folders appear inside a container. The `process` driver gives real paths instead. */
export const CONTAINER_PATHS = {
  in: '/workspace/in',
  out: '/workspace/out',
  state: '/workspace/state',
  agent: '/workspace/agent',
} as const;

/** In here are the folders of the machine that an agent was given, each under its name. */
export const MOUNTS_PATH = '/workspace/mounts';

/** Environment variables that tell the runner where the folders are, when not at CONTAINER_PATHS. */
export const RUNNER_ENV = {
  in: 'PORTOLAN_IN',
  out: 'PORTOLAN_OUT',
  state: 'PORTOLAN_STATE',
  agent: 'PORTOLAN_AGENT',
} as const;

/**
 * The Unix socket at which a runner's tools are reached by programs beside it. In the container's own /tmp,
 * mode 0600: the host never meets it. Short, because such a path may have 107 bytes.
 */
export function toolSocketPath(sessionId: string): string {
  return `/tmp/portolan-${sessionId}.sock`;
}

export interface WorkspacePaths {
  in: string;
  out: string;
  state: string;
  agent: string;
}

export const FILE_NAMES = {
  inboundDb: 'inbound.db',
  outboundDb: 'outbound.db',
  chart: 'destinations.json',
  tasks: 'tasks.json',
  session: 'session.json',
  files: 'files',
  heartbeat: 'heartbeat',
  doorbell: 'doorbell',
  gateway: 'gateway.sock',
} as const;

/** Paths of one session folder as the host sees them. */
export interface SessionPaths {
  root: string;
  in: string;
  out: string;
  state: string;
  inboundDb: string;
  outboundDb: string;
  chart: string;
  tasks: string;
  session: string;
  heartbeat: string;
  /** Touched by the host after a commit that the runner should hear of. Empty, as its counterpart is. */
  inDoorbell: string;
  /** Touched by the runner after a commit that the host should hear of. */
  outDoorbell: string;
  /** The host's gateway listens here while a container runs; see `gateway.ts`. */
  gateway: string;
  inFiles: string;
  outFiles: string;
}

/** `agentGroupId` and `sessionId` are ids made by `makeId`, so they cannot climb out of `home`. */
export function sessionPaths(home: string, agentGroupId: string, sessionId: string): SessionPaths {
  const root = join(home, 'sessions', agentGroupId, sessionId);
  return { root, state: join(root, 'state'), ...workspaceFiles(join(root, 'in'), join(root, 'out')) };
}

/** The files inside `in/` and `out/`, wherever those two are. */
export function workspaceFiles(inFolder: string, outFolder: string): Omit<SessionPaths, 'root' | 'state'> {
  return {
    in: inFolder,
    out: outFolder,
    inboundDb: join(inFolder, FILE_NAMES.inboundDb),
    outboundDb: join(outFolder, FILE_NAMES.outboundDb),
    chart: join(inFolder, FILE_NAMES.chart),
    tasks: join(inFolder, FILE_NAMES.tasks),
    session: join(inFolder, FILE_NAMES.session),
    heartbeat: join(outFolder, FILE_NAMES.heartbeat),
    inDoorbell: join(inFolder, FILE_NAMES.doorbell),
    outDoorbell: join(outFolder, FILE_NAMES.doorbell),
    gateway: join(inFolder, FILE_NAMES.gateway),
    inFiles: join(inFolder, FILE_NAMES.files),
    outFiles: join(outFolder, FILE_NAMES.files),
  };
}

export const MODES = {
  sessionRoot: 0o700,
  in: 0o755,
  inFile: 0o644,
  out: 0o700,
  outFile: 0o600,
  state: 0o700,
} as const;

/**
 * Set on every connection to a session database, by its writer. Not WAL: its shared-memory index
 * must not cross the mount. `synchronous=FULL`: what was accepted survives a power cut (I8).
 *
 * PERSIST, not DELETE: the end of a commit is a synced write of zeros over the journal's header, where DELETE
 * removes the file without waiting for the folder, so that a power cut may bring the journal, and the state before
 * the commit, back. Making and removing a file for each commit also costs a fifth of its time.
 */
export const WRITER_PRAGMAS = [
  'journal_mode = PERSIST',
  // A journal keeps the size of the largest commit; what is beyond this is given back.
  'journal_size_limit = 1048576',
  'synchronous = FULL',
  'foreign_keys = ON',
  'trusted_schema = OFF',
] as const;

/** Set on every connection that only reads the other side's file (I3). */
export const READER_PRAGMAS = [
  'query_only = ON',
  'trusted_schema = OFF',
  'cell_size_check = ON',
  'mmap_size = 0',
] as const;

/** The container may wait this long for a lock. The host never blocks: it opens with 0 and tries again later. */
export const CONTAINER_BUSY_TIMEOUT_MS = BUSY_TIMEOUT_MS;
