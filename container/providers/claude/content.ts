/** A prompt as the API takes it: its text, and the pictures and PDFs among its attachments. */

import { readWhole } from '../given-file.ts';
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
  const bytes = readWhole(path, Math.min(maxBytes, Math.max(MAX_IMAGE_BYTES, MAX_PDF_BYTES)));
  const kind = bytes === null ? null : sniff(bytes);
  if (bytes === null || kind === null) return null;
  const isPdf = kind === 'application/pdf';
  if (bytes.length > (isPdf ? MAX_PDF_BYTES : MAX_IMAGE_BYTES)) return null;
  const source = { type: 'base64' as const, media_type: kind, data: bytes.toString('base64') };
  return { block: { type: isPdf ? 'document' : 'image', source }, sizeBytes: bytes.length };
}
