/**
 * Multipart bodies, streamed to disk: nothing of a file is held in memory, its name decides no path, and
 * its type is read from its bytes.
 *
 *   <home>/uploads/<uploadId>/0, 1, 2 …      removed when the message is committed or refused
 */
import { createWriteStream, readdirSync, rmSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { isId, makeId } from '../../../shared/ids.ts';
import { MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE, MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { Fault, toDiskFault } from '../../config/errors.ts';
import type { InboundFile } from '../../routing/inbound.ts';
import { sniffContentType } from '../../sessions/content-type.ts';
import { Problem } from './problem.ts';

export interface Upload {
  fields: ReadonlyMap<string, string>;
  files: InboundFile[];
  /** Removes the staged files. */
  discard(): Promise<void>;
}

const MIB = 1024 * 1024;
/** Files, fields and the lines between them. */
const MAX_BODY_BYTES = MAX_FILES_PER_MESSAGE * MAX_FILE_BYTES + MIB;
const FIELDS = new Set(['text', 'clientId']);
const FORM = 'multipart/form-data with the fields text, clientId and file (repeated)';

/** Reads a multipart body into a fresh folder under `uploads`. Throws Problem 400, 413, Fault `disk_full`; nothing stays then. */
export async function readUpload(request: IncomingMessage, uploads: string): Promise<Upload> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    throw new Problem(413, 'too_large', 'The message is too large.', {
      expected: `at most ${MAX_FILES_PER_MESSAGE} files of ${MAX_FILE_BYTES / MIB} MiB`,
    });
  }
  const folder = join(uploads, makeId('upload'));
  const discard = () => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const reception = new Reception(folder);
    await reception.receive(request);
    const files = await Promise.all(reception.staged.map((file) => describe(file)));
    return { fields: reception.fields, files, discard };
  } catch (error) {
    await discard();
    if (toDiskFault(error)?.code === 'disk_full') {
      throw new Fault('disk_full', 'the disk of the host is full: no file can be taken now', {
        cause: error,
        retryable: true,
        hint: 'free some disk space, then send it again',
      });
    }
    throw error;
  }
}

/** Removes what a host that was killed in the middle of an upload left. Only while no upload is under way. */
export function discardStagedUploads(uploads: string): void {
  for (const name of readdirSync(uploads)) {
    if (isId('upload', name)) rmSync(join(uploads, name), { recursive: true, force: true });
  }
}

interface Staged {
  name: string;
  path: string;
}

/**
 * One body on its way to disk. The first failure ends it; open files are closed before it is told.
 *
 * The parser is fed by hand, one chunk after the other: what it throws on hostile input then lands here,
 * and not outside of every handler, where it would end the host.
 */
class Reception {
  readonly fields = new Map<string, string>();
  readonly staged: Staged[] = [];
  readonly #folder: string;
  readonly #writes: Promise<void>[] = [];
  readonly #streams = new Set<Readable>();
  #failed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async receive(request: IncomingMessage): Promise<void> {
    const parser = openParser(request);
    try {
      await this.#parse(request, parser);
      await Promise.all(this.#writes);
    } catch (error) {
      // No event of the parser reaches this line before its call has returned: it may be destroyed.
      // With an error: a stream that is destroyed without one at its very end leaves its pipeline waiting.
      for (const stream of this.#streams) stream.destroy(new Error('the upload failed', { cause: error }));
      await Promise.allSettled(this.#writes);
      parser.destroy();
      throw error;
    }
  }

  /** Resolves when all of the body was parsed. Rejects with the first failure. */
  #parse(request: IncomingMessage, parser: busboy.Busboy): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const feed = (chunk: Buffer) => {
        request.pause();
        try {
          parser.write(chunk, () => request.resume());
        } catch (error) {
          fail(malformed(error));
        }
      };
      const fail = (error: Error) => {
        this.#failed = true;
        request.off('data', feed);
        request.resume();
        reject(error);
      };
      parser.on('field', (name, value, info) => this.#takeField(name, value, info.valueTruncated, fail));
      parser.on('file', (field, stream, info) => this.#takeFile(field, stream, info.filename, fail));
      parser.on('filesLimit', () => fail(tooManyFiles()));
      parser.on('fieldsLimit', () => fail(malformed()));
      parser.on('partsLimit', () => fail(malformed()));
      parser.on('error', (error) => fail(malformed(error)));
      parser.on('close', resolve);
      // Also when all of it came, and is lost with the connection before it was read here.
      const closed = () => {
        if (!request.readableEnded) fail(cutOff());
      };
      request.once('close', closed);
      request.on('end', () => parser.end());
      request.on('data', feed);
      // Whoever leaves at once has left before this listens.
      if (request.destroyed) closed();
    });
  }

  #takeField(name: string, value: string, truncated: boolean, fail: (error: Error) => void): void {
    if (truncated) fail(new Problem(413, 'too_large', 'A field of the form is too long.', { expected: '64 KiB' }));
    else if (!FIELDS.has(name) || this.fields.has(name)) fail(malformed());
    else this.fields.set(name, value);
  }

  #takeFile(field: string, stream: Readable, name: string | undefined, fail: (error: Error) => void): void {
    if (field !== 'file') fail(malformed());
    if (this.#failed) {
      stream.resume();
      return;
    }
    this.#streams.add(stream);
    stream.on('limit', () => fail(fileTooLarge()));
    const path = join(this.#folder, String(this.staged.length));
    this.staged.push({ name: name ?? 'file', path });
    const written = pipeline(stream, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
    // A failed write fails the reception; the first reason counts.
    this.#writes.push(written.catch(fail).finally(() => this.#streams.delete(stream)));
  }
}

function openParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: {
        fields: 10,
        fieldNameSize: 100,
        fieldSize: MAX_TEXT_BYTES + 1,
        files: MAX_FILES_PER_MESSAGE,
        // One more: busboy counts a file that just fits as cut.
        fileSize: MAX_FILE_BYTES + 1,
        parts: MAX_FILES_PER_MESSAGE + 10,
        headerPairs: 20,
      },
    });
  } catch (error) {
    // busboy throws plain Errors alone here, about the Content-Type header.
    if (!(error instanceof Error)) throw error;
    throw malformed(error);
  }
}

function malformed(cause?: unknown): Problem {
  return new Problem(400, 'bad_form', 'The form is malformed.', { expected: FORM }, cause);
}

function cutOff(): Problem {
  return new Problem(400, 'cut_off', 'The upload was cut off.', { next: 'send it again' });
}

function tooManyFiles(): Problem {
  return new Problem(413, 'too_many_files', 'Too many files.', { expected: `at most ${MAX_FILES_PER_MESSAGE}` });
}

function fileTooLarge(): Problem {
  return new Problem(413, 'file_too_large', 'A file is too large.', {
    expected: `at most ${MAX_FILE_BYTES / MIB} MiB each`,
  });
}

async function describe(file: Staged): Promise<InboundFile> {
  const { size } = await stat(file.path);
  return { name: file.name, path: file.path, sizeBytes: size, contentType: await sniffContentType(file.path) };
}
