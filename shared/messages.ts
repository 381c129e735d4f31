/**
 * What a message is, on both sides of the session folder. Rows carry `content` as JSON of one of
 * these shapes; everything that reads a row parses it here first (I3).
 */
import { z } from 'zod';
import { MAX_CONTENT_BYTES, MAX_FILES_PER_MESSAGE, MAX_JSON_DEPTH, MAX_TEXT_BYTES } from './limits.ts';
import { requestSchema } from './requests.ts';

export const INBOUND_KINDS = ['chat', 'task', 'webhook', 'system'] as const;
export type InboundKind = (typeof INBOUND_KINDS)[number];
export const OUTBOUND_KINDS = ['chat', 'edit', 'reaction', 'question', 'request'] as const;
export type OutboundKind = (typeof OUTBOUND_KINDS)[number];

/** A file beside a message: `name` is safe to use as a file name in `files/<messageId>/`. */
export const attachmentSchema = z.object({
  name: z.string().min(1).max(255),
  sizeBytes: z.number().int().nonnegative(),
  contentType: z.string().max(127),
});
export type Attachment = z.infer<typeof attachmentSchema>;

const text = z.string().refine((value) => Buffer.byteLength(value) <= MAX_TEXT_BYTES, {
  message: `text is at most ${MAX_TEXT_BYTES} bytes of UTF-8`,
});
const attachments = z.array(attachmentSchema).max(MAX_FILES_PER_MESSAGE).default([]);

/** `messages_in.content` of every kind. */
export const inboundContentSchema = z.object({
  text,
  /** What the agent sees as the sender's name; never an authority. */
  senderName: z.string().max(200).default(''),
  attachments,
  /** For `system`: a machine word that says what happened (`delivery_failed`, `delivery_refused`, `cleared`…). */
  event: z.string().max(64).optional(),
  /** What the host's command gate let pass for the runner itself; `text` is what was typed, for people. */
  command: z.enum(['clear', 'compact']).optional(),
  /** For `task`: which firing this is. */
  task: z
    .object({
      id: z.string().max(64),
      /** When it was to fire, epoch ms. */
      dueAt: z.number(),
      script: z.string().optional(),
      /** Runs before this one that passed without firing. */
      missed: z.number().int().nonnegative().default(0),
    })
    .optional(),
  /** For the end of a question (`question_answered`, `question_expired`): what was chosen, and by whom. */
  answer: z
    .object({ questionId: z.string().max(64), choice: z.string().max(100).nullable(), by: z.string().max(200) })
    .optional(),
});
export type InboundContent = z.infer<typeof inboundContentSchema>;

export const chatContentSchema = z.object({ text, attachments });
export const editContentSchema = z.object({ messageId: z.string().min(1).max(64), text });
export const reactionContentSchema = z.object({
  messageId: z.string().min(1).max(64),
  emoji: z.string().min(1).max(64),
});
export const questionContentSchema = z.object({
  title: z.string().min(1).max(200),
  question: text,
  options: z.array(z.string().min(1).max(100)).min(1).max(10),
  timeoutS: z
    .number()
    .int()
    .positive()
    .max(7 * 24 * 3600)
    .optional(),
});

/** `messages_out.content`, by the row's `kind`. */
export type OutboundContent =
  | { kind: 'chat'; content: z.infer<typeof chatContentSchema> }
  | { kind: 'edit'; content: z.infer<typeof editContentSchema> }
  | { kind: 'reaction'; content: z.infer<typeof reactionContentSchema> }
  | { kind: 'question'; content: z.infer<typeof questionContentSchema> }
  | { kind: 'request'; content: z.infer<typeof requestSchema> };

const SCHEMA_BY_KIND = {
  chat: chatContentSchema,
  edit: editContentSchema,
  reaction: reactionContentSchema,
  question: questionContentSchema,
  request: requestSchema,
} as const;

export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

/**
 * Parses a row's JSON without trusting it: size first, then depth, then shape.
 * Source: I3; JSON nested 100,000 deep overflows recursive code.
 */
export function parseOutboundContent(kind: OutboundKind, json: string): Parsed<OutboundContent> {
  const raw = parseBoundedJson(json);
  if (!raw.ok) return raw;
  const parsed = SCHEMA_BY_KIND[kind].safeParse(raw.value);
  if (!parsed.success) return { ok: false, problem: describeIssues(parsed.error) };
  // The schema was chosen by `kind`, which the compiler cannot follow through the lookup.
  return { ok: true, value: { kind, content: parsed.data } as OutboundContent };
}

export function parseInboundContent(json: string): Parsed<InboundContent> {
  const raw = parseBoundedJson(json);
  if (!raw.ok) return raw;
  const parsed = inboundContentSchema.safeParse(raw.value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: describeIssues(parsed.error) };
}

function parseBoundedJson(json: string): Parsed<unknown> {
  if (Buffer.byteLength(json) > MAX_CONTENT_BYTES) {
    return { ok: false, problem: `content is larger than ${MAX_CONTENT_BYTES} bytes` };
  }
  if (nestingExceeds(json, MAX_JSON_DEPTH)) {
    return { ok: false, problem: `content is nested deeper than ${MAX_JSON_DEPTH}` };
  }
  try {
    return { ok: true, value: JSON.parse(json) };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, problem: 'content is not JSON' };
    throw error;
  }
}

/** Whether brackets outside strings nest deeper than `limit`; one pass, no recursion. */
export function nestingExceeds(json: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'content'}: ${issue.message}`)
    .join('; ');
}
