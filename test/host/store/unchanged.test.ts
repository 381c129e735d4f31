/** Answers that are kept as long as their tables stand. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { ModelPriceStore } from '../../../host/store/model-prices.ts';
import { Unchanged } from '../../../host/store/unchanged.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const CHANGED = { service: 's', model: 'm', output: 1, cacheRead: 1, cacheWrite: 1, changedBy: 'ada', changedAt: 1 };

function setUp() {
  const { centralDb } = makeTempHome();
  const open = () => {
    const db = openCentralDb(centralDb, join(projectRoot(), 'migrations', 'central'));
    onTestFinished(() => {
      db.close();
    });
    return db;
  };
  const db = open();
  const prices = new ModelPriceStore(db);
  const asked: string[] = [];
  const find = new Unchanged(db).keep(['model_prices'], (model: string) => {
    asked.push(model);
    return prices.get('s', model)?.input ?? null;
  });
  const put = (input: number, store = prices) => store.put({ ...CHANGED, input });
  return { db, open, prices, asked, find, put };
}

test('what did not change is asked for once, also that there is nothing', () => {
  const { asked, find, put } = setUp();
  put(1);
  expect([find('m'), find('m'), find('none'), find('none')]).toEqual([1, 1, null, null]);
  expect(asked).toEqual(['m', 'none']);
});

test('a change of another table leaves it as it is', () => {
  const { db, asked, find } = setUp();
  find('m');
  new AgentStore(db).create({ name: 'anna', folder: 'anna', now: 1 });
  find('m');
  expect(asked).toEqual(['m']);
});

test('what was set, changed and removed holds for the next question', () => {
  const { prices, find, put } = setUp();
  expect(find('m')).toBeNull();
  put(1);
  expect(find('m')).toBe(1);
  put(2);
  expect(find('m')).toBe(2);
  prices.remove('s', 'm');
  expect(find('m')).toBeNull();
});

test('what another connection changed holds from the next turn of the event loop on', async () => {
  const { open, find, put } = setUp();
  put(1);
  expect(find('m')).toBe(1);
  const other = new ModelPriceStore(open());
  await nextTurn();
  put(2, other);
  expect(find('m')).toBe(2);
  await nextTurn();
  other.remove('s', 'm');
  expect(find('m')).toBeNull();
});

test('what a transaction wrote and took back was never an answer outside of it', () => {
  const { db, find, put } = setUp();
  put(1);
  const failing = db.transaction(() => {
    put(2);
    expect(find('m')).toBe(2);
    throw new Error('taken back');
  });
  expect(failing).toThrow('taken back');
  expect(find('m')).toBe(1);
});

test('no more answers are kept than memory has room for', () => {
  const { asked, find } = setUp();
  for (let at = 0; at < 600; at++) find(`made-up-${at}`);
  asked.length = 0;
  find('made-up-599');
  find('made-up-0');
  expect(asked).toEqual(['made-up-0']);
});
