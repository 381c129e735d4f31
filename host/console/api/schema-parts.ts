/** What the answers of many routes are made of. Times are epoch milliseconds. */
import { z } from '@hono/zod-openapi';

export const time = z.number().int().nonnegative();

export const revision = z.number().int().nonnegative();

/** Every error of the API: what was wrong, what was expected, what to do next. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      expected: z.string().optional(),
      next: z.string().optional(),
      /** With 412: the revision that holds now. */
      revision: revision.optional(),
    }),
  })
  .openapi('Error');
export type ErrorBody = z.infer<typeof errorSchema>;

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
