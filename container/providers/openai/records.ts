/**
 * The lines of a transcript: what was said and done, in the order in which it happened.
 *
 *   header · (user · (assistant · result…)* · end)*        a turn is what lies before an `end`
 *
 * A line that this program cannot read makes the transcript unusable; an unknown field does not.
 */
import { z } from 'zod';

/** A picture or PDF, kept beside the transcript under its hash. */
export const mediaSchema = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  contentType: z.string(),
  sizeBytes: z.number().int().nonnegative(),
});
export type Media = z.infer<typeof mediaSchema>;

/** What an API wants to see again, untouched: signatures of thoughts. */
const metadataSchema = z.record(z.string(), z.record(z.string(), z.unknown())).optional();

export type Metadata = z.infer<typeof metadataSchema>;

const partSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thought'), text: z.string(), metadata: metadataSchema }),
  z.object({
    type: z.literal('call'),
    id: z.string(),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
    metadata: metadataSchema,
  }),
]);
export type AssistantPart = z.infer<typeof partSchema>;
export type CallPart = Extract<AssistantPart, { type: 'call' }>;

export const usageSchema = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  reasoningTokens: z.number(),
});
export type Usage = z.infer<typeof usageSchema>;

export const recordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('header'), version: z.literal(1) }),
  /** `messageIds`: of the prompt's messages, so that a second try of a turn knows what it has seen. */
  z.object({
    kind: z.literal('user'),
    text: z.string(),
    media: z.array(mediaSchema),
    messageIds: z.array(z.string()),
  }),
  /** `isCut`: the answer reached the limit of output, and goes on in the next. */
  z.object({
    kind: z.literal('assistant'),
    model: z.string(),
    parts: z.array(partSchema),
    usage: usageSchema,
    isCut: z.boolean(),
  }),
  /** `cwd`: where the shell stands after it. */
  z.object({
    kind: z.literal('result'),
    callId: z.string(),
    name: z.string(),
    isOk: z.boolean(),
    text: z.string(),
    media: z.array(mediaSchema),
    cwd: z.string().optional(),
  }),
  /** What this program tells the model. */
  z.object({ kind: z.literal('note'), text: z.string() }),
  /** What stood before, in short. */
  z.object({ kind: z.literal('summary'), text: z.string() }),
  /** A server said how much its model takes. */
  z.object({ kind: z.literal('window'), model: z.string(), tokens: z.number().int().positive() }),
  /** This model did not take these pictures. */
  z.object({ kind: z.literal('unseen'), model: z.string(), sha256s: z.array(z.string()) }),
  /** The turn is over. `isAnswered: false`: it failed, or never came to its end, and goes out with no later request. */
  z.object({ kind: z.literal('end'), isAnswered: z.boolean() }),
]);
export type TranscriptRecord = z.infer<typeof recordSchema>;
export type RecordOf<Kind extends TranscriptRecord['kind']> = Extract<TranscriptRecord, { kind: Kind }>;

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

export function addUsage(one: Usage, other: Usage): Usage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
  };
}

export function callsOf(record: RecordOf<'assistant'>): CallPart[] {
  return record.parts.filter((part) => part.type === 'call');
}

export function textOf(record: RecordOf<'assistant'>): string {
  return record.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
