import { describe, expect, test } from 'vitest';
import { MAX_FIRED_ONCE, MAX_OPEN_TASKS, MAX_OPEN_TASKS_OF_AGENT } from '../../../host/schedule/limits.ts';
import { deriveTaskId, makeId, type TaskId } from '../../../shared/ids.ts';
import { parseOutboundContent } from '../../../shared/messages.ts';
import { until } from '../../support/until.ts';
import { DAY, HOUR, MINUTE, makeHarbour, NOON } from './harbour.ts';

describe('a request of an agent', () => {
  test('asked twice after a crash makes one task', async () => {
    const { clock, spine, session, ask } = await makeHarbour();
    const row = makeId('message');
    const request = { action: 'create_task', prompt: 'tea', at: NOON + HOUR, missed: 'once' } as const;
    expect(ask(request, row)).toMatchObject({ kind: 'done' });
    // By now its time would be refused: it is answered for the task that is there.
    clock.sleep(30 * DAY);
    expect(ask(request, row)).toMatchObject({ kind: 'done', taskId: deriveTaskId(session.id, row) });
    expect(spine.tasks.countOpen(session.id)).toBe(1);
  });

  test('changes what it names and leaves the rest', async () => {
    const { ask, create, task } = await makeHarbour();
    const id = create({ cron: '0 9 * * *', script: 'exit 0', prompt: 'old' });
    expect(ask({ action: 'update_task', taskId: id, prompt: 'new' })).toMatchObject({ kind: 'done' });
    expect(task(id)).toMatchObject({ prompt: 'new', script: 'exit 0', cron: '0 9 * * *', revision: 2 });
    ask({ action: 'update_task', taskId: id, script: null, timezone: 'Asia/Tokyo' });
    expect(task(id)).toMatchObject({ script: null, nextAt: Date.parse('2026-11-24T00:00:00Z') });
    ask({ action: 'update_task', taskId: id, at: NOON + HOUR });
    expect(task(id)).toMatchObject({ at: NOON + HOUR, cron: null, nextAt: NOON + HOUR });
    ask({ action: 'update_task', taskId: id, cron: '30 12 * * *', timezone: 'UTC' });
    expect(task(id)).toMatchObject({ at: null, cron: '30 12 * * *', nextAt: NOON + 30 * MINUTE });
  });

  test('that changes the time moves the timer', async () => {
    const { clock, ask, create, runs } = await makeHarbour();
    const id = create({ at: NOON + DAY });
    ask({ action: 'update_task', taskId: id, at: NOON + MINUTE });
    await clock.advance(MINUTE);
    expect(runs()).toHaveLength(1);
  });

  test('pauses, resumes from now, and cancels', async () => {
    const { clock, ask, create, runs, task } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    ask({ action: 'pause_task', taskId: id });
    await clock.advance(3 * HOUR + MINUTE);
    expect(runs()).toEqual([]);
    ask({ action: 'resume_task', taskId: id });
    expect(task(id).nextAt).toBe(NOON + 4 * HOUR);
    ask({ action: 'cancel_task', taskId: id });
    await clock.advance(DAY);
    expect(runs()).toEqual([]);
    expect(ask({ action: 'resume_task', taskId: id })).toMatchObject({ kind: 'refused' });
    expect(ask({ action: 'update_task', taskId: id, prompt: 'x' })).toMatchObject({ kind: 'refused' });
  });

  test('cost and growth: an agent that wakes itself again and again is stopped, and may go on later', async () => {
    const { clock, ask, create, runs, answerAll } = await makeHarbour();
    let fired = 0;
    const wakeSoon = () =>
      ask({ action: 'create_task', prompt: 'go on', missed: 'once', at: clock.now() + 1_000 } as const);
    while (wakeSoon().kind === 'done' && fired < 200) {
      await clock.advance(1_000);
      fired += runs().length;
      await answerAll();
    }
    expect(fired).toBe(MAX_FIRED_ONCE);
    expect(wakeSoon()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('an hour from now') });
    // A later one is taken, and is not brought forward by a change.
    const later = create({ at: clock.now() + 2 * HOUR });
    expect(ask({ action: 'update_task', taskId: later, at: clock.now() + 1_000 })).toMatchObject({ kind: 'refused' });
    create({ cron: '0 * * * *' });
    await clock.advance(HOUR);
    expect(wakeSoon()).toMatchObject({ kind: 'done' });
  });

  test.each([
    ['cancelled', { action: 'cancel_task' }, { state: 'cancelled', nextAt: null }],
    ['put off', { action: 'update_task', at: NOON + DAY }, { state: 'active', nextAt: NOON + DAY }],
  ] as const)('%s in the moment it is due does not fire', async (_what, request, left) => {
    const { clock, spine, ask, create, runs, task, receipts } = await makeHarbour();
    let meanwhile = () => {};
    // After the timer has called, and before the commit of the inbox.
    spine.clock = {
      now: () => clock.now(),
      at: (atMs, call) =>
        clock.at(atMs, () => {
          call();
          meanwhile();
        }),
    };
    const id = create({ at: NOON + HOUR });
    await clock.advance(HOUR - 1);
    meanwhile = () => {
      meanwhile = () => {};
      expect(ask({ ...request, taskId: id }).kind).toBe('done');
    };
    await clock.advance(1);
    expect(runs()).toEqual([]);
    expect(receipts(id)).toEqual([]);
    expect(task(id)).toMatchObject(left);
  });
});

