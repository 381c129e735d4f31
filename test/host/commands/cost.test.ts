import { describe, expect, it } from 'vitest';
import type { ModelCallRecord } from '../../../host/store/model-calls.ts';
import type { SessionId } from '../../../shared/ids.ts';
import { NANOUSD_PER_USD as USD } from '../../../shared/money.ts';
import { ADAM, Counter, MARY, OLGA, SAM } from './counter.ts';

function spend(counter: Counter, sessionId: SessionId, more: Partial<ModelCallRecord> = {}): void {
  const record: ModelCallRecord = {
    ...{ at: Date.now(), agentGroupId: counter.agent.id, sessionId, messageId: null, userId: MARY },
    ...{ service: 'anthropic', model: 'claude-opus-5-5', inputTokens: 1_000, outputTokens: 200, cacheReadTokens: 0 },
    ...{ cacheWriteTokens: 0, costNanousd: USD / 2, isEstimated: false, status: 200, firstByteMs: 1, durationMs: 2 },
    ...more,
  };
  counter.spine.modelCalls.appendAll([record]);
}

describe('/cost', () => {
  it('says what this conversation cost, to whoever talks to the agent, and no other conversation', async () => {
    const counter = new Counter();
    counter.room();
    counter.room('elsewhere');
    await counter.give('room', MARY, 'hi');
    await counter.give('elsewhere', MARY, 'hi');
    await counter.give('room', MARY, '/cost');
    spend(counter, counter.session().id);
    spend(counter, counter.session().id, { at: Date.now() - 40 * 86_400_000, costNanousd: null });
    spend(counter, counter.session('elsewhere').id, { costNanousd: 9 * USD });
    await counter.give('room', MARY, '/cost');
    expect(counter.answers()).toEqual([
      '**main**: no model was asked in this conversation yet.',
      '**main**, in this conversation: $0.50 (1,200 tokens in 1 call) today, $0.50, and what has no price (2,400 tokens in 2 calls) in the last 90 days.',
    ]);
  });

  it('tells admins of the agent in private what it costs in all and its budgets; the host’s to owners alone', async () => {
    const counter = new Counter();
    counter.room();
    counter.room(`dm-${ADAM}`);
    counter.room(`dm-${OLGA}`);
    counter.room(`dm-${MARY}`);
    await counter.give('room', MARY, 'hi');
    spend(counter, counter.session().id, { costNanousd: 5 * USD });
    const { budgetChanges } = counter.spine;
    budgetChanges.set({ scope: 'agent', subject: counter.agent.id, period: 'day', unit: 'usd' }, 5 * USD, OLGA);
    budgetChanges.set({ scope: 'host', subject: '', period: 'month', unit: 'usd' }, 200 * USD, OLGA);
    for (const who of [ADAM, OLGA, MARY]) await counter.alone(who, '/cost');
    const told = (who: string) => counter.answers(`dm-${who}`).join('\n');
    expect(told(ADAM)).toContain('in all its conversations: $5 (1,200 tokens in 1 call) today');
    expect(told(ADAM)).toContain('- its budget of $5 a day: $5 used, it is used up');
    expect(told(ADAM)).not.toContain('host');
    expect(told(OLGA)).toContain('the host’s budget of $200 a month: $5 used');
    expect(told(MARY)).not.toContain('$');
  });

  it('in a group keeps from those who read along what the agent costs in all', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', OLGA, 'hi');
    spend(counter, counter.session().id);
    await counter.give('room', OLGA, '/cost');
    expect(counter.answers().join()).toContain('Write /cost to me in a private chat');
    expect(counter.answers().join()).not.toContain('in all its conversations');
  });

  it('is nothing for strangers', async () => {
    const counter = new Counter();
    counter.room();
    expect(await counter.give('room', SAM, '/cost')).toMatchObject({ kind: 'dropped' });
    expect(counter.answers()).toEqual([]);
  });
});
