import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { EgressLog, type EgressLogBounds } from '../../../host/egress/egress-log.ts';
import { egressLog } from '../../../host/observe/logger.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { EgressLogStore, type NewEgressEntry } from '../../../host/store/egress-log.ts';
import { makeId } from '../../../shared/ids.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';

function open(bounds: Partial<EgressLogBounds> = {}) {
  const db = openCentralDb(makeTempHome().centralDb, join(projectRoot(), 'migrations', 'central'));
  const store = new EgressLogStore(db);
  const clock = { now: 1_000_000 };
  const log = new EgressLog(store, () => clock.now, { flushMs: 1, ...bounds });
  onTestFinished(() => {
    log[Symbol.dispose]();
    db.close();
  });
  const settle = () => until('the log is written', () => (log.waiting === 0 ? true : null));
  return { db, store, clock, log, settle };
}

const [anna, bert] = [makeId('agentGroup'), makeId('agentGroup')];
const [one, two] = [makeId('session'), makeId('session')];

function entry(more: Partial<NewEgressEntry> = {}): NewEgressEntry {
  return {
    ...{ at: 1_000_000, agentGroupId: anna, sessionId: one, kind: 'https', method: 'GET', host: 'a.test', port: 443 },
    ...{ path: '/x', address: null, outcome: 'allowed', status: 200, reason: null, rule: 'r', bytesOut: 1, bytesIn: 2 },
    ...{ durationMs: 3, repeats: 1 },
    ...more,
  } as NewEgressEntry;
}

const refused = (more: Partial<NewEgressEntry> = {}) =>
  entry({ outcome: 'refused', status: 403, reason: 'not_allowed', rule: null, ...more });

test('rows are committed together, told after it, and found by page and filter', async () => {
  const { log, store, settle } = open();
  const heard: [number, number][] = [];
  const stop = log.onRow((row, added) => {
    expect(store.page({}, 100).some(({ id }) => id === row.id)).toBe(true);
    heard.push([row.id, added]);
  });
  for (let at = 0; at < 25; at++) log.add(entry({ path: `/Page/${at}`, sessionId: at % 2 === 0 ? one : two }));
  log.add(refused({ agentGroupId: bert, host: 'b%_.test' }));
  expect(heard).toEqual([]);
  await settle();
  expect(heard).toHaveLength(26);
  stop();
  const seen: number[] = [];
  for (let before: number | null = null; ; ) {
    const page = store.page({ agentGroupId: anna }, 7, before);
    seen.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    if (last === undefined) break;
    before = last.id;
  }
  expect(seen).toEqual([...seen].sort((a, b) => b - a));
  expect(seen).toHaveLength(25);
  expect(store.page({ sessionId: two }, 100)).toHaveLength(12);
  expect(store.page({ outcome: 'refused' }, 100).map(({ host }) => host)).toEqual(['b%_.test']);
  expect(store.page({ search: 'page/1' }, 100)).toHaveLength(11);
  expect(store.page({ search: '%_' }, 100)).toHaveLength(1);
  expect(store.page({ agentGroupIds: [bert] }, 100)).toHaveLength(1);
  expect(store.page({ agentGroupIds: [] }, 100)).toEqual([]);
});

test('what is refused alike is one row within a minute, in a batch and across batches', async () => {
  const { log, store, clock, settle } = open();
  for (let time = 0; time < 10; time++) log.add(refused());
  await settle();
  for (let time = 0; time < 10; time++) log.add(refused({ at: 1_000_500 }));
  log.add(refused({ sessionId: two }));
  await settle();
  const rows = () => store.page({}, 100).map(({ repeats, sessionId, at }) => [sessionId, repeats, at]);
  expect(rows()).toEqual([
    [two, 1, 1_000_000],
    [one, 20, 1_000_500],
  ]);
  clock.now += 60_001;
  log.add(refused());
  await settle();
  expect(rows()).toHaveLength(3);
});

