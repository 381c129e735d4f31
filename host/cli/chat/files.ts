/** Files of a chat: read from here to be sent, written here when a person saves one. */
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE } from '../../../shared/limits.ts';
import { errorCode } from '../../config/errors.ts';
import type { FileToSend } from '../client/resources/messages.ts';
import { CliError, EXIT } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { formatBytes } from '../output/units.ts';

/** Reads files for one message. Throws CliError naming the file and what was expected. */
export async function readFilesToSend(paths: readonly string[], cwd: string): Promise<FileToSend[]> {
  if (paths.length > MAX_FILES_PER_MESSAGE) {
    throw new CliError(EXIT.usage, 'too_many_files', `${paths.length} files are too many for one message.`, {
      expected: `at most ${MAX_FILES_PER_MESSAGE}`,
    });
  }
  return Promise.all(paths.map((path) => readFileToSend(path, cwd)));
}

async function readFileToSend(typed: string, cwd: string): Promise<FileToSend> {
  const path = resolve(cwd, expandHome(typed));
  const fail = (message: string, expected: string): CliError =>
    new CliError(EXIT.usage, 'bad_file', `${message}: ${oneLine(path)}`, { expected });
  try {
    const { size, ...kind } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!kind.isFile) throw fail('Not a regular file', 'a file, not a folder or device');
    if (size > MAX_FILE_BYTES) throw fail(`The file is ${formatBytes(size)}`, `at most ${formatBytes(MAX_FILE_BYTES)}`);
    return { name: basename(path), content: await readFile(path) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw fail('There is no file', 'the path of a file on this machine');
    if (errorCode(error) === 'EACCES') throw fail('You may not read', 'a file that you may read');
    throw error;
  }
}

/** `~/x` as a shell would have it: readline gets it unexpanded. */
function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Tries of names `report-2.pdf`, `report-3.pdf`… before giving up. */
const MAX_NAME_TRIES = 1_000;

/**
 * Writes a received file without ever replacing one, and returns its path. `target` is a path that the person
 * typed, or null for the sender's name in `cwd`. The sender's name is hostile: no folders, no leading dot or
 * dash, nothing invisible.
 */
export async function saveReceivedFile(
  name: string,
  content: Buffer,
  target: string | null,
  cwd: string,
): Promise<string> {
  const wanted = target === null ? join(cwd, safeFileName(name)) : resolve(cwd, expandHome(target));
  await mkdir(dirname(wanted), { recursive: true });
  const extension = extname(wanted);
  for (let number = 1; number <= MAX_NAME_TRIES; number++) {
    const path = number === 1 ? wanted : `${wanted.slice(0, wanted.length - extension.length)}-${number}${extension}`;
    try {
      // `wx` neither replaces a file nor follows a link that has the name.
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(content).finally(() => file.close());
      return path;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      if (target !== null) {
        throw new CliError(EXIT.refused, 'file_exists', `The file exists: ${oneLine(path)}`, {
          expected: 'a new name',
        });
      }
    }
  }
  throw new CliError(EXIT.failed, 'file_exists', `Every name like ${oneLine(wanted)} is taken.`);
}

/** A received name as one harmless path component. */
export function safeFileName(name: string): string {
  const cleaned = oneLine(name)
    .replace(/[/\\]/g, '_')
    .replace(/^[.\-\s]+/, '');
  return cleaned === '' ? 'file' : cleaned;
}
