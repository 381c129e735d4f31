import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { type CentralDb, openCentralDb } from '../../../host/store/database.ts';
import { LEDGER_START, Ledger, type LedgerEntry } from '../../../host/store/ledger.ts';
import { type LedgerQuery, LedgerSearch } from '../../../host/store/ledger-search.ts';
import { SessionStore } from '../../../host/store/sessions.ts';
import { makeTempHome } from '../../support/temp-home.ts';

function openLedger(): { db: CentralDb; ledger: Ledger; search: LedgerSearch } {
  const db = openCentralDb(makeTempHome().centralDb, join(projectRoot(), 'migrations', 'central'), 1);
  onTestFinished(() => {
    db.close();
  });
  return { db, ledger: new Ledger(db), search: new LedgerSearch(db) };
}

const entry = (kind: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  kind,
  sessionId: null,
  messageId: null,
  actor: null,
  detail: {},
  ...more,
});

test('the chain holds whatever text an entry has', () => {
  const { ledger } = openLedger();
  const text = fc.option(fc.string({ unit: 'binary', maxLength: 40 }), { nil: null });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1 }),
      text,
      text,
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      (kind, one, other, at) => {
        ledger.append(entry(kind, { messageId: one, actor: other, detail: { text: one, half: '\ud800' } }), at);
        expect(ledger.findBreak()).toBeNull();
      },
    ),
    { numRuns: 200 },
  );
});

test('entries of a transaction that is rolled back leave no gap and no wrong hash', () => {
  const { db, ledger } = openLedger();
  ledger.append(entry('one.kept'), 1);
  expect(() =>
    db.transaction(() => {
      ledger.appendAll([entry('two.gone'), entry('three.gone')], 2);
      throw new Error('no');
    })(),
  ).toThrow('no');
  // Another object over the same database goes on from what is there.
  new Ledger(db).append(entry('two.kept'), 3);
  ledger.append(entry('three.kept'), 4);
  expect(ledger.findBreak()).toBeNull();
  expect(ledger.head()).toMatchObject({ position: 3, at: 4 });
});

test('nobody changes or cuts it through the database', () => {
  const { db, ledger } = openLedger();
  ledger.append(entry('one.kept'), 1);
  expect(() => db.exec(`UPDATE ledger SET actor = 'x'`)).toThrow('append-only');
  expect(() => db.exec('DELETE FROM ledger')).toThrow('append-only');
});

test('a part of the chain is checked from a link, and the first position that does not follow is named', () => {
  const { db, ledger } = openLedger();
  for (let at = 1; at <= 30; at++) ledger.append(entry('some.thing', { detail: { at } }), at);
  expect(ledger.verify(LEDGER_START, 10)).toMatchObject({ to: { position: 10 }, isComplete: false });
  const half = ledger.verify(LEDGER_START, 10).to;
  expect(ledger.verify(half, 100)).toMatchObject({ to: { position: 30 }, brokenAt: null, isComplete: true });
  expect(ledger.verify({ ...half, hash: 'f'.repeat(64) }, 100)).toMatchObject({ brokenAt: 11 });
  db.exec('DROP TRIGGER ledger_is_never_changed');
  db.exec(`UPDATE ledger SET detail = '{}' WHERE position = 17`);
  expect(ledger.findBreak()).toBe(17);
});

/** Walks all pages. */
function findAll(search: LedgerSearch, query: LedgerQuery, limit = 7): { positions: number[]; calls: number } {
  const positions: number[] = [];
  let before: number | null = null;
  for (let calls = 1; ; calls++) {
    const page = search.find(query, limit, before);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    positions.push(...page.items.map(({ position }) => position));
    if (page.next === null) return { positions, calls };
    before = page.next;
  }
}