test('a session that tries a thousand doors fills a few rows, and each try is counted', async () => {
  const { log, store, settle } = open({ distinctRefusals: 10 });
  for (let at = 0; at < 1_000; at++) log.add(refused({ path: `/${at}` }));
  log.add(refused({ sessionId: two }));
  await settle();
  const rows = store.page({ sessionId: one }, 100);
  expect(rows).toHaveLength(11);
  expect(rows.reduce((sum, { repeats }) => sum + repeats, 0)).toBe(1_000);
  expect(rows.find(({ host }) => host === '')).toMatchObject({ repeats: 990, reason: 'not_allowed' });
  expect(store.page({ sessionId: two }, 100)).toHaveLength(1);
});

test('an agent that floods the log pushes its own rows out, not another’s', async () => {
  const { log, store, settle } = open({ keptRowsPerAgent: 100, keptRows: 300, pruneRows: 50, batchRows: 20 });
  log.add(entry({ agentGroupId: bert, path: '/quiet' }));
  for (let at = 0; at < 2_000; at++) log.add(entry({ path: `/${at}` }));
  await settle();
  expect(store.page({ agentGroupId: anna }, 5_000).length).toBeLessThanOrEqual(150);
  expect(store.page({ agentGroupId: bert }, 10)).toHaveLength(1);
  expect(store.page({ agentGroupId: anna }, 1)[0]?.path).toBe('/1999');
});

test('what is older than a month goes, in steps', async () => {
  const { log, store, clock, settle } = open({ keptMs: 1_000, pruneRows: 10, pruneEveryMs: 100 });
  for (let at = 0; at < 25; at++) log.add(entry({ path: `/old/${at}` }));
  await settle();
  clock.now += 5_000;
  for (let step = 0; step < 4; step++) {
    log.add(entry({ at: clock.now, path: `/new/${step}` }));
    await settle();
  }
  expect(store.page({}, 100).map(({ path }) => path)).toEqual(['/new/3', '/new/2', '/new/1', '/new/0']);
});

test('a full disk drops the newest, bounded and counted, and the rest is written when there is room', async () => {
  const { log, store, db } = open({ maxPending: 10, retryMs: 5 });
  const tried = countAppends(store);
  const pages = Number(db.pragma('page_count', { simple: true }));
  db.pragma(`max_page_count = ${pages}`);
  for (let at = 0; at < 1_000; at++) log.add(entry({ path: `/${'x'.repeat(400)}${at}` }));
  expect(log.waiting).toBe(10);
  expect(log.dropped).toBe(990);
  await until('it was tried again', () => (tried.times >= 3 ? true : null));
  expect(store.page({}, 100)).toHaveLength(0);
  db.pragma('max_page_count = 1073741823');
  await until('it is written', () => (log.waiting === 0 ? true : null));
  expect(store.page({}, 100)).toHaveLength(10);
  expect(log.dropped).toBe(990);
});

test('what goes unrecorded is said when it begins, and how many it were: when there is room again, and at the end', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { log, db } = open({ maxPending: 10 });
  const said: unknown[] = [];
  vi.spyOn(egressLog, 'error').mockImplementation((...args: unknown[]) => void said.push(args));
  onTestFinished(() => void vi.restoreAllMocks());
  const flood = (requests: number) => {
    for (let at = 0; at < requests; at++) log.add(entry({ path: `/${'x'.repeat(4_000)}${at}` }));
  };
  db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
  flood(40);
  vi.advanceTimersByTime(5_000);
  const begins = [{ waiting: 10 }, 'the egress log has no room: requests go unrecorded'];
  expect(said).toEqual([begins]);
  db.pragma('max_page_count = 1073741823');
  vi.advanceTimersByTime(1_100);
  const ends = (requests: number) => [{ requests }, 'requests went unrecorded in the egress log'];
  expect(said.splice(0)).toEqual([begins, ends(30)]);
  db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
  flood(15);
  log[Symbol.dispose]();
  expect(said).toEqual([begins, ends(5), [{ rows: 10 }, 'the egress log was cut by the end']]);
});

