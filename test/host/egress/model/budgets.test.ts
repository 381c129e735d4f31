import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNear, periodAt, planBudget } from '../../../../host/egress/model/budget-plan.ts';
import type { Budget, BudgetKey } from '../../../../host/store/budgets.ts';
import type { UserId } from '../../../../shared/ids.ts';
import { ADA, Counter, NOON, OLLAMA, PRICED, USD } from './counter.ts';

const DAY_MS = 86_400_000;
const OWNER = 'test:owner' as UserId;
const HOST: BudgetKey = { scope: 'host', subject: '', period: 'day', unit: 'usd' };

function budget(amount: number, more: Partial<Budget> = {}): Budget {
  return { ...HOST, amount, askedIn: null, changedBy: 'x', changedAt: 0, revision: 1, ...more };
}

async function open() {
  const counter = await new Counter().open();
  const agentBudget: BudgetKey = { scope: 'agent', subject: counter.agent.id, period: 'day', unit: 'usd' };
  const set = (key: BudgetKey, amount: number) => counter.spine.budgetChanges.set(key, amount, OWNER);
  return { counter, agentBudget, set };
}

test('the plan never lets a call begin at its cap, nor without a price where money is capped', () => {
  const states = fc.array(
    fc.record({
      spent: fc.nat(200),
      held: fc.nat(200),
      budget: fc.record({ amount: fc.nat(200), unit: fc.constantFrom('usd' as const, 'tokens' as const) }),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(states, fc.constantFrom('unknown', 'priced', 'unpriced'), (drawn, price) => {
      const list = drawn.map((state) => ({
        ...state,
        budget: budget(state.budget.amount, { unit: state.budget.unit }),
      }));
      const plan = planBudget(list, price, NOON);
      const isOver = list.some((state) => state.spent >= state.budget.amount);
      expect(plan.kind === 'over').toBe(isOver);
      if (plan.kind !== 'go') return;
      expect(price === 'unpriced' && list.some((state) => state.budget.unit === 'usd')).toBe(false);
      expect(list.some(({ spent, held, budget: { amount } }) => held > 0 && spent + held >= amount)).toBe(false);
    }),
  );
});

test('days and months are those of UTC, through leap years and the end of years', () => {
  expect(periodAt('day', NOON)).toEqual({
    ...{ name: '2026-11-21', firstDay: '2026-11-21', lastDay: '2026-11-21' },
    endsAt: Date.UTC(2026, 10, 22),
  });
  expect(periodAt('month', Date.UTC(2028, 1, 29, 23, 59))).toEqual({
    ...{ name: '2028-02', firstDay: '2028-02-01', lastDay: '2028-02-29' },
    endsAt: Date.UTC(2028, 2, 1),
  });
  expect(periodAt('month', Date.UTC(2026, 11, 31)).endsAt).toBe(Date.UTC(2027, 0, 1));
});

test('a budget is near from 80 % on, and one of nothing never', () => {
  expect([79, 80, 100].map((spent) => isNear({ budget: budget(100), spent }))).toEqual([false, true, true]);
  expect(isNear({ budget: budget(0), spent: 5 })).toBe(false);
});

test('a cap is hard: the call that reaches it ends, the next is refused with what to type, and tomorrow goes on', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  // $0.99
  counter.spend(0, 99_000);
  counter.spend(0, 5_000);
  expect(counter.refusal()).toMatchObject({ reason: 'over_budget', status: 403 });
  expect(counter.refusal()?.message).toContain('“main”, $1 a day, is used up. It starts anew at 2026-11-22 00:00 UTC');
  expect(counter.refusal()?.next).toContain('portolan budget set main --day <amount>');
  counter.at = Date.UTC(2026, 10, 22);
  expect(counter.refusal()).toBeNull();
});

test('what was spent counts at once, before it is on the disk, and still after a restart', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  counter.spend(0, 100_000);
  expect(counter.spine.db.prepare('SELECT count(*) FROM model_calls').pluck().get()).toBe(0);
  expect(counter.refusal()?.reason).toBe('over_budget');
  counter.spine.modelDoor[Symbol.dispose]();
  counter.spine.modelDoor = counter.spine.makeModelDoor();
  expect(counter.refusal()?.reason).toBe('over_budget');
});

