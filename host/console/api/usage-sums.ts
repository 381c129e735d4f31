/** Sums of what models were asked and cost, as the API says them. Money is in nano-dollars (10^-9 USD). */
import { z } from '@hono/zod-openapi';

const count = z.number().int().nonnegative();

export const usageSumFields = {
  calls: count,
  /** Without those of the cache. */
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  /** Of the calls that had a price. */
  costNanousd: count,
  /** Calls of models that have no price. */
  unpricedCalls: count,
};
export const usageSumSchema = z.object(usageSumFields).openapi('UsageSum');
export type UsageSumResource = z.infer<typeof usageSumSchema>;

/** What answering one message cost. */
export const messageUsageSchema = z
  .object({
    ...usageSumFields,
    /** Null: no model that was asked has a price. */
    costNanousd: count.nullable(),
    /** A provider gave no numbers: some are guessed, upwards. */
    isEstimated: z.boolean(),
  })
  .openapi('MessageUsage');
