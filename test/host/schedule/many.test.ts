import { expect, test } from 'vitest';
import { MAX_DUE_AT_ONCE } from '../../../host/schedule/limits.ts';
import type { SessionId } from '../../../shared/ids.ts';
import { makeId } from '../../../shared/ids.ts';
import { HOUR, MINUTE, makeHarbour, NOON } from './harbour.ts';

test('10,000 tasks that wait cost the timer nothing: what is due comes from the index', async () => {
  const { clock, spine, create, runs } = await makeHarbour();
  const other = (await spine.say(spine.addChat(spine.addAgent('other'), 'test', 'hall'), 'hello')).session;
  spine.commit(() => {
    for (let at = 0; at < 10_000; at++) {
      spine.tasks.create({
        ...spareTask(other.id, other.agentGroupId),
        nextAt: NOON + 30 * 24 * HOUR + at,
        at: NOON + 30 * 24 * HOUR + at,
      });
    }
  });
  const spare = 'session_id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT 1';
  for (const where of ['next_at IS NOT NULL', 'next_at IS NOT NULL AND next_at <= 5']) {
    const plan = spine.db.prepare(`EXPLAIN QUERY PLAN SELECT next_at FROM tasks WHERE ${where} AND ${spare}`).all('[]');
    expect(JSON.stringify(plan)).toMatch(/USING INDEX tasks_next/);
    expect(JSON.stringify(plan)).not.toContain('TEMP B-TREE FOR ORDER BY');
  }
  // Seen by the timer: the one that is due, and the time of the next.
  const seen: number[] = [];
  const { tasks } = spine;
  const [listDue, get] = [tasks.listDue.bind(tasks), tasks.get.bind(tasks)];
  tasks.listDue = (...words) => {
    const due = listDue(...words);
    seen.push(due.length);
    return due;
  };
  let reads = 0;
  tasks.get = (id) => {
    reads++;
    return get(id);
  };
  create({ at: NOON + MINUTE });
  reads = 0;
  await clock.advance(MINUTE);
  expect(runs()).toHaveLength(1);
  expect(seen.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(reads).toBeLessThanOrEqual(2);
});

test('many due at once fire a few in each turn of the event loop, the earliest first, each once', async () => {
  const { clock, spine, session, create, runs } = await makeHarbour();
  const dueAt = Array.from({ length: 90 }, (_, at) => NOON + HOUR + (at % 30) * 1_000);
  for (const at of dueAt) create({ at });
  clock.forgetTimers();
  clock.sleep(2 * HOUR);
  void spine.schedule[Symbol.asyncDispose]();
  spine.schedule = spine.makeSchedule();
  spine.schedule.start();
  const perTurn: number[] = [];
  let before = 0;
  const firing = clock.advance(0);
  for (let turn = 0; runs().length < 90; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = runs().length;
    perTurn.push(now - before);
    before = now;
    if (turn === 0) await firing;
    if (turn > 1_000) throw new Error(`only ${now} of 90 fired`);
  }
  const times = runs().map((run) => run.task?.dueAt ?? 0);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(runs().map((run) => run.task?.id)).size).toBe(90);
  expect(spine.woken.filter((id) => id === session.id).length).toBeGreaterThan(5);
  expect(Math.max(...perTurn.slice(1))).toBeLessThanOrEqual(MAX_DUE_AT_ONCE);
});

function spareTask(sessionId: SessionId, agentGroupId: ReturnType<typeof makeId<'agentGroup'>>) {
  return {
    id: makeId('task'),
    sessionId,
    agentGroupId,
    prompt: 'x',
    cron: null,
    timezone: 'UTC',
    script: null,
    missed: 'once' as const,
    state: 'active' as const,
    channelType: null,
    platformId: null,
    threadId: null,
    createdAt: NOON,
  };
}