test('every filter finds exactly what it names, newest first, over all pages', () => {
  const { db, ledger, search } = openLedger();
  const agents = new AgentStore(db);
  const agentA = agents.create({ name: 'a', folder: 'a', now: 1 }).id;
  const agentB = agents.create({ name: 'b', folder: 'b', now: 1 }).id;
  const key = { agentGroupId: agentA, messagingGroupId: null, threadId: null };
  const session = new SessionStore(db).create(key, 'a', 1).id;
  const kinds = ['delivery.delivered', 'delivery.refused', 'deliveryx.other', 'role.granted'];
  const entries = Array.from({ length: 400 }, (_, index) =>
    entry(kinds[index % 4] ?? '', {
      sessionId: index % 5 === 0 ? session : null,
      messageId: index % 7 === 0 ? `subject-${index % 3}` : null,
      actor: index % 3 === 0 ? agentB : index % 11 === 0 ? agentA : null,
      detail: {
        number: index,
        note: index % 13 === 0 ? 'Ärger mit "Anführung"' : '',
        target: index % 17 === 0 ? agentA : '',
      },
    }),
  );
  entries.forEach((one, index) => {
    ledger.append(one, 1_000 * index);
  });
  const expectFound = (query: LedgerQuery, matches: (one: LedgerEntry, index: number) => boolean) => {
    const wanted = entries.flatMap((one, index) => (matches(one, index) ? [index + 1] : [])).reverse();
    expect(wanted.length).toBeGreaterThan(0);
    expect(findAll(search, query).positions).toEqual(wanted);
  };
  expectFound({}, () => true);
  expectFound({ kind: 'delivery.' }, ({ kind }) => kind.startsWith('delivery.'));
  expectFound({ kind: 'role.granted' }, ({ kind }) => kind === 'role.granted');
  expectFound({ sessionId: session }, (one) => one.sessionId === session);
  expectFound({ actor: agentB }, ({ actor }) => actor === agentB);
  expectFound({ subject: 'subject-1' }, ({ messageId }) => messageId === 'subject-1');
  expectFound({ since: 100_000, until: 200_000 }, (_, index) => index >= 100 && index < 200);
  expectFound({ text: 'Ärger MIT "anführung"' }, (_, index) => index % 13 === 0);
  expectFound({ text: 'DELIVERYX' }, ({ kind }) => kind === 'deliveryx.other');
  expectFound(
    { agentGroupId: agentA },
    (one) => one.actor === agentA || one.sessionId === session || one.detail.target === agentA,
  );
  expectFound(
    { kind: 'delivery.', actor: agentB, sessionId: session, since: 50_000 },
    (one, index) =>
      one.kind.startsWith('delivery.') && one.actor === agentB && one.sessionId === session && index >= 50,
  );
  expect(findAll(search, { text: 'nowhere at all' }).positions).toEqual([]);
});

test('a search for what is rare goes through bounded stretches, each a call of its own', () => {
  const { ledger, search } = openLedger();
  ledger.append(entry('needle.lost', { detail: { text: 'find me' } }), 1);
  ledger.appendAll(
    Array.from({ length: 12_000 }, () => entry('hay.stack')),
    2,
  );
  expect(findAll(search, { text: 'find me' })).toEqual({ positions: [1], calls: 3 });
  // What has an index is one call, however far back it lies.
  expect(findAll(search, { kind: 'needle.lost', text: 'find me' })).toEqual({ positions: [1], calls: 1 });
});

test('two filters that each have an index, and hardly meet, are bounded stretches too', () => {
  const { ledger, search } = openLedger();
  ledger.append(entry('needle.lost', { actor: 'telegram:1' }), 1);
  ledger.appendAll(
    Array.from({ length: 12_000 }, (_, index) =>
      index % 2 === 0 ? entry('hay.stack', { actor: 'telegram:1' }) : entry('needle.lost'),
    ),
    2,
  );
  expect(findAll(search, { kind: 'needle.lost', actor: 'telegram:1' })).toEqual({ positions: [1], calls: 2 });
});

test('what is known of one subject costs the same however many entries have its kind', () => {
  const { ledger } = openLedger();
  ledger.appendAll(
    Array.from({ length: 60_000 }, (_, index) => entry('session.restarted', { messageId: `msg_${index}` })),
    1,
  );
  const startedAt = performance.now();
  for (let index = 0; index < 200; index++) expect(ledger.countByMessage(`msg_${index}`, 'session.restarted')).toBe(1);
  // Through the index of kinds it takes a hundred times as long.
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test('times that were set back within a day are found by time', () => {
  const { ledger, search } = openLedger();
  const day = 24 * 3_600_000;
  const times = [10 * day, 11 * day, 12 * day, 11.5 * day, 12.2 * day, 11.9 * day, 13 * day, 20 * day];
  for (const at of times) ledger.append(entry('some.thing'), at);
  const wanted = times.flatMap((at, index) => (at >= 11.4 * day && at < 12.1 * day ? [index + 1] : [])).reverse();
  expect(findAll(search, { since: 11.4 * day, until: 12.1 * day }).positions).toEqual(wanted);
});
