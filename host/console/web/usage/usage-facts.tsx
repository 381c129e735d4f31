import type { UsageSum } from '../client/types.ts';
import { Facts } from '../details/facts.tsx';
import { describeCost, formatTokens } from './words.ts';

interface UsageFactsProps {
  /** `costNanousd` null: no model that was asked has a price. */
  usage: Omit<UsageSum, 'costNanousd'> & { costNanousd: number | null; isEstimated?: boolean };
}

/** All numbers of a sum, and what is not in them. */
export function UsageFacts({ usage }: UsageFactsProps) {
  const { calls, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costNanousd, unpricedCalls } = usage;
  return (
    <Facts
      facts={[
        ['Calls', formatTokens(calls)],
        ['In', `${formatTokens(inputTokens)} tokens`],
        ['From cache', cacheReadTokens > 0 ? `${formatTokens(cacheReadTokens)} tokens` : null],
        ['To cache', cacheWriteTokens > 0 ? `${formatTokens(cacheWriteTokens)} tokens` : null],
        ['Out', `${formatTokens(outputTokens)} tokens`],
        ['Cost', costNanousd === null ? 'not known' : describeCost({ costNanousd, unpricedCalls })],
        ['No price', describeUnpriced(unpricedCalls, calls)],
        ['Estimated', usage.isEstimated === true ? 'The service gave no numbers: some are guessed, upwards.' : null],
      ]}
    />
  );
}

function describeUnpriced(unpriced: number, calls: number): string | null {
  if (unpriced === 0) return null;
  if (unpriced === calls) return 'Its model has no price: the Usage page can set one.';
  return `${formatTokens(unpriced)} of these calls are not in the cost: their models have no price.`;
}
