/** Collects what the doctor judges. Every look has a deadline and none changes anything but one probe file. */
import { constants, existsSync, readFileSync } from 'node:fs';
import { access, lstat, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../config/errors.ts';
import { type HomePaths, projectRoot } from '../../config/home.ts';
import { readMigrations } from '../../store/migrate.ts';
import { createHostApi } from '../client/api.ts';
import { CliError } from '../errors.ts';
import { readHomeHolder } from '../lock.ts';
import type {
  ClockFact,
  DatabaseFact,
  DiskFact,
  DoctorFacts,
  FileFact,
  HomeFact,
  HostFact,
  InotifyFact,
} from './facts.ts';
import { gatherAgentImages, gatherDocker, gatherImage } from './gather-docker.ts';
import { gatherModels } from './gather-models.ts';
import { gatherVault } from './gather-vault.ts';

/** Higher: doctor seems to hang beside a hung host. Lower: a busy one is called silent. */
const HOST_DEADLINE_MS = 3_000;

export interface DoctorPlace {
  paths: HomePaths;
  env: Readonly<Record<string, string | undefined>>;
  now: number;
}

export async function gatherFacts(place: DoctorPlace): Promise<DoctorFacts> {
  const { paths, env } = place;
  const docker = await gatherDocker(env);
  const [home, disk, host, holder, image, database, clock] = await Promise.all([
    gatherHome(paths),
    gatherDisk(paths.home),
    gatherHost(paths),
    readHomeHolder(paths.lock),
    gatherImage(docker, env),
    gatherDatabase(paths.centralDb),
    gatherClock(paths, env, place.now),
  ]);
  const agentImages = await gatherAgentImages(docker, database, paths.centralDb);
  const vault = await gatherVault(paths, env, database, host.kind === 'running' ? host.vault : null);
  const models = await gatherModels(paths, host, database);
  const nodeVersion = process.versions.node;
  return {
    nodeVersion,
    home,
    docker,
    image,
    agentImages,
    disk,
    database,
    vault,
    models,
    host,
    holder,
    clock,
    inotify: gatherInotify(),
  };
}

async function gatherHome(paths: HomePaths): Promise<HomeFact> {
  const path = paths.home;
  const folder = await describeFile(path);
  if (folder === null) return { kind: 'missing', path };
  if (!(await stat(path)).isDirectory()) return { kind: 'not-a-folder', path };
  const describeAll = async (candidates: string[]): Promise<FileFact[]> => {
    const files = await Promise.all(candidates.map(describeFile));
    return files.filter((file) => file !== null);
  };
  return {
    kind: 'folder',
    path,
    uid: process.getuid?.() ?? null,
    isWritable: await isAllowed(path, constants.W_OK | constants.X_OK),
    folder,
    secrets: await describeAll([paths.socket, paths.apiToken, paths.vaultKey, paths.vaultLock]),
    files: await describeAll([paths.centralDb, paths.logs, paths.sessions, paths.groups]),
    socketPathBytes: Buffer.byteLength(paths.socket),
  };
}

async function describeFile(path: string): Promise<FileFact | null> {
  try {
    const { mode, uid } = await lstat(path);
    return { path, mode: mode & 0o7777, uid };
  } catch (error) {
    // Not there, or in a folder that we may not enter: the folder's own finding says so.
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errorCode(error))) return null;
    throw error;
  }
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))) return false;
    throw error;
  }
}

async function gatherDisk(home: string): Promise<DiskFact> {
  let path = home;
  while (!existsSync(path)) path = dirname(path);
  const { bavail, blocks, bsize, files, ffree } = await statfs(path);
  const freeInodes = files === 0 ? null : ffree;
  return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes };
}

async function gatherHost(paths: HomePaths): Promise<HostFact> {
  const path = paths.socket;
  try {
    const status = await createHostApi(path).readStatus(AbortSignal.timeout(HOST_DEADLINE_MS));
    const { version, protocolVersion, engine, queue, gateway, vault } = status;
    const engineDetail = engine.detail ?? '';
    return {
      kind: 'running',
      version,
      protocolVersion,
      engineOk: engine.ok,
      engineDetail,
      overdue: queue.overdue,
      gateway,
      vault,
    };
  } catch (error) {
    if (error instanceof CliError) {
      if (error.code === 'host_not_running') {
        return existsSync(path) ? { kind: 'stale-socket', path } : { kind: 'stopped' };
      }
      if (error.code === 'socket_permission') return { kind: 'no-permission', path };
      return { kind: 'silent', path, reason: error.message };
    }
    if (errorCode(error) === 'ABORT_ERR') {
      return { kind: 'silent', path, reason: `no answer within ${HOST_DEADLINE_MS / 1000} s` };
    }
    throw error;
  }
}

async function gatherDatabase(path: string): Promise<DatabaseFact> {
  const known = readMigrations(join(projectRoot(), 'migrations', 'central')).at(-1)?.version ?? 0;
  if (!existsSync(path)) return { kind: 'missing', known };
  try {
    // Loaded here: a native module that does not fit this Node.js is a finding, not the end of doctor.
    const { readCentralVersion } = await import('../../store/read-version.ts');
    return { kind: 'version', version: await readCentralVersion(path), known };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: 'unreadable', reason: errorCode(error) || error.message };
  }
}

async function gatherClock(paths: HomePaths, env: DoctorPlace['env'], now: number): Promise<ClockFact> {
  const wanted = env.TZ;
  const resolved = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const newest = Math.max(0, ...(await Promise.all([paths.centralDb, paths.logFile].map(readMtime))));
  return {
    skewMs: await measureSkew(paths.home),
    futureMs: Math.max(0, newest - now),
    timeZone: wanted || resolved,
    isTimeZoneValid: wanted === undefined || wanted === '' || isTimeZone(wanted.replace(/^:/, '')),
    now,
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

async function readMtime(path: string): Promise<number> {
  return (await describeFile(path)) === null ? 0 : (await stat(path)).mtimeMs;
}

/** Stamps a file and compares: a home on a network file system has another machine's clock. */
async function measureSkew(home: string): Promise<number | null> {
  let folder: string;
  try {
    folder = await mkdtemp(join(home, '.doctor-'));
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EROFS', 'ENOTDIR', 'ENOSPC'].includes(errorCode(error))) return null;
    throw error;
  }
  try {
    const file = join(folder, 'stamp');
    await writeFile(file, '');
    return (await stat(file)).mtimeMs - Date.now();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function gatherInotify(): InotifyFact | null {
  const read = (name: string): number | null => {
    const path = `/proc/sys/fs/inotify/${name}`;
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : null;
  };
  const maxInstances = read('max_user_instances');
  const maxWatches = read('max_user_watches');
  return maxInstances === null || maxWatches === null ? null : { maxInstances, maxWatches };
}
