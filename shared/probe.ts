/**
 * What `node /app/runner.mjs --probe` says: one line of JSON about one real call to the agent's model, made the way
 * that its turns make theirs. The host makes sentences of it; the container is not believed to mean well.
 */
import { z } from 'zod';
import { GATEWAY_REFUSALS } from './gateway.ts';

/** Why no answer came of a call that the gateway let through, or did not get to. */
export const PROBE_ERRORS = [
  /** The gateway's socket is not there, or closed on the call. */
  'no_gateway',
  /** Nothing came in time. */
  'timed_out',
  /** The answer broke off. */
  'broken',
  /** The answer is none that the API of this service gives. */
  'bad_answer',
  /** The server answered with a status that is no success: see `status`. */
  'status',
  /** The gateway refused: see `refusal`. */
  'refused',
] as const;
export type ProbeError = (typeof PROBE_ERRORS)[number];

/** Longest text of others in it. Higher: a server's whole page on a terminal. Lower: its reason is cut. */
const MAX_MESSAGE_LENGTH = 2_000;

const count = z.number().int().nonnegative().max(1_000_000_000).nullable().default(null);

export const probeAnswerSchema = z.object({
  ok: z.boolean(),
  /** HTTP status of the answer; null: none came. */
  status: z.number().int().min(100).max(599).nullable(),
  refusal: z.enum(GATEWAY_REFUSALS).nullable(),
  /** As the server names it in its answer, else as it was asked for. */
  model: z.string().max(300).nullable(),
  /** From the call to the end of its answer. */
  ms: z.number().int().nonnegative(),
  error: z.enum(PROBE_ERRORS).nullable(),
  /** In the words of the server, or of the gateway. */
  message: z.string().max(MAX_MESSAGE_LENGTH).nullable().default(null),
  /** What the gateway says to do next. */
  next: z.string().max(MAX_MESSAGE_LENGTH).nullable().default(null),
  /** Of the header retry-after. */
  retryAfterMs: count,
  inputTokens: count,
  outputTokens: count,
});
export type ProbeAnswer = z.infer<typeof probeAnswerSchema>;
