/** What tokens cost. Pure, and whole numbers throughout: a price per million in dollars is a thousandth of a nano-dollar each. */
import { MAX_CALL_NANOUSD } from './limits.ts';
import type { SaidUsage, Tokens } from './usage.ts';

/** Nano-dollars per token. */
export interface TokenPrice {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** A price that depends on how much is read at once: past that many tokens all of the call costs more. */
export interface ModelPrice extends TokenPrice {
  long: { above: number; price: TokenPrice } | null;
}

/** What a provider asks for one search of the web, $10 for a thousand. */
const WEB_SEARCH_NANOUSD = 10_000_000;
/** Kept in the cache for an hour a token costs 2 times its price, for five minutes 1.25 times: 8 / 5 of that. */
const LONG_CACHE = { times: 8, by: 5 } as const;

export const FREE: ModelPrice = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, long: null };

/** Nano-dollars, rounded up, and never more than MAX_CALL_NANOUSD. */
export function costOf(
  price: ModelPrice,
  tokens: Tokens,
  { longCacheWrite, webSearches }: Pick<SaidUsage, 'longCacheWrite' | 'webSearches'> = NOTHING_ELSE,
): number {
  const read = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  const each: TokenPrice = price.long !== null && read > price.long.above ? price.long.price : price;
  const long = Math.min(longCacheWrite, tokens.cacheWrite);
  const searches = each.input === 0 && each.output === 0 ? 0 : webSearches * WEB_SEARCH_NANOUSD;
  const cost =
    tokens.input * each.input +
    tokens.output * each.output +
    tokens.cacheRead * each.cacheRead +
    (tokens.cacheWrite - long) * each.cacheWrite +
    Math.ceil((long * each.cacheWrite * LONG_CACHE.times) / LONG_CACHE.by) +
    searches;
  return Math.min(cost, MAX_CALL_NANOUSD);
}

const NOTHING_ELSE = { longCacheWrite: 0, webSearches: 0 };

/** The name a dated one stands for, `claude-x-20251001` and `gpt-x-2025-08-07` alike, or one that ends in -latest; null: it has none. */
export function withoutDate(model: string): string | null {
  const plain = model.replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, '');
  return plain === model ? null : plain;
}

/** Looks a model up by its name, then by its name without a date. */
export function findPrice(model: string, look: (name: string) => ModelPrice | null): ModelPrice | null {
  const plain = withoutDate(model);
  return look(model) ?? (plain === null ? null : look(plain));
}
