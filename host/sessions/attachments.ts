/** Files beside messages, both ways. Names are made safe, contents are never executed nor followed through links. */
import { closeSync, createReadStream, createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MAX_FILE_BYTES, MAX_FILE_NAME_BYTES } from '../../shared/limits.ts';
import type { Attachment } from '../../shared/messages.ts';
import { FILE_NAMES, MODES, type SessionPaths } from '../../shared/session-files.ts';
import { sniffContentType } from './content-type.ts';
import { openInside } from './safe-open.ts';

/**
 * A name that is safe on disk, in a header and in a prompt: one path component, no control characters,
 * no leading dot. Never empty.
 */
export function safeFileName(name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  // Control, format (bidi overrides, zero width) and surrogate characters.
  let safe = last
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .replace(/^[.\s]+/, '')
    .trim();
  while (Buffer.byteLength(safe) > MAX_FILE_NAME_BYTES) safe = shorten(safe);
  return safe === '' ? 'file' : safe;
}

/** Takes one character off the stem, so that the extension stays. */
function shorten(name: string): string {
  const dot = name.lastIndexOf('.');
  const characters = [...(dot > 0 && name.length - dot <= 12 ? name.slice(0, dot) : name)];
  const extension = dot > 0 && name.length - dot <= 12 ? name.slice(dot) : '';
  return characters.slice(0, -1).join('') + extension;
}

/** Distinct safe names for a list of names, in order. */
export function safeFileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const safe = safeFileName(name);
    let candidate = safe;
    for (let number = 2; taken.has(candidate.toLowerCase()); number++) candidate = `${number}-${safe}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** What a message says of files that came in: safe names, and sizes and types of the host's own looking. */
export async function describeIncoming(
  files: readonly { path: string; name: string }[],
): Promise<{ path: string; attachment: Attachment }[]> {
  const names = safeFileNames(files.map((file) => file.name));
  return Promise.all(
    files.map(async ({ path }, at) => {
      const [{ size }, contentType] = await Promise.all([stat(path), sniffContentType(path)]);
      return { path, attachment: { name: names[at] ?? 'file', sizeBytes: size, contentType } };
    }),
  );
}

/** Puts host-owned files into `in/files/<messageId>/`, readable for the container. */
export async function placeIncoming(
  paths: SessionPaths,
  messageId: string,
  files: readonly { path: string; attachment: Attachment }[],
): Promise<void> {
  if (files.length === 0) return;
  const folder = join(paths.inFiles, messageId);
  await mkdir(folder, { recursive: true, mode: MODES.in });
  await chmod(folder, MODES.in);
  for (const file of files) {
    const target = join(folder, file.attachment.name);
    await copyFile(file.path, target);
    await chmod(target, MODES.inFile);
  }
}

export type CollectedFile = { name: string; sizeBytes: number; contentType: string; path: string };
export type Collected =
  | { kind: 'files'; files: CollectedFile[] }
  | { kind: 'refused'; reason: string }
  /** The session has used up what it may copy for now. */
  | { kind: 'too-fast' };

/**
 * Copies what an outgoing message names from the container's folder into `target`, which the host owns.
 * A file that is a link, no regular file, missing or too large refuses the whole message. `maySpend` is asked
 * before each copy: a sparse file costs the container nothing and the host its whole length.
 */
export async function collectOutgoing(
  paths: SessionPaths,
  messageId: string,
  attachments: readonly Attachment[],
  target: string,
  maySpend: (bytes: number) => boolean,
): Promise<Collected> {
  if (attachments.length === 0) return { kind: 'files', files: [] };
  await mkdir(target, { recursive: true, mode: 0o700 });
  const safeNames = safeFileNames(attachments.map((attachment) => attachment.name));
  const files: CollectedFile[] = [];
  for (const [at, attachment] of attachments.entries()) {
    const opened = openInside(paths.out, [FILE_NAMES.files, messageId, attachment.name], MAX_FILE_BYTES);
    if (opened.kind === 'refused') {
      await rm(target, { recursive: true, force: true });
      return { kind: 'refused', reason: `attachment ${at + 1}: ${opened.reason}` };
    }
    if (!maySpend(opened.stats.size)) {
      closeSync(opened.fd);
      await rm(target, { recursive: true, force: true });
      return { kind: 'too-fast' };
    }
    const name = safeNames[at] ?? 'file';
    const path = join(target, name);
    // `end` bounds the copy: the container may go on appending to the file.
    const source = createReadStream('', { fd: opened.fd, end: Math.max(0, opened.stats.size - 1), autoClose: true });
    if (opened.stats.size === 0) source.destroy();
    await (opened.stats.size === 0
      ? pipeline([], createWriteStream(path, { mode: 0o600 }))
      : pipeline(source, createWriteStream(path, { mode: 0o600 })));
    // Of the copy: the container may have cut its file short meanwhile, and what it says of the type is input.
    files.push({ name, sizeBytes: (await stat(path)).size, contentType: await sniffContentType(path), path });
  }
  return { kind: 'files', files };
}
