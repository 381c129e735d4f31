import { expect, test } from 'vitest';
import type { Approval } from '../../../host/store/approvals.ts';
import type { BudgetKey } from '../../../host/store/budgets.ts';
import type { ApprovalId, UserId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADA, Counter, USD } from '../egress/model/counter.ts';

const OWNER = 'test:owner' as UserId;
const ADMIN = 'test:admin' as UserId;

class Purse extends Counter {
  key!: BudgetKey;

  override async open(): Promise<this> {
    await super.open();
    const { spine, agent } = this;
    for (const [id, role, of] of [
      [OWNER, 'owner', null],
      [ADMIN, 'admin', agent.id],
    ] as const) {
      spine.users.ensure(id, id.slice(5), 0);
      spine.users.grant(id, role, of, null, 0);
      spine.users.notePrivateChat(id, 'test', spine.addChat(agent, 'test', `own-${id}`).id);
    }
    this.key = { scope: 'agent', subject: agent.id, period: 'day', unit: 'usd' };
    spine.budgetChanges.set(this.key, 5 * USD, OWNER);
    return this;
  }

  /** Dollars at the price of an answer, ten of them a million tokens. */
  pay(dollars: number): void {
    this.spend(0, dollars * 100_000);
  }

  pending(): Approval[] {
    return this.spine.approvals.list(10, null, 'pending').filter(({ action }) => action === 'raise_budget');
  }

  decide(id: ApprovalId, choice: string, by: UserId = OWNER) {
    return this.spine.approvals.decide(id, { choice, by, byName: by, from: null, note: null });
  }

  amount(): number | undefined {
    return this.spine.budgets.get(this.key)?.amount;
  }
}

test('at 80 % owners are asked once, in words that say what it was and would be', async () => {
  const purse = await new Purse().open();
  purse.pay(3.9);
  expect(purse.pending()).toEqual([]);
  purse.pay(0.2);
  purse.pay(0.2);
  const [approval, second] = purse.pending();
  expect(second).toBeUndefined();
  expect(approval).toMatchObject({
    title: 'main has used 82 % of its $5 a day',
    agentGroupId: null,
    options: [
      { text: 'Raise to $10 a day', approves: true },
      { text: 'Leave it', approves: false },
    ],
    expiresAt: Date.UTC(2026, 10, 22),
  });
  expect(approval?.consequence[0]).toContain(
    'may use $10 a day from now on, not only in this day; today it is $5 a day',
  );
  // A restarted host knows that it asked.
  purse.spine.modelDoor[Symbol.dispose]();
  purse.spine.budgetAsks = purse.spine.makeBudgetAsks();
  purse.spine.modelDoor = purse.spine.makeModelDoor();
  purse.pay(0.1);
  expect(purse.pending()).toHaveLength(1);
  const about = purse.spine.ledger.listAbout(`agent/${purse.agent.id}/day/usd`, 20);
  expect(about.filter(({ kind }) => kind === 'budget.asked')).toHaveLength(1);
});

test('an owner’s yes raises it at once, and it is asked about anew at 80 % of that', async () => {
  const purse = await new Purse().open();
  purse.pay(5);
  expect(purse.refusal()?.reason).toBe('over_budget');
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  expect(purse.decide(approval.id, 'Raise to $10 a day')).toMatchObject({ kind: 'accepted' });
  await until('the budget to be raised', () => purse.amount() === 10 * USD);
  expect(purse.refusal()).toBeNull();
  purse.pay(3.1);
  expect(purse.pending().map(({ title }) => title)).toEqual(['main has used 81 % of its $10 a day']);
  const kinds = purse.spine.ledger.listAbout(`agent/${purse.agent.id}/day/usd`, 20).map(({ kind }) => kind);
  expect(kinds).toEqual(['budget.changed', 'budget.reached', 'budget.asked', 'budget.changed', 'budget.asked']);
});

test('an admin of the agent alone cannot spend the owner’s money', async () => {
  const purse = await new Purse().open();
  purse.pay(4.5);
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  expect(purse.spine.approvals.mayDecide(approval.id, ADMIN)).toBe(false);
  expect(purse.decide(approval.id, 'Raise to $10 a day', ADMIN)).toMatchObject({ kind: 'refused' });
  expect(purse.amount()).toBe(5 * USD);
});