test('a damaged page of the database ends nothing: what waits is written when it is mended', async () => {
  const { log, store, db } = open({ retryMs: 5 });
  const tried = countAppends(store);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const size = Number(db.pragma('page_size', { simple: true }));
  const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'egress_log'").pluck().get();
  const at = (Number(page) - 1) * size;
  const file = openSync(db.name, 'r+');
  onTestFinished(() => closeSync(file));
  const whole = Buffer.alloc(size);
  readSync(file, whole, 0, size, at);
  writeSync(file, Buffer.alloc(size, 0xff), 0, size, at);
  db.pragma('shrink_memory');
  expect(() => store.page({}, 1)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
  log.add(entry());
  await until('it was tried again', () => (tried.times >= 3 ? true : null));
  expect(log.waiting).toBe(1);
  writeSync(file, whole, 0, size, at);
  db.pragma('shrink_memory');
  await until('it is written', () => (log.waiting === 0 ? true : null));
  expect(store.page({}, 100)).toHaveLength(1);
});

test('a database that another program holds is asked again, and nothing is lost', async () => {
  const { log, store, db } = open({ retryMs: 5 });
  const tried = countAppends(store);
  db.pragma('busy_timeout = 0');
  const other = new Database(db.name);
  onTestFinished(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  log.add(entry());
  await until('it was tried again', () => (tried.times >= 3 ? true : null));
  expect(log.waiting).toBe(1);
  other.exec('ROLLBACK');
  await until('it is written', () => (log.waiting === 0 ? true : null));
  expect(store.page({}, 100)).toHaveLength(1);
});

test('a disk that takes nothing is asked once a second, however much comes', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { log, store, db } = open({ batchRows: 5 });
  const tried = countAppends(store);
  db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
  for (let second = 1; second <= 3; second++) {
    for (let at = 0; at < 20; at++) log.add(entry({ path: `/${'x'.repeat(4_000)}${at}` }));
    vi.advanceTimersByTime(1_000);
    // The first try finds out at once; each second has one more.
    expect(tried.times).toBe(second + 1);
  }
  db.pragma('max_page_count = 1073741823');
  vi.advanceTimersByTime(1_100);
  expect(log.waiting).toBe(0);
  expect(store.page({}, 100)).toHaveLength(60);
});

test('what is old is found without looking through what is not', () => {
  const { store, db } = open();
  const prepared: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    prepared.push(sql);
    return prepare(sql);
  }) as typeof db.prepare;
  store.forgetOlder(1, 10);
  store.forgetOldestOf(anna, 10);
  const plans = prepared.map((sql) =>
    JSON.stringify(prepare(`EXPLAIN QUERY PLAN ${sql}`).all({ before: 1, agentGroupId: anna, limit: 10 })),
  );
  expect(plans).toEqual([
    expect.stringContaining('INDEX egress_log_age (at<?)'),
    expect.stringContaining('INDEX egress_log_agent (agent_group_id=?)'),
  ]);
  expect(plans.join()).not.toMatch(/SCAN|TEMP B-TREE/);
});

/** How often it was asked to write. */
function countAppends(store: EgressLogStore): { times: number } {
  const tried = { times: 0 };
  const append = store.append.bind(store);
  store.append = (entries) => {
    tried.times++;
    return append(entries);
  };
  return tried;
}

test('what was told is written when the log closes, and a later log counts what it finds', async () => {
  const { log, store } = open({ flushMs: 60_000 });
  log.add(entry());
  log[Symbol.dispose]();
  expect(store.page({}, 10)).toHaveLength(1);
  const later = new EgressLog(store, () => 1, { keptRowsPerAgent: 0, keptRows: 0, pruneRows: 1, flushMs: 1 });
  later.add(entry({ path: '/later' }));
  await until('it is pruned', () => store.page({}, 10).length === 1);
  later[Symbol.dispose]();
});
