/**
 * Makes a session's folder and both databases, before the first wake (I1). After that the host never
 * opens outbound.db for writing.
 *
 * Owners: with a root host every session's container runs as its own uid, so that two sessions share
 * neither files nor the kernel's per-uid limits (processes, inotify). Without root the container runs
 * as the host's user: only root may give files away.
 */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { AgentGroupId } from '../../shared/ids.ts';
import { FILE_NAMES, MODES, type SessionPaths, WRITER_PRAGMAS } from '../../shared/session-files.ts';
import { INBOUND_SCHEMA, OUTBOUND_SCHEMA } from '../../shared/session-schema.ts';

export interface ContainerUser {
  uid: number;
  gid: number;
}

/** First uid and gid given to containers: above the users that Debian makes. */
const FIRST_CONTAINER_ID = 200_000;
/** Ids that sessions, and agents, share by turns once there are more of them than this. */
const CONTAINER_IDS = 60_000;

/**
 * The user that a session's container runs as. `hostUid` is the host process's. The gid is the agent
 * group's, whose sessions share one working folder.
 */
export function containerUser(
  hostUid: number,
  hostGid: number,
  session: { userOffset: number; agentGroupId: AgentGroupId },
): ContainerUser {
  if (hostUid !== 0) return { uid: hostUid, gid: hostGid };
  return { uid: FIRST_CONTAINER_ID + (session.userOffset % CONTAINER_IDS), gid: agentGid(session.agentGroupId) };
}

/** The group that all containers of an agent run as, with a root host. */
export function agentGid(agentGroupId: AgentGroupId): number {
  const agentNumber = createHash('sha256').update(agentGroupId).digest().readUInt32BE(0);
  return FIRST_CONTAINER_ID + (agentNumber % CONTAINER_IDS);
}

/** The same, for this process. */
export function hostContainerUser(session: { userOffset: number; agentGroupId: AgentGroupId }): ContainerUser {
  return containerUser(process.getuid?.() ?? 0, process.getgid?.() ?? 0, session);
}

/** Creates what is missing; may be repeated after a crash in the middle. */
export function createSessionFolder(paths: SessionPaths, user: ContainerUser): void {
  mkdirSync(paths.root, { recursive: true, mode: MODES.sessionRoot });
  makeFolder(paths.in, MODES.in);
  makeFolder(paths.inFiles, MODES.in);
  makeDatabase(paths.inboundDb, INBOUND_SCHEMA, MODES.inFile);
  makeEmptyFile(paths.inDoorbell, MODES.inFile);
  if (existsSync(paths.out) && existsSync(paths.state)) return;
  const making = `${paths.out}.making`;
  mkdirSync(making, { recursive: true, mode: MODES.out });
  makeContainerFolder(paths, making, user);
}

/** Builds out/ beside its place and renames it, so that a half-made one is never mounted. */
function makeContainerFolder(paths: SessionPaths, making: string, user: ContainerUser): void {
  makeFolder(paths.state, MODES.state);
  chownSync(paths.state, user.uid, user.gid);
  if (existsSync(paths.out)) return;
  const names = {
    db: join(making, FILE_NAMES.outboundDb),
    heartbeat: join(making, FILE_NAMES.heartbeat),
    doorbell: join(making, FILE_NAMES.doorbell),
    files: join(making, FILE_NAMES.files),
  };
  makeDatabase(names.db, OUTBOUND_SCHEMA, MODES.outFile);
  makeFolder(names.files, MODES.out);
  makeEmptyFile(names.doorbell, MODES.outFile);
  makeEmptyFile(names.heartbeat, MODES.outFile);
  utimesSync(names.heartbeat, 0, 0);
  for (const path of [names.db, names.files, names.doorbell, names.heartbeat, making])
    chownSync(path, user.uid, user.gid);
  renameSync(making, paths.out);
}

function makeEmptyFile(path: string, mode: number): void {
  closeSync(openSync(path, 'a', mode));
  chmodSync(path, mode);
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
}

function makeDatabase(path: string, schema: readonly string[], mode: number): void {
  const db = new Database(path);
  try {
    for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
    // A journal that stays would be the host's: the container could not write to its own.
    db.pragma('journal_mode = DELETE');
    const made = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
    if (made === 0) {
      db.transaction(() => {
        for (const statement of schema) db.exec(statement);
      })();
    }
  } finally {
    db.close();
  }
  chmodSync(path, mode);
}
