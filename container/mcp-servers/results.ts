/** A server's result as the text that a model reads. Pure; nothing of it is trusted. */
import { z } from 'zod';
import type { ToolResult } from '../tools/tool.ts';
import { MAX_RESULT_BYTES } from './limits.ts';

/** Loose on purpose: what a server gets a little wrong is still of use. */
export const resultSchema = z.looseObject({
  content: z.array(z.unknown()).optional().catch(undefined),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional().catch(undefined),
});

const itemSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional().catch(undefined),
  data: z.string().optional().catch(undefined),
  mimeType: z.string().max(100).optional().catch(undefined),
  uri: z.string().max(1_000).optional().catch(undefined),
  resource: z
    .looseObject({ uri: z.string().max(1_000).optional(), text: z.string().optional(), blob: z.string().optional() })
    .optional()
    .catch(undefined),
});

export function formatResult(result: z.infer<typeof resultSchema>): ToolResult {
  const parts = (result.content ?? []).map(formatItem).filter((part) => part !== '');
  // What is structured is there for programs, and repeated as text by servers that follow the rules.
  if (parts.length === 0 && result.structuredContent !== undefined) {
    parts.push(JSON.stringify(result.structuredContent) ?? '');
  }
  const text = cutText(parts.join('\n') || '(nothing)');
  return result.isError === true ? { ok: false, text } : { ok: true, text };
}

function formatItem(raw: unknown): string {
  const parsed = itemSchema.safeParse(raw);
  if (!parsed.success) return '(something that cannot be read)';
  const { type, text, data, mimeType, uri, resource } = parsed.data;
  switch (type) {
    case 'text':
      return text ?? '';
    case 'image':
    case 'audio':
      return `(${type}, ${mimeType ?? 'of an unknown type'}, ${base64Bytes(data)} bytes: not shown)`;
    case 'resource_link':
      return `(a link: ${uri ?? 'to nowhere'})`;
    case 'resource':
      if (resource?.text !== undefined) return resource.text;
      return `(a file, ${resource?.uri ?? 'without a name'}, ${base64Bytes(resource?.blob)} bytes: not shown)`;
    default:
      return `(${type.slice(0, 40)}: not shown)`;
  }
}

function base64Bytes(data: string | undefined): number {
  return Math.floor(((data?.length ?? 0) * 3) / 4);
}

/** At most MAX_RESULT_BYTES of UTF-8, and words about the rest. */
function cutText(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_RESULT_BYTES) return text;
  // A character that is cut in two becomes a replacement character, which goes.
  const head = bytes
    .subarray(0, MAX_RESULT_BYTES)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${head}\n(cut off here: the whole result has ${bytes.length} bytes)`;
}
