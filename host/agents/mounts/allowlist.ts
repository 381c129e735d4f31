/**
 * The file that says which folders of the machine agents may see:
 *
 *   { "version": 1, "allow": [{ "path": "/srv/reports", "readOnly": true }] }
 *
 * It lies outside the project and the home, where no container can write; it, and every folder above it, belongs to
 * root or the host's user and is written by nobody else. Else nothing is allowed.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../config/errors.ts';
import { isWithin } from './places.ts';
import type { AllowedFolder, MountFacts } from './plan.ts';

/** Higher: a wrong file fills memory. Lower: long lists do not fit. */
const MAX_BYTES = 64 * 1024;
const MAX_ENTRIES = 200;

const allowlistSchema = z.strictObject({
  version: z.literal(1),
  allow: z
    .array(
      z.strictObject({
        path: z.string().startsWith('/', 'an absolute path'),
        /** Containers may write only where this is false. */
        readOnly: z.boolean().default(true),
      }),
    )
    .max(MAX_ENTRIES),
});

export interface AllowlistPlace {
  path: string;
  /** Real paths that it must not lie in: where containers or updates write. */
  outside: readonly string[];
  hostUid: number;
}

/** Never throws for what is wrong with the file. Entries whose folder is missing are left out. */
export function readAllowlist({ path, outside, hostUid }: AllowlistPlace): MountFacts['allowed'] {
  let text: string;
  try {
    // A link could be moved under the eyes of who checked it.
    if (lstatSync(path).isSymbolicLink()) return unusable('it is a link');
    const place = realpathSync(path);
    const holder = outside.find((folder) => isWithin(place, folder));
    if (holder !== undefined) return unusable(`it lies in ${holder}; it must lie outside`);
    for (let folder = dirname(place); ; folder = dirname(folder)) {
      const flaw = findFlaw(statSync(folder), hostUid);
      if (flaw !== null) return unusable(`${folder} ${flaw}`);
      if (folder === '/') break;
    }
    const read = readChecked(place, hostUid);
    if (read.kind === 'unusable') return read;
    text = read.text;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { kind: 'none' };
    if (code === '') throw error;
    return unusable(`it cannot be read (${code})`);
  }
  return parseAllowlist(text);
}

/** The file's text, checked on what was opened. */
function readChecked(path: string, hostUid: number): { kind: 'text'; text: string } | ReturnType<typeof unusable> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return unusable('it is no file');
    const flaw = findFlaw(stats, hostUid);
    if (flaw !== null) return unusable(`it ${flaw}`);
    if (stats.size > MAX_BYTES) return unusable(`it is larger than ${MAX_BYTES} bytes`);
    return { kind: 'text', text: readFileSync(fd, 'utf8') };
  } finally {
    closeSync(fd);
  }
}

function parseAllowlist(text: string): MountFacts['allowed'] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return unusable('it is not JSON');
    throw error;
  }
  const parsed = allowlistSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return unusable(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is not as expected'}`);
  }
  return { kind: 'list', folders: parsed.data.allow.flatMap(({ path, readOnly }) => toFolder(path, readOnly)) };
}

function toFolder(path: string, isReadOnly: boolean): AllowedFolder[] {
  try {
    return [{ path: realpathSync(path), isReadOnly }];
  } catch (error) {
    // Nothing lies in a folder that is not there.
    if (errorCode(error) === '') throw error;
    return [];
  }
}

/** Who could write it, beside root and the host's user. */
function findFlaw({ uid, mode }: { uid: number; mode: number }, hostUid: number): string | null {
  if (uid !== 0 && uid !== hostUid) return `belongs to user ${uid}; it must belong to root or the host's user`;
  const isSticky = (mode & 0o1000) !== 0 && (mode & 0o170_000) === 0o040_000;
  if ((mode & 0o022) !== 0 && !isSticky) return 'can be written by others: chmod go-w';
  return null;
}

function unusable(why: string): { kind: 'unusable'; why: string } {
  return { kind: 'unusable', why };
}
