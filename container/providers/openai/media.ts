/**
 * Pictures and PDFs that models can see. They are kept beside the transcript under their hash, so that what a
 * model saw does not change or vanish behind its back, and the prefix of a request stays the same.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readWhole } from '../given-file.ts';
import { sniff } from '../media-kind.ts';
import { MAX_IMAGE_BYTES, MAX_PDF_BYTES } from './limits.ts';
import type { Media, TranscriptRecord } from './records.ts';

export type Taken =
  | { kind: 'media'; media: Media }
  /** Nothing that models see, or that can be read. */
  | { kind: 'other' }
  /** `why` is for the model. */
  | { kind: 'refused'; why: string };

export class MediaFolder {
  readonly #folder: string;
  /** base64 by hash: each step of a turn sends them again. */
  readonly #encoded = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps a copy of a file, if it is something that models see. By its first bytes: names lie. */
  take(path: string, name = basename(path)): Taken {
    const bytes = readWhole(path, Math.max(MAX_IMAGE_BYTES, MAX_PDF_BYTES));
    const contentType = bytes === null ? null : sniff(bytes);
    if (bytes === null || contentType === null) return { kind: 'other' };
    const most = contentType === 'application/pdf' ? MAX_PDF_BYTES : MAX_IMAGE_BYTES;
    if (bytes.length > most) {
      const size = `${Math.ceil(bytes.length / 1024 / 1024)} MiB`;
      return { kind: 'refused', why: `${name} (${size}) is too large to be shown: at most ${most / 1024 / 1024} MiB` };
    }
    return { kind: 'media', media: this.#keep(bytes, name, contentType) };
  }

  /** base64; null when it is gone. */
  load({ sha256 }: Media): string | null {
    const known = this.#encoded.get(sha256);
    if (known !== undefined) return known;
    try {
      const encoded = readFileSync(join(this.#folder, sha256)).toString('base64');
      this.#encoded.set(sha256, encoded);
      return encoded;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Removes what none of these records shows. */
  sweep(records: readonly TranscriptRecord[]): void {
    const used = new Set(
      records.flatMap((record) => ('media' in record ? record.media.map(({ sha256 }) => sha256) : [])),
    );
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) {
      if (!used.has(name)) rmSync(join(this.#folder, name), { recursive: true, force: true });
    }
    for (const sha256 of this.#encoded.keys()) if (!used.has(sha256)) this.#encoded.delete(sha256);
  }

  #keep(bytes: Buffer, name: string, contentType: string): Media {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, sha256);
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#encoded.set(sha256, bytes.toString('base64'));
    return { sha256, name, contentType, sizeBytes: bytes.length };
  }
}
