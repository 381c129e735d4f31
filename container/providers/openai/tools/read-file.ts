/** The tool `read_file`: text by lines, pictures and PDFs as what they show. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { sniff } from '../../media-kind.ts';
import { MAX_LINE_CHARS, MAX_READ_BYTES, MAX_READ_LINES, MAX_RESULT_BYTES } from '../limits.ts';
import { fine, mistake, type OwnResult, type OwnTool } from './own-tool.ts';

const input = z.strictObject({
  path: z.string().min(1).describe('relative to your folder, or absolute'),
  offset: z.number().int().positive().optional().describe('first line to read; 1 when absent'),
  limit: z.number().int().positive().max(MAX_READ_LINES).optional().describe('number of lines'),
});

const READ_TIMEOUT_MS = 60_000;
/** Enough to tell what a file is. */
const HEAD_BYTES = 8_192;
const CHUNK_BYTES = 256 * 1024;

export const readFile: OwnTool<typeof input> = {
  name: 'read_file',
  description:
    `Reads a file: text with line numbers, ${MAX_READ_LINES} lines at most, from \`offset\`; pictures (PNG, JPEG, GIF, ` +
    'WebP) and PDFs are shown to you, if you can see.',
  input,
  timeoutMs: () => READ_TIMEOUT_MS,
  async run({ path, offset = 1, limit = MAX_READ_LINES }, { agentFolder, media, signal }) {
    const full = resolve(agentFolder, path);
    // Not blocking: a pipe without a writer would be waited for.
    await using file = await open(full, constants.O_RDONLY | constants.O_NONBLOCK);
    const about = await file.stat();
    if (about.isDirectory()) return mistake(`${path}: this is a folder; list it with list_files.`);
    if (!about.isFile()) return mistake(`${path}: this is no regular file.`);
    const head = await readHead(file);
    if (sniff(head) !== null) {
      const taken = media.take(full);
      if (taken.kind === 'media') return fine(`${path} (${taken.media.contentType}) is shown to you.`, [taken.media]);
      return mistake(taken.kind === 'refused' ? `${taken.why}.` : `${path} is too large to be shown.`);
    }
    if (head.includes(0)) {
      return mistake(`${path} is no text (${about.size} bytes). Look at it with a program, through bash.`);
    }
    return await readLines(file, path, offset, limit, signal);
  },
};

async function readHead(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

/** In pieces: a log of gigabytes is never held. */
async function readLines(
  file: FileHandle,
  path: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<OwnResult> {
  const lines = new LineWindow(offset, limit);
  const decoder = new TextDecoder();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = 0;
  let isWhole = false;
  while (!lines.isFull && position < MAX_READ_BYTES && !signal.aborted) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    isWhole = bytesRead === 0;
    if (isWhole) break;
    position += bytesRead;
    lines.add(decoder.decode(chunk.subarray(0, bytesRead), { stream: true }));
  }
  if (isWhole) lines.end();
  const { shown, lastLine } = lines;
  if (isWhole && lastLine === 0) return fine(`${path} is empty.`);
  if (shown.length === 0) return mistake(`${path} has ${lastLine} lines; offset ${offset} is behind them.`);
  const more = isWhole ? '' : `\n(more follows: go on with offset ${offset + shown.length})`;
  return fine(shown.map((line, index) => `${offset + index}\t${line}`).join('\n') + more);
}

/** The lines from `offset` on, as many as fit; long ones are cut. */
class LineWindow {
  readonly shown: string[] = [];
  lastLine = 0;
  readonly #offset: number;
  readonly #limit: number;
  #line = '';
  #hasText = false;
  #bytes = 0;
  isFull = false;

  constructor(offset: number, limit: number) {
    this.#offset = offset;
    this.#limit = limit;
  }

  add(text: string): void {
    const pieces = text.split('\n');
    for (const [index, piece] of pieces.entries()) {
      if (this.isFull) return;
      if (index > 0) this.#close();
      // One character more than is shown tells that it was cut.
      if (this.#line.length <= MAX_LINE_CHARS) this.#line += piece.slice(0, MAX_LINE_CHARS + 1 - this.#line.length);
      if (piece !== '') this.#hasText = true;
    }
  }

  end(): void {
    if (this.#hasText && !this.isFull) this.#close();
  }

  #close(): void {
    this.lastLine++;
    const line = this.#line.replace(/\r$/, '');
    this.#line = '';
    this.#hasText = false;
    if (this.lastLine < this.#offset) return;
    const cut = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}… (cut)` : line;
    this.#bytes += Buffer.byteLength(cut) + 8;
    if (this.shown.length > 0 && this.#bytes > MAX_RESULT_BYTES) this.isFull = true;
    else this.shown.push(cut);
    if (this.shown.length >= this.#limit) this.isFull = true;
  }
}
