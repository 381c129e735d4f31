/** Multipart bodies, streamed to disk: nothing of a file is held in memory, and its type is read from its bytes. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { fileTypeFromFile } from 'file-type';
import { MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE, MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import type { InboundFile } from '../../routing/inbound.ts';
import { Problem } from './problem.ts';

export interface Upload {
  fields: Record<string, string>;
  files: InboundFile[];
  /** Removes the staged files. */
  discard(): Promise<void>;
}

const MIB = 1024 * 1024;

/** Reads a multipart body into a fresh folder under `uploads`. Throws Problem 400, 413; nothing stays then. */
export async function readUpload(request: IncomingMessage, uploads: string): Promise<Upload> {
  const folder = join(uploads, `in-${randomBytes(12).toString('hex')}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const discard = () => rm(folder, { recursive: true, force: true });
  try {
    const { fields, staged } = await receive(request, folder);
    const files = await Promise.all(staged.map((file) => describe(file)));
    return { fields, files, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

interface Staged {
  name: string;
  path: string;
}

function receive(
  request: IncomingMessage,
  folder: string,
): Promise<{ fields: Record<string, string>; staged: Staged[] }> {
  return new Promise((resolve, reject) => {
    const fields: Record<string, string> = {};
    const staged: Staged[] = [];
    const writes: Promise<void>[] = [];
    const fail = (problem: Error) => {
      request.unpipe(parser);
      request.resume();
      Promise.allSettled(writes).then(() => reject(problem));
    };
    const parser = openParser(request);
    parser.on('field', (name, value, info) => {
      if (info.valueTruncated) fail(new Problem(413, 'too_large', `The field ${name} is too long.`));
      else fields[name] = value;
    });
    parser.on('file', (_field, stream, info) => {
      const path = join(folder, String(staged.length));
      staged.push({ name: info.filename ?? 'file', path });
      stream.on('limit', () =>
        fail(
          new Problem(413, 'file_too_large', 'A file is too large.', {
            expected: `at most ${MAX_FILE_BYTES / MIB} MiB each`,
          }),
        ),
      );
      writes.push(pipeline(stream, createWriteStream(path, { mode: 0o600, flags: 'wx' })));
    });
    parser.on('filesLimit', () =>
      fail(new Problem(413, 'too_many_files', 'Too many files.', { expected: `at most ${MAX_FILES_PER_MESSAGE}` })),
    );
    parser.on('error', () => fail(malformed()));
    request.on('aborted', () => fail(new Problem(400, 'cut_off', 'The upload was cut off.')));
    parser.on('close', () => {
      Promise.all(writes).then(() => resolve({ fields, staged }), reject);
    });
    request.pipe(parser);
  });
}

function openParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: {
        fields: 10,
        fieldSize: MAX_TEXT_BYTES + 1,
        files: MAX_FILES_PER_MESSAGE,
        fileSize: MAX_FILE_BYTES,
        parts: MAX_FILES_PER_MESSAGE + 10,
        headerPairs: 20,
      },
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw malformed();
  }
}

function malformed(): Problem {
  return new Problem(400, 'bad_form', 'The form is malformed.', {
    expected: 'multipart/form-data with text, clientId and file fields',
  });
}

async function describe(file: Staged): Promise<InboundFile> {
  const { size } = await stat(file.path);
  const sniffed = await fileTypeFromFile(file.path);
  return { name: file.name, path: file.path, sizeBytes: size, contentType: sniffed?.mime ?? guessText(file.name) };
}

/** What has no signature: text by its extension, else bytes. Shown, never executed. */
function guessText(name: string): string {
  if (/\.(txt|md|csv|log|json|ya?ml|toml|xml|ts|js|py|sh|css|html?)$/i.test(name)) return 'text/plain';
  return 'application/octet-stream';
}