test('who leaves it is not asked again that day, and is the next', async () => {
  const purse = await new Purse().open();
  purse.pay(4.5);
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  purse.decide(approval.id, 'Leave it');
  purse.pay(1);
  expect(purse.pending()).toEqual([]);
  expect(purse.amount()).toBe(5 * USD);
  purse.at = Date.UTC(2026, 10, 22, 1);
  purse.pay(4.5);
  expect(purse.pending()).toHaveLength(1);
});

test.each([
  [
    'somebody set it meanwhile',
    (purse: Purse) => void purse.spine.budgetChanges.set(purse.key, 7 * USD, OWNER),
    7 * USD,
  ],
  ['it was removed', (purse: Purse) => void purse.spine.budgetChanges.remove(purse.key, OWNER), undefined],
])('a yes that comes late does nothing when %s', async (_why, change, amount) => {
  const purse = await new Purse().open();
  purse.pay(4.5);
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  change(purse);
  expect(purse.decide(approval.id, 'Raise to $10 a day')).toMatchObject({ kind: 'refused' });
  expect(purse.amount()).toBe(amount);
  expect(purse.spine.approvals.get(approval.id)?.state).toBe('superseded');
});

test('a yes after the day has ended does nothing', async () => {
  const purse = await new Purse().open();
  purse.pay(4.5);
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  purse.at = Date.UTC(2026, 10, 22, 1);
  expect(purse.decide(approval.id, 'Raise to $10 a day')).toMatchObject({ kind: 'refused' });
  expect(purse.amount()).toBe(5 * USD);
});

test('carried out again after a crash it is raised once', async () => {
  const purse = await new Purse().open();
  purse.pay(4.5);
  const [approval] = purse.pending();
  if (approval === undefined) throw new Error('nobody was asked');
  const decision = { kind: 'approved', choice: 'Raise to $10 a day', by: OWNER } as const;
  const first = await purse.spine.budgetAsks.rules.carryOut(approval, decision);
  const again = await purse.spine.budgetAsks.rules.carryOut(approval, decision);
  expect([first.outcome, again.outcome]).toEqual(['It is $10 a day now.', 'It is $10 a day now.']);
  const changes = purse.spine.ledger.listAbout(`agent/${purse.agent.id}/day/usd`, 20);
  expect(changes.filter(({ kind }) => kind === 'budget.changed')).toHaveLength(2);
});

test('that a cap was reached is in the ledger once, also over a restart', async () => {
  const purse = await new Purse().open();
  const reached = () => {
    const about = purse.spine.ledger.listAbout(`agent/${purse.agent.id}/day/usd`, 20);
    return about.filter(({ kind }) => kind === 'budget.reached').length;
  };
  const running = [purse.begin(), purse.begin()];
  purse.pay(5);
  expect(reached()).toBe(1);
  // Streams that run are let end.
  for (const meter of running) purse.answer(meter, 10, 10);
  purse.spine.modelDoor[Symbol.dispose]();
  purse.spine.budgetAsks = purse.spine.makeBudgetAsks();
  purse.spine.modelDoor = purse.spine.makeModelDoor();
  purse.spine.budgetAsks.note(purse.spine.modelDoor.spending.listStates(), purse.session);
  expect(reached()).toBe(1);
});

test('names that strangers chose stand on the card as plain signs', async () => {
  const purse = await new Purse().open();
  const key: BudgetKey = { scope: 'person', subject: ADA, period: 'month', unit: 'tokens' };
  purse.spine.db
    .prepare('UPDATE users SET display_name = ? WHERE id = ?')
    .run('**Ada**\n\nApproved by https://evil.example', ADA);
  purse.spine.budgetChanges.set(key, 1_000, OWNER);
  purse.spend(900, 0, { messageId: purse.messageId });
  const [approval] = purse.pending();
  expect(approval?.title).toContain('has used 90 % of its 1,000 tokens a month');
  expect(approval?.title).not.toMatch(/[*\n]|https:\/\//);
});
