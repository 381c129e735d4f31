/** Whatever is changed in the host's tables, the gateway's facts are those of the stores, at once. */
import { expect, onTestFinished, test } from 'vitest';
import { openStores } from '../../../host/assembly/stores.ts';
import { Closers } from '../../../host/closers.ts';
import { keepFacts } from '../../../host/egress/kept-facts.ts';
import { Services } from '../../../host/egress/services.ts';
import type { UserId } from '../../../shared/ids.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const [ADA, ADA_AT_HOME] = ['test:ada', 'home:ada'] as [UserId, UserId];
const BUDGET = { scope: 'host', subject: '', period: 'day', unit: 'usd' } as const;
const PRICE = { service: 'own', model: 'm', input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
const RULE = { port: null, methods: null, pathPrefix: null, isPrivate: false, reason: null, approvalId: null };
const OWN = { name: 'own', url: 'https://own.example/v1', api: 'openai', header: null, isPrivate: false } as const;

function setUp() {
  const closers = new Closers();
  onTestFinished(() => closers.closeAll());
  const stores = openStores(makeTempHome(), closers);
  const services = new Services({ ...stores, now: () => 1 });
  const facts = keepFacts(stores.unchanged, { ...stores, services });
  const { id } = stores.agents.create({ name: 'anna', folder: 'anna', now: 1 });
  for (const user of [ADA, ADA_AT_HOME]) stores.users.ensure(user, 'Ada', 1);
  const kept = () => ({
    agent: facts.agents.get(id),
    rules: facts.rules.listFor(id),
    service: facts.services.get('own'),
    secret: facts.secretUses.at('own', id),
    budgets: facts.budgets.listFor(id, [ADA]),
    price: facts.prices.get('own', 'm'),
    people: facts.users.identitiesOf(ADA),
  });
  const stored = () => ({
    agent: stores.agents.get(id),
    rules: stores.accessRules.listFor(id),
    service: services.get('own'),
    secret: stores.secretUses.at('own', id),
    budgets: stores.budgets.listFor(id, [ADA]),
    price: stores.modelPrices.get('own', 'm'),
    people: stores.users.identitiesOf(ADA),
  });
  return { stores, services, facts, id, kept, stored };
}

test('what people change holds for the next request', () => {
  const { stores, services, facts, id, kept, stored } = setUp();
  const { accessRules, agents, budgets, modelPrices, persons, secretUses, secrets } = stores;
  const sealed = { name: 'key', keyId: 'k', nonce: Buffer.alloc(12), ciphertext: Buffer.alloc(17) };
  secrets.put(sealed, 'ada', 1);
  const setProvider = () => {
    const config = agents.get(id)?.config;
    if (config === undefined) throw new Error('the agent is gone');
    agents.change(
      id,
      { ...config, provider: 'openai', model: 'm' },
      { by: 'ada', reason: 'model', approvalId: null },
      2,
    );
  };
  const changes: [string, () => unknown][] = [
    ['service', () => services.add(OWN, 'ada')],
    [
      'secret',
      () => secretUses.put({ service: 'own', agentGroupId: id, secretName: 'key', createdBy: 'ada', createdAt: 1 }),
    ],
    [
      'rules',
      () => accessRules.add({ ...RULE, agentGroupId: id, host: null, service: 'own', createdBy: 'ada', createdAt: 1 }),
    ],
    ['budgets', () => budgets.put(BUDGET, 5, 'ada', 1)],
    ['budgets', () => budgets.markAsked(BUDGET, '2026-11-21')],
    ['price', () => modelPrices.put({ ...PRICE, changedBy: 'ada', changedAt: 1 })],
    ['people', () => persons.join(ADA, ADA_AT_HOME, 1)],
    ['agent', setProvider],
    ['agent', () => agents.rename(id, 'berta')],
    // By its foreign key, no statement of which names the table.
    ['secret', () => secrets.remove('key', 1)],
    ['rules', () => accessRules.listFor(id).map((rule) => accessRules.remove(rule.id))],
    [
      'service',
      () => services.remove('own', services.list().find(({ name }) => name === 'own')?.row?.revision ?? 0, 'ada'),
    ],
    ['budgets', () => budgets.remove(BUDGET)],
    ['price', () => modelPrices.remove('own', 'm')],
    ['people', () => persons.part(ADA_AT_HOME)],
    ['agent', () => agents.archive(id, agents.get(id)?.revision ?? 0, { kind: 'remove', archiveFolder: 'a' }, 3)],
  ];
  for (const [what, change] of changes) {
    const before = stored();
    expect(kept()).toEqual(before);
    change();
    const after = stored();
    // Or this would show nothing.
    expect(after, what).not.toEqual(before);
    expect(kept(), what).toEqual(after);
  }
  expect(facts.agents.get(id)).toBeNull();
});
