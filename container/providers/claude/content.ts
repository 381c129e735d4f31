/** A prompt as the API takes it: its text, and the pictures and PDFs among its attachments. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { sniff } from '../media-kind.ts';
import type { Prompt, PromptAttachment } from '../provider.ts';
import { MAX_IMAGE_BYTES, MAX_MEDIA_BYTES, MAX_PDF_BYTES } from './limits.ts';
import type { ContentBlock } from './sdk.ts';

/** What cannot be shown stays a path in the text: the agent has tools to open it. */
export function toContent(prompt: Prompt): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  let left = MAX_MEDIA_BYTES;
  for (const file of prompt.messages.flatMap(({ attachments }) => attachments)) {
    const shown = show(file, left);
    if (shown === null) continue;
    left -= shown.sizeBytes;
    blocks.push({ type: 'text', text: `The attachment ${file.path}:` }, shown.block);
  }
  // The text last: it says what is wanted of them.
  return [...blocks, { type: 'text', text: prompt.text }];
}

function show({ path }: PromptAttachment, maxBytes: number): { block: ContentBlock; sizeBytes: number } | null {
  const bytes = readMedia(path, Math.min(maxBytes, Math.max(MAX_IMAGE_BYTES, MAX_PDF_BYTES)));
  const kind = bytes === null ? null : sniff(bytes);
  if (bytes === null || kind === null) return null;
  const isPdf = kind === 'application/pdf';
  if (bytes.length > (isPdf ? MAX_PDF_BYTES : MAX_IMAGE_BYTES)) return null;
  const source = { type: 'base64' as const, media_type: kind, data: bytes.toString('base64') };
  return { block: { type: isPdf ? 'document' : 'image', source }, sizeBytes: bytes.length };
}

/** Null when it is larger, no file, or gone: an attachment is shown as far as it can be. */
function readMedia(path: string, maxBytes: number): Buffer | null {
  let file: number;
  try {
    // Not blocking: a pipe without a writer would hold the runner for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && MISSING.includes(String(error.code))) return null;
    throw error;
  }
  try {
    const about = fstatSync(file);
    return about.isFile() && about.size > 0 && about.size <= maxBytes ? readFileSync(file) : null;
  } finally {
    closeSync(file);
  }
}

const MISSING: readonly string[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENXIO'];
