import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { makeId } from '../../shared/ids.ts';
import { MAX_FILE_NAME_BYTES } from '../../shared/limits.ts';
import { MODES } from '../../shared/session-files.ts';
import { draftFor } from '../runner/replies.ts';
import { guessContentType } from './content-type.ts';
import { resolveTarget, type ToolContext } from './context.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  to: z.string().min(1).describe('name of the destination'),
  path: z.string().min(1).describe('file in your working folder'),
  text: z.string().optional().describe('Markdown to go with it'),
  reply_to: z.number().int().positive().optional().describe('id of the message this answers'),
});

/** The file is on disk before the row that names it is committed: the host never meets a name without a file. */
export const sendFile: Tool<typeof input> = {
  name: 'send_file',
  description: 'Send a file from your working folder, with an optional text.',
  input,
  async run({ to, path, text, reply_to }, context) {
    const target = resolveTarget(context, to, reply_to);
    if (!target.ok) return target.problem;
    const file = await findFile(path, context);
    if (!file.ok) return file;
    const attachment = {
      name: safeFileName(basename(file.path)),
      sizeBytes: file.sizeBytes,
      contentType: guessContentType(file.path),
    };
    const draft = draftFor(target.destination, target.answered, {
      kind: 'chat',
      content: { text: text ?? '', attachments: [attachment] },
    });
    const earlier = context.takeEarlier(draft);
    if (earlier) return { ok: true, text: `Sent as message ${earlier.seq}.`, messageId: earlier.id, seq: earlier.seq };
    const id = makeId('message', context.now());
    await copyDurably(file.path, join(context.outFiles, id, attachment.name));
    const row = context.send(draft, id);
    return { ok: true, text: `Sent ${attachment.name} as message ${row.seq}.`, messageId: row.id, seq: row.seq };
  },
};

type Found = { ok: true; path: string; sizeBytes: number } | { ok: false; text: string };

/** Links are followed first, so that what counts is where the file really is. */
async function findFile(path: string, context: ToolContext): Promise<Found> {
  const { agent, state } = context.paths;
  const wanted = isAbsolute(path) ? path : join(agent, path);
  const problem = (text: string): Found => ({ ok: false, text });
  try {
    const real = await realpath(wanted);
    const roots = await Promise.all([realpath(agent), realpath(state)]);
    if (!roots.some((root) => isInside(root, real))) {
      return problem(`${path} is outside your working folder. Copy it into ${agent} and send the copy.`);
    }
    const facts = await stat(real);
    if (!facts.isFile()) return problem(`${path} is not a file. Send files one by one, or pack a folder first.`);
    if (facts.size > context.session.limits.maxFileBytes) {
      return problem(`${path} has ${facts.size} bytes; at most ${context.session.limits.maxFileBytes} can be sent.`);
    }
    return { ok: true, path: real, sizeBytes: facts.size };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return problem(`There is no file ${path}. Write it first.`);
    if (code === 'ELOOP' || code === 'EACCES') return problem(`${path} cannot be read (${code}).`);
    throw error;
  }
}

function isInside(root: string, path: string): boolean {
  const below = relative(root, path);
  return below !== '' && !below.startsWith('..') && !isAbsolute(below);
}

async function copyDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: MODES.out });
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, MODES.outFile);
  for (const path of [to, dirname(to)]) {
    const handle = await open(path, 'r');
    await handle.sync();
    await handle.close();
  }
}

/** A name that is one, on every system: no separators, no controls, not hidden, not too long. */
export function safeFileName(name: string): string {
  const clean = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Surrogate}\\/:*?"<>|]/gu, '_')
    .replace(/^\.+/, '_')
    .trim();
  const dot = clean.lastIndexOf('.');
  const extension = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : '';
  let stem = extension ? clean.slice(0, dot) : clean;
  while (Buffer.byteLength(stem + extension) > MAX_FILE_NAME_BYTES) stem = [...stem].slice(0, -1).join('');
  return stem + extension || 'file';
}
