/**
 * Attachments over the API. The name in the address is looked up among the message's attachments and never
 * used as a path by itself; the type that a browser is told is read from the bytes.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sessionPaths } from '../../../../shared/session-files.ts';
import { errorCode } from '../../../config/errors.ts';
import { safeFileNames } from '../../../sessions/attachments.ts';
import { sniffContentType } from '../../../sessions/content-type.ts';
import type { TranscriptMessage } from '../../../store/transcript.ts';
import type { ApiParts } from '../ports.ts';
import { notFound, Problem } from '../problem.ts';
import { findSession } from './sessions.ts';

/** Shown in place; no type that can carry script. */
const SAFE_IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

/** Throws Problem 404 for a name that the message has not, 410 when the host's copy is gone. */
export async function answerFile(parts: ApiParts, message: TranscriptMessage, name: string): Promise<Response> {
  const names = safeFileNames(message.attachments.map((attachment) => attachment.name));
  const known = names.find((one) => one === name);
  if (known === undefined) throw notFound('file');
  const path = join(folderOf(parts, message), known);
  const { handle, sizeBytes } = await openFile(path);
  try {
    const sniffed = await sniffContentType(path);
    const image = SAFE_IMAGES.has(sniffed) ? sniffed : null;
    const stream = createReadStream('', { fd: handle, start: 0, end: Math.max(0, sizeBytes - 1) });
    if (sizeBytes === 0) stream.destroy();
    const headers = {
      'Content-Type': image ?? 'application/octet-stream',
      'Content-Length': String(sizeBytes),
      'Content-Disposition': `${image === null ? 'attachment' : 'inline'}; ${formatFilename(known)}`,
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Cache-Control': 'private, max-age=3600',
    };
    return new Response(sizeBytes === 0 ? null : readableWeb(stream), { status: 200, headers });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Node's stream as the one that Response takes; the two declarations of it differ in name alone. */
function readableWeb(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

function folderOf(parts: ApiParts, message: TranscriptMessage): string {
  if (message.direction === 'out') return join(parts.sentFiles, message.id);
  const session = findSession(parts, message.sessionId);
  return join(sessionPaths(parts.home, session.agentGroupId, session.id).inFiles, message.id);
}

async function openFile(path: string): Promise<{ handle: FileHandle; sizeBytes: number }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new Problem(410, 'file_gone', 'The host has no copy of this file any more.', {
      expected: 'a file that was received or delivered here, and is not too old to be kept',
    });
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, sizeBytes: stats.size };
  await handle.close();
  throw notFound('file');
}

/** RFC 6266: a plain name for old clients, the true one percent-encoded. Nothing of the name leaves its quotes. */
function formatFilename(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9 ._-]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `filename="${plain}"; filename*=UTF-8''${encoded}`;
}