test.each([
  ['cancelled', { action: 'cancel_task' }, { state: 'cancelled', nextAt: null }],
  ['moved', { action: 'update_task', cron: '30 * * * *' }, { state: 'active', nextAt: NOON + 90 * MINUTE }],
] as const)(
  'a task %s between the two commits of its run stays so, and the run has its receipt',
  async (_what, request, left) => {
    const { clock, spine, ask, create, runs, task, receipts } = await makeHarbour();
    const id = create({ cron: '0 * * * *' });
    const { commit } = spine;
    spine.commit = (work) => {
      spine.commit = commit;
      expect(ask({ ...request, taskId: id }).kind).toBe('done');
      return commit(work);
    };
    await clock.advance(HOUR);
    expect(runs()).toHaveLength(1);
    expect(receipts(id)).toMatchObject([{ outcome: 'fired' }]);
    expect(task(id)).toMatchObject(left);
  },
);

describe('a hostile agent', () => {
  test('reaches no task of another session: it is refused as unknown, recorded, and told', async () => {
    const { spine, agent, chat, paths, session, create, task } = await makeHarbour();
    const id = create({ cron: '0 9 * * *' });
    const hall = await spine.say(spine.addChat(agent, 'test', 'hall'), 'hello');
    const container = spine.container(spine.paths(hall.session));
    const rows = (['update_task', 'pause_task', 'resume_task', 'cancel_task'] as const).map((action) =>
      container.send({ kind: 'request', inReplyTo: hall.messageId, content: { action, taskId: id, prompt: 'obey' } }),
    );
    spine.delivery.ring(hall.session.id);
    await until('all are recorded', () =>
      rows.every((row) => spine.ledger.countByMessage(row, 'delivery.refused') === 1),
    );
    expect(task(id)).toMatchObject({ state: 'active', prompt: 'tea', revision: 1 });
    const states = rows.map((row) => spine.inboxes.read(hall.session, (tables) => tables.getDelivery(row)));
    for (const state of states) {
      expect(state).toMatchObject({ state: 'refused', reason: expect.stringContaining(`no task ${id} of yours`) });
    }
    const unknown = spine.desk.answerAll([
      {
        session: hall.session,
        messageId: makeId('message'),
        traceId: makeId('trace'),
        request: { action: 'pause_task', taskId: 'tsk_00000000000000000000' },
        origin: null,
        now: NOON,
      },
    ])[0]?.answer;
    expect(unknown?.kind === 'refused' && unknown.reason.replace('tsk_00000000000000000000', id)).toBe(
      states[0]?.reason,
    );
    expect([chat.id, paths.root, session.id]).toHaveLength(3);
  });

  test('has a bounded number of open tasks, of its session and of its agent', async () => {
    const { spine, agent, session, create, ask } = await makeHarbour();
    for (let at = 0; at < MAX_OPEN_TASKS; at++) create({ cron: '0 9 * * *' });
    expect(ask({ action: 'create_task', prompt: 'x', at: NOON + HOUR, missed: 'once' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(`at most ${MAX_OPEN_TASKS} tasks`),
    });
    expect(spine.tasks.countOpen(session.id)).toBe(MAX_OPEN_TASKS);
    for (let room = 0; spine.tasks.countOpenOfAgent(agent.id) < MAX_OPEN_TASKS_OF_AGENT; room++) {
      const other = spine.sessions.create(
        { agentGroupId: agent.id, messagingGroupId: null, threadId: `t${room}` },
        '',
        0,
      );
      const more = Array.from({ length: MAX_OPEN_TASKS }, () => ({
        session: other,
        messageId: makeId('message'),
        traceId: makeId('trace'),
        request: { action: 'create_task', prompt: 'x', at: NOON + HOUR, missed: 'once' } as const,
        origin: null,
        now: NOON,
      }));
      spine.desk.answerAll(more);
    }
    const last = spine.sessions.create({ agentGroupId: agent.id, messagingGroupId: null, threadId: 'last' }, '', 0);
    expect(
      ask({ action: 'create_task', prompt: 'x', at: NOON + HOUR, missed: 'once' }, makeId('message'), last),
    ).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('of one agent'),
    });
  });

  test('that makes and cancels tasks without end leaves a bounded past', async () => {
    const { spine, session, create, ask } = await makeHarbour();
    for (let at = 0; at < 300; at++) ask({ action: 'cancel_task', taskId: create({ cron: '0 9 * * *' }) });
    expect(spine.tasks.list({ sessionId: session.id }, 1_000, null)).toHaveLength(100);
  });

  test('that fires a task each minute for a day leaves a bounded number of receipts', async () => {
    const { spine, create, receipts } = await makeHarbour();
    const id = create({ cron: '* * * * *' });
    for (let at = 0; at < 1_440; at++) {
      spine.taskFirings.record(id, [
        { taskId: id, dueAt: NOON + at * MINUTE, firedAt: null, messageId: null, outcome: 'missed', note: null },
      ]);
    }
    expect(receipts(id)).toHaveLength(200);
    expect(receipts(id).at(-1)?.dueAt).toBe(NOON + 1_439 * MINUTE);
  });

  test.each([
    ['an id that is none', { action: 'pause_task', taskId: '../../etc' }],
    ['an id of another kind', { action: 'cancel_task', taskId: 'msg_00000000000000000000' }],
    ['a cron that is long', { action: 'create_task', prompt: 'x', cron: `0 0 ${'1,'.repeat(100)}1 * *` }],
    ['a time that is no number', { action: 'create_task', prompt: 'x', at: 'tomorrow' }],
    ['a time that is not finite', '{"action":"create_task","prompt":"x","at":1e999}'],
    ['a script that is a program', { action: 'create_task', prompt: 'x', at: 1, script: 'x'.repeat(20_000) }],
    ['no prompt', { action: 'create_task', prompt: '', at: 1 }],
    ['a policy of its own', { action: 'create_task', prompt: 'x', at: 1, missed: 'twice' }],
  ])('sends %s: it is malformed', (_what, content) => {
    const json = typeof content === 'string' ? content : JSON.stringify(content);
    expect(parseOutboundContent('request', json).ok).toBe(false);
  });

  test('asks with cron bombs: each is refused at once, and nothing of it is kept', async () => {
    const { spine, session, ask } = await makeHarbour();
    const bombs = ['0 0 30 2 *', '0-59/59 0 31W 4,6,9,11 +5#5', '* * * * * *', '0 0 31 4,6,9,11,2 *', '*/1 */1 31 2 ?'];
    for (const cron of bombs) {
      expect(ask({ action: 'create_task', prompt: 'x', cron, missed: 'all' })).toMatchObject({ kind: 'refused' });
    }
    expect(spine.tasks.countOpen(session.id)).toBe(0);
  });
});