test('a budget that is set late counts what was spent before it, on the disk and not', async () => {
  const { counter, agentBudget, set } = await open();
  counter.spend(0, 50_000);
  counter.spine.modelDoor.flush();
  counter.spend(0, 60_000);
  set(agentBudget, USD);
  expect(counter.refusal()?.reason).toBe('over_budget');
});

test('a flood of calls at once passes the cap by no more than what those cost beyond what they held', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  // Each holds what it may cost: $0.05 for 5,000 tokens of answer.
  const meters = [];
  for (let index = 0; index < 500; index += 1) {
    const admitted = counter.admit({ bodyBytes: 100 });
    if (admitted.kind === 'refused') {
      expect(admitted).toMatchObject({ reason: 'too_many', status: 429 });
      continue;
    }
    expect(admitted.meter.sent(Buffer.from(JSON.stringify({ model: PRICED, max_tokens: 5_000 })))).toBeNull();
    meters.push(admitted.meter);
  }
  expect(meters.length).toBeGreaterThan(5);
  expect(meters.length).toBeLessThanOrEqual(21);
  for (const meter of meters) counter.answer(meter, 10, 5_000);
  const spent = counter.rows().reduce((sum, row) => sum + (row.costNanousd ?? 0), 0);
  expect(spent).toBeLessThanOrEqual(1.06 * USD);
});

test('a call that hides how much it asks for holds as much as the bytes that it announces', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  const admitted = counter.admit({ bodyBytes: 3_000_000 });
  expect(admitted.kind).toBe('go');
  // A million tokens read, at $2, or the price of the dearest that it may be.
  expect(counter.admit()).toMatchObject({ kind: 'refused', reason: 'too_many' });
  if (admitted.kind === 'go') admitted.meter.end('broken');
  expect(counter.refusal()).toBeNull();
});

test('where money is capped a model without a price is refused before it is asked, and says what to type', async () => {
  const { counter, agentBudget, set } = await open();
  expect(counter.refusal({ model: 'claude-of-tomorrow' })).toBeNull();
  set({ ...agentBudget, period: 'month' }, 50 * USD);
  const refused = counter.refusal({ model: 'claude-of-tomorrow' });
  expect(refused).toMatchObject({ reason: 'no_price', status: 403 });
  expect(refused?.next).toContain('portolan price set anthropic claude-of-tomorrow --input 3 --output 15');
  const price = { service: 'anthropic', model: 'claude-of-tomorrow', input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
  counter.spine.budgetChanges.setPrice(price, OWNER);
  expect(counter.refusal({ model: 'claude-of-tomorrow' })).toBeNull();
  expect(counter.refusal({ service: OLLAMA, model: 'llama3.3' })).toBeNull();
});

test('a hostile container that names a cheap model beside a dear one, or pays for haste, is refused', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  const bodies = [
    '{"model":"claude-haiku-5-5","messages":[],"model":"claude-unpriced"}',
    '{"mod\\u0065l":"claude-unpriced","model":"claude-haiku-5-5"}',
    `{"model":"${PRICED}","speed":"fast"}`,
    `{"model":"${PRICED}","service_tier":"priority"}`,
    `{"model":"${PRICED}","models":["claude-unpriced"]}`,
    `{"model":"${PRICED}","tools":[{"type":"image_generation"}]}`,
  ];
  for (const body of bodies) {
    const admitted = counter.admit();
    if (admitted.kind === 'refused') throw new Error(admitted.message);
    // Byte by byte: the last one at the latest.
    const answers = [...Buffer.from(body)].map((byte) => admitted.meter.sent(Buffer.from([byte])));
    expect(answers.at(-1), body).toMatchObject({ reason: 'no_price', status: 403 });
    admitted.meter.end('broken');
  }
  expect(counter.rows()).toEqual([]);
});

