/**
 * Whether an agent's containers may see a folder of the machine, and how. Pure.
 *
 * I1. Absence of an allowlist, or of an entry, refuses. A check that could not run refuses.
 * I2. What counts is the real path: the one that is mounted is the one that was judged.
 * I3. Writable only when the allowlist says so and the config asks for it.
 * I4. Nothing lies in a folder that an agent may write: its container could put a link in the way.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Mount } from '../../store/agents.ts';
import { findCredential, findSystem, isWithin } from './places.ts';

/** An entry of the allowlist whose folder is there; `path` is its real path. */
export interface AllowedFolder {
  path: string;
  isReadOnly: boolean;
}

/** What is at the path now. */
export type Found =
  | { kind: 'folder'; realPath: string /** Device and inode. */; identity: string; inside: Inside }
  | { kind: 'missing' }
  /** A file, a socket, a device. */
  | { kind: 'no-folder' };

/** What lies up to two levels below. */
export type Inside =
  | { kind: 'clean' }
  /** A credential or a socket; below the folder. */
  | { kind: 'holds'; what: string }
  | { kind: 'unknown'; why: string };

export interface MountFacts {
  allowed: { kind: 'list'; folders: readonly AllowedFolder[] } | { kind: 'none' } | { kind: 'unusable'; why: string };
  found: Found;
  /** Real paths of the host's own: home, project, allowlist. */
  own: readonly string[];
  /** The real path of the host's user's home folder. */
  userHome: string;
  /** Real paths that agents may write, this mount's own aside. */
  writable: readonly string[];
  allowlistPath: string;
}

export type MountPlan =
  | { kind: 'mount'; source: string; identity: string; isReadOnly: boolean }
  /** `why` and `next` are for the admin. */
  | { kind: 'refuse'; why: string };

export const MOUNT_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Longest path taken. Linux itself takes 4096 bytes. */
const MAX_PATH_BYTES = 1_024;

/** The path in its normal form, or why it is none; says nothing about what is there. */
export function planPath(text: string): { kind: 'path'; path: string } | { kind: 'refuse'; why: string } {
  if (!text.startsWith('/')) return refuse('the path must be absolute, as /srv/reports');
  if (Buffer.byteLength(text) > MAX_PATH_BYTES) return refuse(`the path is longer than ${MAX_PATH_BYTES} bytes`);
  // Not in ones that are merely rare: a folder may be called in any language.
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(text)) {
    return refuse('the path has control or invisible characters');
  }
  if (/[:\\]/.test(text))
    return refuse('the path has a colon or a backslash, which container engines read as something else');
  const parts = text.split('/').filter((part) => part !== '');
  if (parts.includes('..') || parts.includes('.')) return refuse('write the path without "." and ".."');
  return { kind: 'path', path: `/${parts.join('/')}` };
}

export function planMount(asked: Mount, facts: MountFacts): MountPlan {
  const { allowed, found, own, userHome, writable, allowlistPath } = facts;
  if (!MOUNT_NAME.test(asked.name))
    return refuse('a name is 1 to 63 of a–z, 0–9 and "-", starting with a letter or digit');
  const path = planPath(asked.path);
  if (path.kind === 'refuse') return path;
  if (allowed.kind === 'none') return refuse(`there is no allowlist: ${allowlistPath}`);
  if (allowed.kind === 'unusable') return refuse(`the allowlist ${allowlistPath} is not used: ${allowed.why}`);
  if (found.kind === 'missing') return refuse('there is no such folder');
  if (found.kind === 'no-folder') return refuse('only folders are mounted, and this is none');
  const { realPath, inside, identity } = found;
  const where = realPath === path.path ? realPath : `${path.path} is ${realPath}, which`;
  const entry = findEntry(allowed.folders, realPath);
  if (entry === null)
    return refuse(`${where === realPath ? 'it' : where} is not in a folder that ${allowlistPath} allows`);
  const forbidden = findForbidden(realPath, own, userHome);
  if (forbidden !== null) return refuse(forbidden);
  if (inside.kind === 'holds') return refuse(`it holds ${inside.what}: choose a folder without it, or move that away`);
  if (inside.kind === 'unknown') return refuse(`what is in it could not be looked at: ${inside.why}`);
  // I4
  const holder = writable.find((other) => isWithin(realPath, other) && realPath !== other);
  if (holder !== undefined) return refuse(`it lies in ${holder}, which an agent may write`);
  // I3
  return { kind: 'mount', source: realPath, identity, isReadOnly: entry.isReadOnly || asked.isReadOnly };
}

/** Whether two configs give the same folders in the same way. */
export function isSameMounts(some: readonly Mount[], others: readonly Mount[]): boolean {
  const spell = (mounts: readonly Mount[]) =>
    mounts.map(({ name, path, isReadOnly }) => JSON.stringify([name, path, isReadOnly])).toSorted();
  return isDeepStrictEqual(spell(some), spell(others));
}

/** The narrowest entry decides. */
function findEntry(folders: readonly AllowedFolder[], path: string): AllowedFolder | null {
  const holding = folders.filter((folder) => isWithin(path, folder.path));
  const longest = Math.max(...holding.map((folder) => folder.path.length));
  const narrowest = holding.filter((folder) => folder.path.length === longest);
  // Written twice, the stricter line counts.
  return narrowest.find(({ isReadOnly }) => isReadOnly) ?? narrowest[0] ?? null;
}

function findForbidden(path: string, own: readonly string[], userHome: string): string | null {
  const credential = findCredential(path);
  if (credential !== null) return `it leads through ${credential}, where credentials are kept`;
  const system = findSystem(path, userHome);
  if (system !== null) return system;
  const mine = own.find((folder) => isWithin(path, folder) || isWithin(folder, path));
  return mine === undefined ? null : `it is, holds or lies in ${mine}, which is this host's own`;
}

function refuse(why: string): { kind: 'refuse'; why: string } {
  return { kind: 'refuse', why };
}