describe('a person', () => {
  test('pauses, resumes and cancels any task, on record, and not on top of a change they did not see', async () => {
    const { spine, create, task, list } = await makeHarbour();
    const id: TaskId = create({ cron: '0 * * * *' });
    const act = (what: 'pause' | 'resume' | 'cancel', revision: number) =>
      spine.taskRequests.act(task(id), what, revision, 'web:owner', NOON);
    expect(act('pause', 1)).toMatchObject({ kind: 'changed', task: { state: 'paused', revision: 2 } });
    expect(await list()).toMatchObject([{ state: 'paused' }]);
    expect(act('resume', 1)).toEqual({ kind: 'stale' });
    expect(act('resume', 2)).toMatchObject({ kind: 'changed', task: { state: 'active', nextAt: NOON + HOUR } });
    expect(act('cancel', 3)).toMatchObject({ kind: 'changed', task: { state: 'cancelled' } });
    expect(act('resume', 4)).toMatchObject({ kind: 'refused' });
    const kinds = spine.db.prepare(`SELECT kind FROM ledger WHERE actor = 'web:owner' ORDER BY position`).pluck().all();
    expect(kinds).toEqual(['task.pause', 'task.resume', 'task.cancel']);
    expect(spine.ledger.findBreak()).toBeNull();
  });
});
