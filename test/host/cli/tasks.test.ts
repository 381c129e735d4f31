/** `portolan tasks` against the real API. */
import { describe, expect, it } from 'vitest';
import type { NewTask } from '../../../host/store/tasks.ts';
import { makeId, type TaskId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { portolan } from './support/run.ts';

const HOUR = 3_600_000;

async function start() {
  const api = await startApi();
  const run = (words: string[], columns?: number) =>
    portolan(api.spine.home, ['tasks', ...words], columns === undefined ? {} : { columns });
  return { api, run };
}

function addTask(api: ApiFixture, more: Partial<NewTask> = {}): TaskId {
  const session = api.openSession('Garden');
  const id = makeId('task');
  api.spine.tasks.create({
    id,
    sessionId: session.id,
    agentGroupId: session.agentGroupId,
    prompt: 'water the plants',
    at: null,
    cron: '30 7 * * *',
    timezone: 'Asia/Kathmandu',
    script: null,
    missed: 'once',
    state: 'active',
    nextAt: Date.parse('2099-06-01T01:45:00Z'),
    channelType: null,
    platformId: null,
    threadId: null,
    createdAt: Date.now(),
    ...more,
  });
  return id;
}

describe('portolan tasks', () => {
  it('says how a task comes to be when there is none', async () => {
    const { run } = await start();
    const { code, out } = await run([]);
    expect(code).toBe(0);
    expect(out).toContain('No open tasks. An agent makes one when it is asked: write "remind me');
  });

  it('lists open ones with their next time in their own zone, which is named; all with --all', async () => {
    const { api, run } = await start();
    const id = addTask(api);
    const done = addTask(api, { state: 'done', nextAt: null, prompt: 'buy seeds' });
    const { out } = await run([]);
    expect(out).toMatch(
      /water the plants +main\/Garden +30 7 \* \* \* +2099-06-01 07:30 Asia\/Kathmandu \(in \d+d\) +active/,
    );
    expect(out).toContain(id.slice(-6));
    expect(out).not.toContain('buy seeds');
    expect((await run(['--all'])).out).toContain('buy seeds');
    expect((await run(['--agent', 'main'])).out).toContain('water the plants');
    expect((await run(['--agent', 'nobody'])).code).toBe(4);
    const json = JSON.parse((await run(['--all', '--json'])).out);
    expect(json.items.map((task: { id: string }) => task.id)).toEqual([id, done]);
  });

  it('shows one with its next five times, dry, and its receipts', async () => {
    const { api, run } = await start();
    const id = addTask(api, { script: 'test -s news' });
    const dueAt = Date.now() - HOUR;
    api.spine.taskFirings.record(id, [
      {
        taskId: id,
        dueAt,
        firedAt: null,
        messageId: null,
        outcome: 'missed',
        note: 'the run before was not at its end',
      },
    ]);
    const { code, out } = await run(['show', id.slice(-8)]);
    expect(code).toBe(0);
    expect(out.match(/ 07:30 Asia\/Kathmandu \(in \d+d\)/g)).toHaveLength(5);
    for (const told of [
      '30 7 * * * in Asia/Kathmandu',
      'test -s news',
      'fired once, for all',
      '(1h ago)',
      'was not at its end',
    ]) {
      expect(out).toContain(told);
    }
    expect(JSON.parse((await run(['show', id, '--json'])).out).nextTimes).toHaveLength(5);
  });

  it('pauses, resumes and cancels, and says when it fires next', async () => {
    const { api, run } = await start();
    const id = addTask(api);
    expect((await run(['pause', id.slice(-8)])).out).toBe(
      `Paused: ${id} “water the plants” does not fire until it is resumed.\n`,
    );
    expect((await run(['resume', id])).out).toMatch(
      /^Resumed: .* fires next \d{4}-\d\d-\d\d 07:30 Asia\/Kathmandu \(in /,
    );
    expect((await run(['cancel', id])).out).toContain('does not fire any more');
    const again = await run(['resume', id]);
    expect(again).toMatchObject({ code: 5, err: expect.stringContaining('the task was cancelled') });
  });

  it.each([
    [['wake', 'x'], 2, 'show, pause, resume or cancel'],
    [['show'], 2, 'portolan tasks show <id>'],
    [['show', 'a', 'b'], 2, 'too many arguments'],
    [['pause', 'tsk_00000000000000000000'], 4, 'no such task'],
    [['cancel', 'zzz'], 4, 'portolan tasks'],
  ])('%j ends with %i, in words', async (words, code, told) => {
    const { run } = await start();
    const ended = await run(words);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toContain(told);
  });

  it('shows nothing that could steer the terminal', async () => {
    const { api, run } = await start();
    const esc = String.fromCharCode(27);
    const id = addTask(api, { prompt: `${esc}]0;owned\u0007 x`, script: `echo ${esc}[31m` });
    for (const words of [[], ['show', id], ['pause', id]]) {
      expect((await run(words, 100)).out).not.toContain(esc);
    }
  });
});