test('where there is a cap, of money or tokens, a call of a size that nobody sees is refused', async () => {
  const { counter, agentBudget, set } = await open();
  const body = `{"model":"${PRICED}","messages":[{"content":[{"source":{"type":"url","url":"https://example.com/x.pdf"}}]}]}`;
  const ask = () => {
    const admitted = counter.admit();
    if (admitted.kind === 'refused') throw new Error(admitted.message);
    const answer = admitted.meter.sent(Buffer.from(body));
    admitted.meter.end('unsent');
    return answer;
  };
  expect(ask()).toBeNull();
  set({ ...agentBudget, unit: 'tokens' }, 10_000);
  expect(ask()).toMatchObject({ reason: 'not_allowed', status: 403 });
  expect(ask()?.message).toContain('send it along');
});

test('a budget of tokens needs no price, and counts tokens of all sorts', async () => {
  const { counter, agentBudget, set } = await open();
  set({ ...agentBudget, unit: 'tokens' }, 10_000);
  counter.spend(6_000, 3_999, { model: 'claude-of-tomorrow' });
  expect(counter.refusal({ model: 'claude-of-tomorrow' })).toBeNull();
  counter.spend(1, 0, { model: 'claude-of-tomorrow' });
  expect(counter.refusal({ model: 'claude-of-tomorrow' })?.reason).toBe('over_budget');
});

test('a person’s budget holds with all agents and by all identities, and for nobody else', async () => {
  const { counter, set } = await open();
  const { spine } = counter;
  const other = 'test:ada-too' as UserId;
  spine.users.ensure(other, 'Ada', 0);
  set({ scope: 'person', subject: ADA, period: 'day', unit: 'usd' }, USD);
  const second = await counter.say('by another identity', other);
  counter.spend(0, 200_000, { messageId: second.messageId });
  expect(counter.refusal({ messageId: counter.messageId })).toBeNull();
  spine.db.prepare(`UPDATE users SET person_id = 'per_00000000000000000001' WHERE id IN (?, ?)`).run(ADA, other);
  expect(counter.refusal({ messageId: counter.messageId })).toMatchObject({ reason: 'over_budget' });
  expect(counter.refusal({ messageId: second.messageId })).toMatchObject({ reason: 'over_budget' });
  expect(counter.refusal()).toBeNull();
});

test('the host’s budget holds for all agents, and its sums are told to none of them', async () => {
  const { counter, set } = await open();
  set(HOST, 2 * USD);
  counter.spend(0, 200_000);
  const agent = counter.spine.addAgent('other');
  const refused = counter.refusal({ agentGroupId: agent.id });
  expect(refused?.message).toContain('The budget of this host for the day is used up');
  expect(refused?.message).not.toContain('$');
});

test('linear time: a thousand calls before it make the next one no slower', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, 1_000 * USD);
  set(HOST, 1_000 * USD);
  const time = (calls: number) => {
    const begin = performance.now();
    for (let index = 0; index < calls; index += 1) counter.spend(1, 1);
    return (performance.now() - begin) / calls;
  };
  // The best of three: a machine that stands still for a moment says nothing of the calls.
  const fastest = () => Math.min(time(100), time(100), time(100));
  time(200);
  const first = fastest();
  time(3_000);
  expect(fastest()).toBeLessThan(first * 5 + 1);
});

test('each change of a budget or price is in the ledger, and the same amount again is none', async () => {
  const { counter, agentBudget, set } = await open();
  set(agentBudget, USD);
  set(agentBudget, USD);
  set(agentBudget, 2 * USD);
  counter.spine.budgetChanges.remove(agentBudget, OWNER);
  expect(counter.spine.budgetChanges.remove(agentBudget, OWNER)).toEqual({ kind: 'stale', current: null });
  const entries = counter.spine.ledger.listAbout(`agent/${counter.agent.id}/day/usd`, 10);
  expect(entries.map(({ kind, actor, detail }) => [kind, actor, detail.amountBefore, detail.amount])).toEqual([
    ['budget.changed', OWNER, null, USD],
    ['budget.changed', OWNER, USD, 2 * USD],
    ['budget.changed', OWNER, 2 * USD, null],
  ]);
  expect(set({ ...agentBudget, subject: 'agt_nobody' }, 1)).toEqual({ kind: 'unknown_subject' });
  expect(counter.at + DAY_MS).toBeGreaterThan(NOON);
});
