/** What the pages about models, secrets and the outside say: pure. */
import { describe, expect, test } from 'vitest';
import type { Budget, EgressEntry, MessageUsage } from '../../../../host/console/web/client/types.ts';
import {
  describePlace,
  isFiltered,
  mayBeAllowed,
  mergeRows,
  readFilter,
  writeFilter,
} from '../../../../host/console/web/egress/egress.ts';
import { describeLoss } from '../../../../host/console/web/secrets/secret.ts';
import { describeBudget, describeUsage } from '../../../../host/console/web/usage/words.ts';

const USAGE: MessageUsage = {
  ...{ calls: 1, inputTokens: 1_204, outputTokens: 88, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...{ costNanousd: 3_100_000, unpricedCalls: 0, isEstimated: false },
};

describe('what answering a message cost', () => {
  test('is one line, with the cache apart', () => {
    expect(describeUsage(USAGE)).toBe('1,204 in · 88 out · $0.0031');
    expect(describeUsage({ ...USAGE, inputTokens: 4, cacheReadTokens: 20_000, cacheWriteTokens: 311 })).toBe(
      '4 in · 20,311 cached · 88 out · $0.0031',
    );
  });

  test('says when numbers are guessed, and when the cost is not known, or not all of it', () => {
    expect(describeUsage({ ...USAGE, isEstimated: true })).toBe('≈ 1,204 in · 88 out · $0.0031');
    expect(describeUsage({ ...USAGE, costNanousd: null, unpricedCalls: 1 })).toBe('1,204 in · 88 out · no price');
    expect(describeUsage({ ...USAGE, calls: 2, unpricedCalls: 1 })).toBe('1,204 in · 88 out · $0.0031*');
  });
});

describe('a budget', () => {
  const BUDGET: Budget = {
    ...{ scope: 'host', subject: '', period: 'day', unit: 'usd', name: 'this host' },
    ...{ amount: 5_000_000_000, spent: 0, held: 0, resetsAt: 0, isAsked: false },
    ...{ changedBy: 'web:owner', changedAt: 0, revision: 1 },
  };

  test.each([
    [0, 'good', '$0 of $5 · 0 %'],
    [3_999_999_999, 'good', '$4 of $5 · 79 %'],
    [4_000_000_000, 'busy', '$4 of $5 · 80 %'],
    [4_999_999_999, 'busy', '$5 of $5 · 99 %'],
    [5_000_000_000, 'bad', '$5 of $5 · spent'],
    [9_000_000_000, 'bad', '$9 of $5 · spent'],
  ])('of which %d nano-dollars are spent is %s: %s', (spent, tone, label) => {
    const look = describeBudget({ ...BUDGET, spent });
    expect([look.tone, look.label]).toEqual([tone, label]);
    expect(look.percent).toBeLessThanOrEqual(100);
  });

  test('of nothing is spent from the start', () => {
    expect(describeBudget({ ...BUDGET, amount: 0 })).toMatchObject({ tone: 'bad', percent: 100 });
  });
});

const ENTRY: EgressEntry = {
  ...{ id: 7, at: 0, agentId: 'agt_1', sessionId: 'ses_1', kind: 'https', method: 'GET' },
  ...{ host: 'api.example.com', port: 443, path: '/v1/notes', address: null },
  ...{ outcome: 'refused', status: 403, reason: 'not_allowed', rule: null },
  ...{ bytesOut: 0, bytesIn: 0, durationMs: 1, repeats: 1 },
};

describe('a request', () => {
  test('says its port where that is not the usual one, and what cannot be read', () => {
    expect(describePlace(ENTRY)).toBe('api.example.com/v1/notes');
    expect(describePlace({ ...ENTRY, port: 8443 })).toBe('api.example.com:8443/v1/notes');
    expect(describePlace({ ...ENTRY, kind: 'http', port: 80 })).toBe('api.example.com/v1/notes');
    expect(describePlace({ ...ENTRY, kind: 'connect', host: '2001:db8::1', port: 22, path: '' })).toBe(
      '[2001:db8::1]:22',
    );
    expect(describePlace({ ...ENTRY, kind: 'unknown', host: '', port: 0, path: '' })).toBe(
      'nothing that could be read',
    );
  });

  test('is kept once, as it was last told, newest first', () => {
    const again = { ...ENTRY, repeats: 3 };
    expect(mergeRows([again, { ...ENTRY, id: 2 }], [ENTRY, { ...ENTRY, id: 9 }])).toEqual([
      ...[{ ...ENTRY, id: 9 }, again, { ...ENTRY, id: 2 }],
    ]);
  });

  test('is offered to be allowed when a rule was all that it lacked', () => {
    expect(mayBeAllowed(ENTRY)).toBe(true);
    expect(mayBeAllowed({ ...ENTRY, reason: 'private_address' })).toBe(true);
    for (const other of [
      { outcome: 'allowed' as const, reason: null },
      { outcome: 'failed' as const, reason: 'unreachable' },
      { reason: 'over_budget' },
      { kind: 'model' as const },
      { host: '' },
    ])
      expect([other, mayBeAllowed({ ...ENTRY, ...other })]).toEqual([other, false]);
  });

  test('is looked for by what the address says, and an outcome that there is none of shows all', () => {
    const filter = { agent: 'agt_1', outcome: 'refused', q: 'tides' };
    expect(readFilter(writeFilter(filter))).toEqual(filter);
    expect(isFiltered(filter)).toBe(true);
    expect(isFiltered(readFilter(new URLSearchParams('outcome=eaten')))).toBe(false);
  });
});

describe('what is lost with a secret', () => {
  const use = { service: 'lab', agent: null, thinkers: ['main'] };

  test('is said: thinking, requests, or nothing', () => {
    expect(describeLoss({ uses: [use] }, new Set())).toMatch(/^main cannot think any more/);
    expect(describeLoss({ uses: [use] }, new Set(['lab']))).toMatch(/^main goes on without a key/);
    expect(describeLoss({ uses: [{ ...use, thinkers: [] }] }, new Set())).toMatch(/^Requests for lab are refused/);
    expect(describeLoss({ uses: [] }, new Set())).toMatch(/^No service gets it/);
  });
});
