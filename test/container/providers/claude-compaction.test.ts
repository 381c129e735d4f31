import { expect, test } from 'vitest';
import { formatCompacted } from '../../../container/providers/claude/index.ts';

test.each([
  [{ beforeTokens: 90_000, afterTokens: 4_000 }, ' It had about 90000 tokens, and has about 4000.'],
  [{ beforeTokens: 1_020, afterTokens: 2_397 }, ''],
  [{ beforeTokens: 1_020, afterTokens: null }, ''],
])('a conversation that was compacted, %j, is not told to have grown', (sizes, more) => {
  expect(formatCompacted(sizes)).toBe(
    `Compacted: what was said so far is now a summary, which the agent goes on from.${more}`,
  );
});
