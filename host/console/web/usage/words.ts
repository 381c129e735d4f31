/** What models cost, in words. Pure. Money is in nano-dollars, tokens are whole. */
import { formatUsd } from '../../../../shared/money.ts';
import type { Budget, MessageUsage, UsageSum } from '../client/types.ts';
import type { PricePerToken } from '../client/usage-api.ts';

export function formatTokens(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1,204 in · 88 out · $0.0031`: what is of the cache stands apart, as in the sums. */
export function describeUsage(usage: MessageUsage): string {
  const { inputTokens, outputTokens, costNanousd, isEstimated } = usage;
  const cached = cachedTokens(usage);
  const words = [
    `${formatTokens(inputTokens)} in`,
    cached > 0 && `${formatTokens(cached)} cached`,
    `${formatTokens(outputTokens)} out`,
    costNanousd === null ? 'no price' : describeCost({ ...usage, costNanousd }),
  ];
  return `${isEstimated ? '≈ ' : ''}${words.filter(Boolean).join(' · ')}`;
}

/** A star: calls without a price are not in it. */
export function describeCost({ costNanousd, unpricedCalls }: Pick<UsageSum, 'costNanousd' | 'unpricedCalls'>): string {
  return `${formatUsd(costNanousd)}${unpricedCalls > 0 ? '*' : ''}`;
}

export function cachedTokens({ cacheReadTokens, cacheWriteTokens }: Omit<UsageSum, 'costNanousd'>): number {
  return cacheReadTokens + cacheWriteTokens;
}

export function describeAmount({ unit }: Pick<Budget, 'unit'>, amount: number): string {
  return unit === 'usd' ? formatUsd(amount) : `${formatTokens(amount)} tokens`;
}

export interface BudgetLook {
  /** Of the cap, 0 to 100: what is spent. */
  percent: number;
  tone: 'good' | 'busy' | 'bad';
  label: string;
}

/** From this share on owners are asked, as the host does it. */
const NEAR_PERCENT = 80;

export function describeBudget(budget: Budget): BudgetLook {
  const { spent, amount, unit } = budget;
  const percent = amount === 0 ? 100 : Math.min(100, (spent / amount) * 100);
  const share = spent >= amount ? 'spent' : `${Math.floor(percent)} %`;
  return {
    percent,
    tone: spent >= amount ? 'bad' : percent >= NEAR_PERCENT ? 'busy' : 'good',
    label: `${unit === 'usd' ? describeAmount(budget, spent) : formatTokens(spent)} of ${describeAmount(budget, amount)} · ${share}`,
  };
}

export function nameBudget({ scope, name, period }: Budget): string {
  const whose = scope === 'host' ? 'This host' : name;
  return `${whose}, each ${period}`;
}

/** For a million tokens. */
export function describePrice({ input, output, cacheRead, cacheWrite }: PricePerToken): string {
  const write = (nanousdPerToken: number) =>
    `$${(nanousdPerToken / 1_000).toLocaleString('en-US', { maximumFractionDigits: 3 })}`;
  return `${write(input)} in, ${write(output)} out, ${write(cacheRead)} from the cache, ${write(cacheWrite)} into it`;
}
