/** What each drain and each message asks of inbound.db, and that it does not grow with the past. */
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { InboxTables } from '../../../host/sessions/inbox-tables.ts';
import { INBOUND_SCHEMA } from '../../../shared/session-schema.ts';

/** An empty inbound.db, and each statement that is prepared of it. */
function openTables() {
  const db = new Database(':memory:');
  for (const sql of INBOUND_SCHEMA) db.exec(sql);
  const asked: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    asked.push(sql);
    return prepare(sql);
  }) as typeof db.prepare;
  return { db, prepare, asked, tables: new InboxTables(db) };
}

test('nothing that is asked for each message reads a whole table: a long past costs nothing (FAULTS: cost and growth)', () => {
  const { db, prepare, asked, tables } = openTables();
  tables.highestSeq();
  tables.listOpen(10, 1);
  tables.getStatus('m');
  tables.getRoute('m');
  tables.getLink('m');
  tables.findFarthestPeer(1, 0, 10);
  tables.countOpenFrom('web', 'p', 5);
  tables.work(1);
  tables.getDelivery('m');
  tables.listOpenDeliveries(10, 1);
  tables.nextDeferred(1);
  tables.hasOpenDeliveries();
  tables.deliveryCursor();
  expect(asked.length).toBeGreaterThan(10);
  for (const sql of asked) {
    const named = Object.fromEntries(Array.from(sql.matchAll(/@(\w+)/g), ([, name]) => [name, 1]));
    const places = Array.from(sql.matchAll(/\?/g), () => 1);
    const explain = prepare(`EXPLAIN QUERY PLAN ${sql}`);
    const plan = places.length > 0 ? explain.all(...places) : explain.all(named);
    for (const { detail } of plan as { detail: string }[]) {
      if (/^(SEARCH|SCAN) (messages_in|deliveries)/.test(detail)) expect(detail, sql).toContain('INDEX');
    }
  }
  db.close();
});

test('what each drain asks is compiled once: no limit is a bare parameter, which is a hint to the planner', () => {
  const { db, asked, tables } = openTables();
  tables.listOpen(10, 1);
  tables.listOpenDeliveries(10, 1);
  expect(asked.filter((sql) => sql.includes('LIMIT')).length).toBeGreaterThan(1);
  for (const sql of asked) expect(sql).not.toMatch(/LIMIT [?@]\w*$/);
  db.close();
});
