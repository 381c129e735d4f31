/**
 * What is said over the runner's tool socket: one line of JSON with a request, one line with its reply, and
 * the connection ends. A call that waits for a person holds up no other.
 */
import { z } from 'zod';

/** One request. Higher: a flood fills the runner's memory. Lower: the instructions of an agent do not fit, escaped. */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** One reply. */
export const MAX_REPLY_BYTES = 2 * 1024 * 1024;

export const wireRequestSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('list') }),
  z.object({ op: z.literal('call'), name: z.string().max(200), input: z.unknown() }),
]);
export type WireRequest = z.infer<typeof wireRequestSchema>;

export const wireReplySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tools'),
    tools: z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        inputSchema: z.looseObject({ type: z.literal('object') }),
      }),
    ),
  }),
  z.object({ kind: z.literal('result'), ok: z.boolean(), text: z.string() }),
  /** The request could not be understood, or something broke. */
  z.object({ kind: z.literal('error'), text: z.string() }),
]);
export type WireReply = z.infer<typeof wireReplySchema>;
