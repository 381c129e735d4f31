/** `portolan usage`, `budget` and `price` against the real API. */
import { describe, expect, it } from 'vitest';
import type { ModelCallRecord } from '../../../host/store/model-calls.ts';
import { makeId, type UserId } from '../../../shared/ids.ts';
import { NANOUSD_PER_USD as USD } from '../../../shared/money.ts';
import { type ApiFixture, OWNER, startApi } from '../../support/api-server.ts';
import { portolan } from './support/run.ts';

const SESSION = makeId('session');

function call(api: ApiFixture, more: Partial<ModelCallRecord> = {}): ModelCallRecord {
  return {
    ...{ at: Date.now(), agentGroupId: api.agent.id, sessionId: SESSION, messageId: null, userId: OWNER },
    ...{ service: 'anthropic', model: 'claude-opus-5-5', inputTokens: 1_200, outputTokens: 300 },
    ...{ cacheReadTokens: 50_000, cacheWriteTokens: 0, costNanousd: USD / 4, isEstimated: false, status: 200 },
    ...{ firstByteMs: 5, durationMs: 900 },
    ...more,
  };
}

describe('portolan usage', () => {
  it('says so while there is nothing, then sums by day, agent, model, person and conversation', async () => {
    const api = await startApi();
    const run = (...words: string[]) => portolan(api.spine.home, ['usage', ...words], { columns: 100 });
    expect((await run()).out).toContain('No model calls yet');
    const stranger = 'telegram:7' as UserId;
    api.spine.modelCalls.appendAll([
      call(api),
      call(api, { userId: stranger, model: 'gpt-of-tomorrow', service: 'openai', costNanousd: null }),
      call(api, { userId: null, at: Date.now() - 3 * 86_400_000 }),
    ]);
    const days = await run();
    expect(days.out).toMatch(/DAY +CALLS +IN +CACHED +OUT +COST/);
    expect(days.out).toMatch(/all +3 +3,600 +150,000 +900 +\$0\.50\*/);
    expect(days.out).toContain('price set <service> <model>');
    expect((await run('--days', '1')).out).toMatch(/all +2 /);
    expect((await run('--by', 'agent')).out).toMatch(/main +3 /);
    expect((await run('--by', 'model')).out).toMatch(/openai\/gpt-of-tomorrow +1 .*\$0\*/);
    expect((await run('--by', 'person')).out).toMatch(/nobody known +1 /);
    expect((await run('--by', 'session')).out).toContain(SESSION);
    const json = JSON.parse((await run('--by', 'person', '--json')).out);
    expect(json.items.map(({ key }: { key: string }) => key)).toEqual(['', 'telegram:7', OWNER]);
    expect(json.sum).toMatchObject({ calls: 3, inputTokens: 3_600, unpricedCalls: 1, costNanousd: USD / 2 });
    expect(await run('--agent', 'nobody')).toMatchObject({ code: 4 });
    const table = days.out.split('\n').filter((line) => !line.startsWith('*'));
    for (const line of table) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe('portolan budget', () => {
  it('is set, listed with what is used of it, and removed', async () => {
    const api = await startApi();
    api.spine.modelCalls.appendAll([call(api)]);
    const run = (...words: string[]) => portolan(api.spine.home, ['budget', ...words], { columns: 100 });
    expect((await run()).out).toContain('There is no budget');
    const made = await run('set', 'main', '--day', '0.50', '--month', '20');
    expect(made).toMatchObject({ code: 0 });
    expect(made.out).toContain('main may use $0.50 a day, used so far: $0.25.');
    expect((await run('set', '--host', '--month', '2M', '--tokens')).out).toContain(
      'this host may use 2,000,000 tokens a month',
    );
    expect((await run('set', '--person', OWNER, '--day', '0.1')).out).toContain('It is used up already');
    const listed = await run('list');
    expect(listed.out).toMatch(/main +\$0\.50 a day +\$0\.25 +█{5}░{5} 50 % +in /);
    for (const line of listed.out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect((await run('remove', 'main', '--day')).out).toContain('main has no cap of $0.50 a day any more');
    expect(await run('remove', 'main', '--day')).toMatchObject({ code: 4 });
    const left = JSON.parse((await run('list', '--json')).out).items;
    expect(
      left.map((one: { scope: string; period: string; unit: string }) => [one.scope, one.period, one.unit]),
    ).toEqual([
      ['agent', 'month', 'usd'],
      ['host', 'month', 'tokens'],
      ['person', 'day', 'usd'],
    ]);
  });

  it.each([
    [['set', 'main']],
    [['set', '--day', '5']],
    [['set', 'main', '--host', '--day', '5']],
    [['set', 'main', '--day', 'much']],
    [['set', 'main', '--day', '-5']],
    [['set', 'main', '--day', '99999999']],
    [['set', 'main', '--day', '1.5', '--tokens']],
  ])('refuses %j, and says what was expected', async (words) => {
    const api = await startApi();
    const { code, err } = await portolan(api.spine.home, ['budget', ...words]);
    expect(code).toBe(2);
    expect(err).toMatch(/expected/i);
    expect(api.spine.budgets.list()).toEqual([]);
  });
});

describe('portolan price', () => {
  it('lists what is known, takes dollars per million tokens, and goes back to the list', async () => {
    const api = await startApi();
    const run = (...words: string[]) => portolan(api.spine.home, ['price', ...words], { columns: 120 });
    expect((await run()).out).toMatch(/anthropic +claude-opus-5-5 +\$4 +\$20 +\$0\.20 +\$5/);
    const set = await run('set', 'openrouter', 'qwen/qwen3-coder:free', '--input', '0.075', '--output', '15');
    expect(set.out).toContain('costs, per million tokens: $0.075 in, $15 out, from the cache $0.075, into it $0.075');
    expect(api.spine.modelPrices.get('openrouter', 'qwen/qwen3-coder:free')).toMatchObject({
      input: 75,
      output: 15_000,
    });
    await run('set', 'anthropic', 'claude-opus-5-5', '--input', '1', '--output', '2');
    const listed = (await run()).out;
    expect(listed).toMatch(/claude-opus-5-5 +\$1 +\$2 +\$1 +\$1 +set here/);
    expect(listed.match(/claude-opus-5-5/g)).toHaveLength(1);
    expect(await run('remove', 'anthropic', 'claude-opus-5-5')).toMatchObject({ code: 0 });
    expect(await run('remove', 'anthropic', 'claude-opus-5-5')).toMatchObject({ code: 4 });
    const nowhere = await run('set', 'olama', 'x', '--input', '1', '--output', '2');
    expect(nowhere).toMatchObject({ code: 4, err: expect.stringContaining('one of anthropic, openai, openrouter') });
    const narrow = await portolan(api.spine.home, ['price'], { columns: 80 });
    // A name that is cut is of no use: five begin alike.
    for (const model of ['claude-sonnet-4-6', 'text-embedding-3-small']) expect(narrow.out).toContain(`${model} `);
    expect(await run('set', 'openai', 'x', '--input', '0.0001', '--output', '1')).toMatchObject({ code: 2 });
  });
});
