/** What an agent may ask of the host: `messages_out` rows of kind `request`, one shape per action. */
import { z } from 'zod';
import { MAX_TEXT_BYTES } from './limits.ts';

export const requestSchema = z.discriminatedUnion('action', [
  /** Put `prompt` before this same session at `at` (epoch ms), as a message of kind `task`. */
  z.object({
    action: z.literal('create_task'),
    prompt: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES, `at most ${MAX_TEXT_BYTES} bytes of UTF-8`),
    at: z.number().int().positive(),
  }),
]);
export type Request = z.infer<typeof requestSchema>;
