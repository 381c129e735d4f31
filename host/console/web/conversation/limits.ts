import {
  MAX_FILE_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_FILES_PER_MESSAGE,
  MAX_TEXT_BYTES,
} from '../../../../shared/limits.ts';
import { formatSize } from '../style/time.ts';

export interface FileFacts {
  name: string;
  size: number;
}

/** Why these files cannot go with one message; null when they can. Said before anything is uploaded. */
export function explainFileLimit(files: readonly FileFacts[]): string | null {
  const large = files.find((file) => file.size > MAX_FILE_BYTES);
  if (large !== undefined) {
    return `“${large.name}” is ${formatSize(large.size)}; a file can be at most ${formatSize(MAX_FILE_BYTES)}.`;
  }
  if (files.length > MAX_FILES_PER_MESSAGE) {
    return `${files.length} files are attached; a message takes at most ${MAX_FILES_PER_MESSAGE}.`;
  }
  const long = files.find((file) => new TextEncoder().encode(file.name).length > MAX_FILE_NAME_BYTES);
  return long === undefined ? null : `The name “${long.name.slice(0, 40)}…” is too long; rename the file first.`;
}

/** Why this text cannot be sent; null when it can. */
export function explainTextLimit(text: string): string | null {
  // A UTF-16 unit is at most three bytes of UTF-8: short texts need no counting.
  if (text.length * 3 <= MAX_TEXT_BYTES) return null;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= MAX_TEXT_BYTES) return null;
  return `The text is ${formatSize(bytes)}; a message takes at most ${formatSize(MAX_TEXT_BYTES)}. Attach it as a file instead.`;
}
