import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { type DroppedBounds, type DroppedCursor, DroppedStore } from '../../../host/store/dropped.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const BOUNDS: DroppedBounds = { rowsPerChat: 4, rows: 10, keptMs: 1_000 };

function makeStore(bounds?: DroppedBounds) {
  const db = openCentralDb(makeTempHome().centralDb, join(projectRoot(), 'migrations', 'central'));
  onTestFinished(() => {
    db.close();
  });
  return { db, store: new DroppedStore(db, bounds) };
}

const drop = (chat: string, sender: string, now = 1) => ({
  channelType: 'test',
  platformId: chat,
  senderId: `test:${sender}`,
  reason: 'unknown_sender',
  now,
});

test('pages lose and repeat nothing, whatever is of the same millisecond', () => {
  const { store } = makeStore();
  for (let at = 0; at < 25; at++) store.record(drop(`chat${at}`, 'ann', at < 20 ? 7 : at));
  const seen: string[] = [];
  let after: DroppedCursor | null = null;
  for (;;) {
    const page = store.list(4, after);
    seen.push(...page.map((entry) => entry.platformId));
    const last = page.at(-1);
    if (last === undefined) break;
    after = { lastAt: last.lastAt, row: last.row };
  }
  expect(seen).toHaveLength(25);
  expect(new Set(seen).size).toBe(25);
});

test('a flood of sender ids in one chat folds into one row, and other chats keep theirs', () => {
  const { store } = makeStore(BOUNDS);
  for (let at = 0; at < 1_000; at++) store.record(drop('flooded', `s${at}`));
  store.record(drop('quiet', 'bob'));
  const entries = store.list(100);
  expect(entries.length).toBeLessThanOrEqual(BOUNDS.rowsPerChat + 2);
  expect(entries.find((entry) => entry.platformId === 'flooded' && entry.senderId === '')?.count).toBe(996);
  expect(entries.find((entry) => entry.platformId === 'quiet')).toMatchObject({ senderId: 'test:bob', count: 1 });
});

test('a flood of chats folds too, every message stays counted, and old entries make room', () => {
  const { db, store } = makeStore(BOUNDS);
  for (let at = 0; at < 500; at++) store.record(drop(`chat${at}`, 'ann'));
  const sum = () => store.list(100).reduce((total, entry) => total + entry.count, 0);
  expect(store.list(100)).toHaveLength(BOUNDS.rows + 1);
  expect(sum()).toBe(500);
  // A later host counts the rows that it finds.
  const later = new DroppedStore(db, BOUNDS);
  later.record(drop('another', 'ann', 2));
  expect(later.list(100)).toHaveLength(BOUNDS.rows + 1);
  expect(sum()).toBe(501);
  later.record(drop('new', 'ann', 1 + BOUNDS.keptMs + 1));
  expect(later.list(100).map((entry) => entry.platformId)).toContain('new');
});
