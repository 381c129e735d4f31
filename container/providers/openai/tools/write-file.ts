/** The tools `write_file` and `edit_file`. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { MAX_EDIT_BYTES, MAX_INPUT_BYTES } from '../limits.ts';
import { fine, mistake, type OwnTool } from './own-tool.ts';

const WRITE_TIMEOUT_MS = 60_000;
const path = z.string().min(1).describe('relative to your folder, or absolute');

const writeInput = z.strictObject({ path, content: z.string().max(MAX_INPUT_BYTES).describe('all of the file') });

export const writeFile: OwnTool<typeof writeInput> = {
  name: 'write_file',
  description:
    'Writes a whole file, and makes its folders. What was in it before is gone; to change a part, use edit_file.',
  input: writeInput,
  timeoutMs: () => WRITE_TIMEOUT_MS,
  async run({ path, content }, { agentFolder }) {
    const full = resolve(agentFolder, path);
    await mkdir(dirname(full), { recursive: true });
    const was = await sizeOf(full);
    if (was === 'other') return mistake(`${path}: this is no regular file, so nothing was written.`);
    await replace(full, content);
    return fine(`${path} ${was === null ? 'was made' : 'was replaced'}: ${Buffer.byteLength(content)} bytes.`);
  },
};

const editInput = z.strictObject({
  path,
  old_text: z.string().min(1).describe('exactly as it stands in the file, with its spaces; enough of it to be unique'),
  new_text: z.string().max(MAX_INPUT_BYTES).describe('what takes its place'),
  replace_all: z.boolean().optional().describe('every place, instead of the only one'),
});

export const editFile: OwnTool<typeof editInput> = {
  name: 'edit_file',
  description: 'Replaces a text in a file. It must stand there exactly once, unless replace_all is true.',
  input: editInput,
  timeoutMs: () => WRITE_TIMEOUT_MS,
  async run({ path, old_text, new_text, replace_all = false }, { agentFolder }) {
    const full = resolve(agentFolder, path);
    const size = await sizeOf(full);
    if (size === null) return mistake(`${path}: there is no such file. write_file makes one.`);
    if (size === 'other') return mistake(`${path}: this is no regular file.`);
    if (size > MAX_EDIT_BYTES)
      return mistake(`${path} is too large for this tool (${size} bytes). Use a program, through bash.`);
    if (old_text === new_text) return mistake('old_text and new_text are the same, so there is nothing to do.');
    const bytes = await readFile(full);
    const text = bytes.toString('utf8');
    // Writing it back would destroy what is no text.
    if (!Buffer.from(text).equals(bytes)) return mistake(`${path} is no text in UTF-8. Use a program, through bash.`);
    const count = countOf(text, old_text);
    if (count === 0) return mistake(describeMissing(path, text, old_text));
    if (count > 1 && !replace_all) {
      return mistake(
        `old_text stands ${count} times in ${path}. Give more of the lines around it, or set replace_all.`,
      );
    }
    await replace(full, text.split(old_text).join(new_text));
    return fine(`${path}: ${count === 1 ? 'one place was' : `${count} places were`} replaced.`);
  },
};

/** Null: nothing is there. */
async function sizeOf(full: string): Promise<number | 'other' | null> {
  try {
    const about = await stat(full);
    return about.isFile() ? about.size : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all, with the rights that it had, and through a link to where it leads. */
async function replace(full: string, content: string): Promise<void> {
  let target = full;
  let mode = 0o660;
  try {
    target = await realpath(full);
    mode = (await stat(target)).mode & 0o777;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const temporary = join(dirname(target), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await using file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rename(temporary, target);
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** Most misses are spaces: then the right lines are near. */
function describeMissing(path: string, text: string, old: string): string {
  const loose = (line: string) => line.replace(/\s+/g, ' ').trim();
  const first = loose(old.split('\n').find((line) => line.trim() !== '') ?? '');
  const at = first === '' ? -1 : text.split('\n').findIndex((line) => loose(line).includes(first));
  const hint =
    at === -1 ? '' : ` Line ${at + 1} is like its beginning, but not the same: look at spaces and line ends.`;
  return `old_text does not stand in ${path}.${hint} Read the file, and copy the text exactly.`;
}
