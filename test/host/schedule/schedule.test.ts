import { writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { epochMs, makeId } from '../../../shared/ids.ts';
import type { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';
import { DAY, HOUR, MINUTE, makeHarbour, NOON } from './harbour.ts';

describe('a task fires', () => {
  test('once, exactly when it is due, with its prompt, to where the request came from', async () => {
    const { clock, spine, session, create, runs, task, receipts } = await makeHarbour();
    const id = create({ at: NOON + 90_500, prompt: 'tea is ready', script: 'exit 0' });
    spine.woken.length = 0;
    await clock.advance(90_499);
    expect(runs()).toEqual([]);
    await clock.advance(1);
    expect(runs()).toMatchObject([
      {
        kind: 'task',
        text: 'tea is ready',
        channelType: 'test',
        platformId: 'room',
        trigger: true,
        timestamp: NOON + 90_500,
        task: { id, dueAt: NOON + 90_500, missed: 0, script: 'exit 0' },
      },
    ]);
    expect(spine.woken).toEqual([session.id]);
    expect(task(id)).toMatchObject({ state: 'done', nextAt: null });
    expect(receipts(id)).toMatchObject([{ dueAt: NOON + 90_500, firedAt: NOON + 90_500, outcome: 'fired' }]);
    await clock.advance(DAY);
    expect(runs()).toHaveLength(1);
  });

  test('again and again by its cron, in its own time zone', async () => {
    const { clock, create, receipts, answerAll, task } = await makeHarbour(Date.parse('2026-03-28T12:00:00Z'));
    const id = create({ cron: '0 9 * * *', timezone: 'Europe/Berlin' });
    for (let day = 0; day < 3; day++) {
      await clock.advance(DAY);
      await answerAll();
    }
    expect(receipts(id).map(({ dueAt, outcome }) => [new Date(dueAt).toISOString(), outcome])).toEqual([
      ['2026-03-29T07:00:00.000Z', 'answered'],
      ['2026-03-30T07:00:00.000Z', 'answered'],
      ['2026-03-31T07:00:00.000Z', 'answered'],
    ]);
    expect(task(id)).toMatchObject({ state: 'active', revision: 1 });
  });

  test('in the agent’s time zone when it names none', async () => {
    const { spine, agent, create, task } = await makeHarbour();
    spine.configs.changeAgent(agent.id, agent.revision, { timezone: 'Asia/Tokyo' }, 'web:owner');
    expect(task(create({ cron: '0 9 * * *' }))).toMatchObject({
      timezone: 'Asia/Tokyo',
      nextAt: Date.parse('2026-11-24T00:00:00Z'),
    });
  });

  test('at once when its time was a moment ago', async () => {
    const { clock, create, runs } = await makeHarbour();
    create({ at: NOON - 30_000 });
    await clock.advance(0);
    expect(runs()).toHaveLength(1);
  });

  test('and its end is on its receipt: answered, quiet, failed', async () => {
    const { clock, spine, session, paths, create, runs, receipts } = await makeHarbour();
    const ids = ['a', 'b', 'c'].map((prompt) => create({ at: NOON + 1_000, prompt }));
    await clock.advance(1_000);
    const container = spine.container(paths);
    const byPrompt = Object.fromEntries(runs().map((run) => [run.text, run.id]));
    container.mark(byPrompt.a ?? '', 'done');
    container.mark(byPrompt.b ?? '', 'done', { quiet: true });
    container.mark(byPrompt.c ?? '', 'failed', { error: 'no such tool', retryable: false });
    spine.delivery.ring(session.id);
    const outcomes = () => ids.map((id) => receipts(id).map(({ outcome, note }) => [outcome, note])[0]);
    await until('all have ended', () => outcomes().every((one) => one?.[0] !== 'fired'));
    expect(outcomes()).toEqual([
      ['answered', null],
      ['quiet', null],
      ['failed', 'no such tool'],
    ]);
  });

  test('next time too after a run that failed out of its tries (fault: never runs again)', async () => {
    const { clock, spine, session, create, runs, receipts } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    await clock.advance(HOUR);
    const [run] = runs();
    if (run === undefined) throw new Error('nothing fired');
    await spine.inboxes.commit(session, (tables) => tables.setStatus(run.id, 'failed'));
    // Nobody told the schedule: it looks for itself when the next run is due.
    await clock.advance(HOUR);
    expect(receipts(id).map(({ outcome }) => outcome)).toEqual(['failed', 'fired']);
  });

  test('not while the run before is open: that is on the receipt, and nothing piles up', async () => {
    const { clock, create, runs, receipts, answerAll } = await makeHarbour();
    const id = create({ cron: '* * * * *' });
    await clock.advance(3 * MINUTE);
    expect(runs()).toHaveLength(1);
    await answerAll();
    await clock.advance(MINUTE);
    expect(receipts(id).map(({ outcome, note }) => [outcome, note])).toEqual([
      ['answered', null],
      ['missed', 'the run before was not at its end'],
      ['missed', 'the run before was not at its end'],
      ['fired', null],
    ]);
  });
});

describe('runs missed while the host was down', () => {
  test('skip leaves them out, with a receipt for each', async () => {
    const { clock, create, runs, receipts, restart, task } = await makeHarbour();
    const id = create({ cron: '0 * * * *', missed: 'skip' });
    clock.forgetTimers();
    clock.sleep(3 * HOUR + 5 * MINUTE);
    await restart();
    await clock.advance(0);
    expect(runs()).toEqual([]);
    expect(receipts(id).map(({ outcome }) => outcome)).toEqual(['missed', 'missed', 'missed']);
    expect(task(id).nextAt).toBe(NOON + 4 * HOUR);
  });

  test('skip still fires what is hardly late', async () => {
    const { clock, create, runs, restart } = await makeHarbour();
    create({ cron: '0 * * * *', missed: 'skip' });
    clock.forgetTimers();
    clock.sleep(2 * HOUR + 30_000);
    await restart();
    await clock.advance(0);
    expect(runs()).toMatchObject([{ task: { dueAt: NOON + 2 * HOUR, missed: 1 } }]);
  });

  test('once fires one for all, and says how many there were', async () => {
    const { clock, create, runs, receipts, restart } = await makeHarbour();
    const id = create({ cron: '0 * * * *', missed: 'once' });
    clock.forgetTimers();
    clock.sleep(3 * HOUR + 5 * MINUTE);
    await restart();
    await clock.advance(0);
    expect(runs()).toMatchObject([{ task: { dueAt: NOON + 3 * HOUR, missed: 2 } }]);
    expect(receipts(id).map(({ outcome }) => outcome)).toEqual(['missed', 'missed', 'fired']);
  });

  test('all fires each, oldest first, and no more than the limit', async () => {
    const { clock, create, runs, receipts, restart } = await makeHarbour();
    const id = create({ cron: '0 * * * *', missed: 'all' });
    clock.forgetTimers();
    clock.sleep(25 * HOUR + 5 * MINUTE);
    await restart();
    await clock.advance(0);
    expect(runs().map((run) => run.task?.dueAt)).toEqual(Array.from({ length: 20 }, (_, at) => NOON + (at + 6) * HOUR));
    expect(runs()[0]?.task?.missed).toBe(5);
    expect(receipts(id)).toHaveLength(25);
  });

  test.each([
    ['once', 'fired', 1],
    ['all', 'fired', 1],
    ['skip', 'missed', 0],
  ] as const)('%s for a time that is past: %s', async (missed, outcome, count) => {
    const { clock, create, runs, receipts, restart, task } = await makeHarbour();
    const id = create({ at: NOON + HOUR, missed });
    clock.forgetTimers();
    clock.sleep(DAY);
    await restart();
    await clock.advance(0);
    expect(runs()).toHaveLength(count);
    expect(receipts(id)).toMatchObject([{ outcome, dueAt: NOON + HOUR }]);
    expect(task(id).state).toBe('done');
  });

  test('a year of minutes is not counted one by one', async () => {
    const { clock, create, runs, receipts, restart, task } = await makeHarbour();
    const id = create({ cron: '* * * * *', missed: 'once' });
    clock.forgetTimers();
    clock.sleep(365 * DAY + 30_000);
    await restart();
    await clock.advance(0);
    expect(runs()).toMatchObject([{ task: { dueAt: NOON + 365 * DAY, missed: 50 } }]);
    expect(receipts(id)).toHaveLength(50);
    expect(receipts(id)[0]?.note).toContain('so did more before it');
    expect(task(id).nextAt).toBe(NOON + 365 * DAY + MINUTE);
  });

  test('a machine that slept notices within half a minute of waking', async () => {
    const { clock, spine, create, runs } = await makeHarbour();
    // Timers count the time that the machine is awake, as the system's own do; the clock on the wall goes on.
    let sleptMs = 0;
    spine.clock = {
      now: () => epochMs(clock.now() + sleptMs),
      at: (atMs, call) => clock.at(epochMs(atMs - sleptMs), call),
    };
    create({ at: NOON + 2 * HOUR });
    await clock.advance(MINUTE);
    sleptMs = 3 * HOUR;
    await clock.advance(30_000);
    expect(runs()).toHaveLength(1);
  });
});

describe('when the host dies between the inbox and the receipt, a run stands before the agent once', () => {
  /** The central commit of the next firing does not happen: the host dies, or the disk is full. */
  const failNextRecord = (spine: Spine) => {
    const { commit } = spine;
    spine.commit = () => {
      spine.commit = commit;
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    };
  };

  test('with the host back at once', async () => {
    const { clock, spine, create, runs, receipts, restart, task } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    failNextRecord(spine);
    await clock.advance(HOUR);
    expect(runs()).toHaveLength(1);
    expect(receipts(id)).toEqual([]);
    await restart();
    await clock.advance(0);
    expect(runs()).toHaveLength(1);
    expect(receipts(id)).toMatchObject([{ outcome: 'fired', dueAt: NOON + HOUR, messageId: runs()[0]?.id }]);
    expect(task(id).nextAt).toBe(NOON + 2 * HOUR);
  });

  test.each([
    ['open', 'pending', ['fired', 'missed', 'missed'], 1],
    ['at its end', 'done', ['answered', 'missed', 'fired'], 1],
  ] as const)('with the host back hours later, the run being %s', async (_what, status, outcomes, count) => {
    const { clock, spine, session, create, runs, receipts, restart } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    failNextRecord(spine);
    await clock.advance(HOUR);
    const [run] = runs();
    if (status === 'done') await spine.inboxes.commit(session, (tables) => tables.setStatus(run?.id ?? '', 'done'));
    clock.forgetTimers();
    clock.sleep(2 * HOUR + MINUTE);
    await restart();
    await clock.advance(0);
    expect(receipts(id).map(({ outcome }) => outcome)).toEqual(outcomes);
    expect(runs()).toHaveLength(count);
    expect(new Set(receipts(id).map(({ dueAt }) => dueAt)).size).toBe(3);
  });

  test('with what it stood for counted once', async () => {
    const { clock, spine, session, create, runs, receipts, restart } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    clock.forgetTimers();
    clock.sleep(3 * HOUR);
    failNextRecord(spine);
    await restart();
    await clock.advance(0);
    expect(runs()).toMatchObject([{ task: { dueAt: NOON + 3 * HOUR, missed: 2 } }]);
    await spine.inboxes.commit(session, (tables) => tables.setStatus(runs()[0]?.id ?? '', 'done'));
    clock.forgetTimers();
    clock.sleep(HOUR);
    await restart();
    await clock.advance(0);
    expect(runs()).toMatchObject([{ task: { dueAt: NOON + 4 * HOUR, missed: 0 } }]);
    expect(receipts(id).map(({ outcome }) => outcome)).toEqual(['missed', 'missed', 'answered', 'fired']);
  });

  test('with the same host, once the disk has room again', async () => {
    const { clock, spine, session, create, runs, receipts } = await makeHarbour();
    const id = create({ at: NOON + HOUR });
    failNextRecord(spine);
    await clock.advance(HOUR);
    spine.woken.length = 0;
    await clock.advance(2_000);
    expect(runs()).toHaveLength(1);
    expect(receipts(id)).toMatchObject([{ outcome: 'fired' }]);
    expect(spine.woken).toEqual([session.id]);
  });

  test('an end that was not noted before the host died is noted at its start', async () => {
    const { clock, spine, session, create, runs, receipts, restart } = await makeHarbour();
    const id = create({ at: NOON + HOUR });
    await clock.advance(HOUR);
    await spine.inboxes.commit(session, (tables) => tables.setStatus(runs()[0]?.id ?? '', 'done'));
    await restart();
    expect(receipts(id)).toMatchObject([{ outcome: 'answered' }]);
  });
});

describe('a session that cannot take its firing', () => {
  test('does not keep others waiting, and has its own once it can', async () => {
    const { clock, spine, agent, ask, session, runs } = await makeHarbour();
    const hall = await spine.say(spine.addChat(agent, 'test', 'hall'), 'me too');
    const at = NOON + HOUR;
    ask({ action: 'create_task', prompt: 'a', at, missed: 'once' });
    ask({ action: 'create_task', prompt: 'b', at, missed: 'once' }, makeId('message'), hall.session);
    // Its container holds a lock on the database, and does not let go.
    const lock = new Database(spine.paths(session).inboundDb);
    lock.exec('BEGIN EXCLUSIVE');
    await clock.advance(HOUR);
    const inHall = () => spine.inboxes.read(hall.session, (tables) => tables.listOpen(10));
    expect(inHall().filter((row) => row.kind === 'task')).toHaveLength(1);
    await until('its inbox gives up', () => spine.locksHeld.length > 0);
    lock.close();
    await clock.advance(5_000);
    expect(runs()).toHaveLength(1);
  });

  test('for good has it on the receipt as failed, and is tried again at the next time', async () => {
    const { clock, paths, create, receipts, task } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    writeFileSync(paths.inboundDb, 'this is no database, and it is longer than a header of one would be '.repeat(20));
    await clock.advance(HOUR);
    expect(receipts(id)).toMatchObject([{ outcome: 'failed', firedAt: null, note: 'inbound.db is corrupt' }]);
    expect(task(id)).toMatchObject({ state: 'active', nextAt: NOON + 2 * HOUR });
  });

  test('because it was ended fires no more', async () => {
    const { clock, spine, session, create, task } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    spine.db.prepare('UPDATE sessions SET ended_at = ? WHERE id = ?').run(clock.now(), session.id);
    await clock.advance(HOUR);
    expect(task(id)).toMatchObject({ state: 'cancelled', nextAt: null });
    await clock.advance(DAY);
    expect(clock.pending).toBe(0);
  });
});

test('a change of the session’s tasks is in the list that its runner reads', async () => {
  const { clock, ask, create, list, answerAll } = await makeHarbour();
  expect(await list()).toBeNull();
  const id = create({ cron: '0 * * * *', timezone: 'UTC', prompt: 'x'.repeat(2_000) });
  expect(await list()).toMatchObject([
    { id, cron: '0 * * * *', state: 'active', nextAt: NOON + HOUR, lastFiredAt: null },
  ]);
  expect((await list())?.[0]?.prompt.length).toBeLessThan(600);
  await clock.advance(HOUR);
  expect(await list()).toMatchObject([{ lastFiredAt: NOON + HOUR, nextAt: NOON + 2 * HOUR }]);
  await answerAll();
  ask({ action: 'pause_task', taskId: id });
  expect(await list()).toMatchObject([{ state: 'paused', nextAt: null }]);
  ask({ action: 'cancel_task', taskId: id });
  expect(await list()).toEqual([]);
});
