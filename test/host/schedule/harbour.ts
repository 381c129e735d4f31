/** A session that schedules: the message path without a runtime, on a clock that the test moves. */
import { existsSync, readFileSync } from 'node:fs';
import type { Firing } from '../../../host/store/task-firings.ts';
import type { Task } from '../../../host/store/tasks.ts';
import { deriveTaskId, type MessageId, makeId, type TaskId } from '../../../shared/ids.ts';
import { inboundContentSchema } from '../../../shared/messages.ts';
import { taskListSchema } from '../../../shared/protocol.ts';
import type { Request } from '../../../shared/requests.ts';
import { Spine } from '../../support/spine.ts';
import { FakeClock, settle } from '../runtime/fake-clock.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday, at noon in UTC. */
export const NOON = Date.parse('2026-11-23T12:00:00Z');

export async function makeHarbour(startMs = NOON) {
  const clock = new FakeClock(startMs);
  const spine = new Spine();
  spine.now = () => clock.now();
  spine.clock = clock;
  spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'remind me');
  await spine.inboxes.commit(session, (tables) => tables.setStatus(messageId, 'done'));

  /** What the desk says to a request of this session; its row is `id`. */
  const ask = (request: Request, id: MessageId = makeId('message', clock.now()), from = session) => {
    const origin = { channelType: 'test', platformId: 'room', threadId: null };
    const asked = { session: from, messageId: id, traceId: makeId('trace'), request, origin, now: clock.now() };
    const [answered] = spine.desk.answerAll([asked]);
    if (answered === undefined) throw new Error('no answer');
    answered.after?.();
    return { ...answered.answer, taskId: deriveTaskId(from.id, id) };
  };
  const create = (more: Partial<Extract<Request, { action: 'create_task' }>>): TaskId => {
    const made = ask({ action: 'create_task', prompt: 'tea', missed: 'once', ...more });
    if (made.kind !== 'done') throw new Error(made.reason);
    return made.taskId;
  };
  const task = (id: TaskId): Task => {
    const found = spine.tasks.get(id);
    if (found === null) throw new Error('no such task');
    return found;
  };
  /** The runs that stand before the agent, oldest first. */
  const runs = () =>
    spine.inboxes
      .read(session, (tables) => tables.listOpen(1_000))
      .filter((row) => row.kind === 'task')
      .map((row) => ({ ...row, ...inboundContentSchema.parse(JSON.parse(row.content)) }));
  const receipts = (id: TaskId): Firing[] => spine.taskFirings.list(id, 1_000).reverse();
  /** The host stops, and another starts on the same home. */
  const restart = async () => {
    void spine.schedule[Symbol.asyncDispose]();
    clock.forgetTimers();
    spine.schedule = spine.makeSchedule();
    spine.schedule.start();
    await settle();
  };
  /** The agent has come to the end of all that stands before it. */
  const answerAll = async () => {
    const open = runs();
    await spine.inboxes.commit(session, (tables) => {
      for (const row of open) tables.setStatus(row.id, 'done');
    });
    for (const row of open) spine.schedule.settle(row.id, { outcome: 'answered', note: null });
  };
  const list = async () => {
    // It is written once for all that changed in this turn.
    await settle();
    return existsSync(paths.tasks) ? taskListSchema.parse(JSON.parse(readFileSync(paths.tasks, 'utf8'))).tasks : null;
  };

  return { clock, spine, agent, chat, session, paths, ask, create, task, runs, receipts, restart, answerAll, list };
}
