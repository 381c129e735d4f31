/** Tasks with real containers. */
import { expect, onTestFinished, test } from 'vitest';
import type { FiringOutcome } from '../../host/store/task-firings.ts';
import type { NewTask } from '../../host/store/tasks.ts';
import { makeId, type TaskId } from '../../shared/ids.ts';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

/** A host whose agent has been talked to, started again with these tasks of its session. */
async function startWith(tasks: readonly Partial<NewTask>[]) {
  const flow = new FlowHost();
  await flow.start();
  onTestFinished(async () => {
    await flow.host.stopContainers();
    await flow.stop();
  }, 60_000);
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'hello');
  await flow.next('family', 0);
  const ids = tasks.map((task): TaskId => {
    const id = makeId('task');
    flow.host.stores.tasks.create({
      id,
      sessionId: session.id,
      agentGroupId: session.agentGroupId,
      prompt: 'Reminder for family: stretch',
      at: null,
      // Due now by its row, and by its rule not again while this lasts.
      cron: '0 0 29 2 *',
      timezone: 'UTC',
      script: null,
      missed: 'once',
      state: 'active',
      nextAt: Date.now() - 1_000,
      channelType: 'test',
      platformId: 'family',
      threadId: null,
      createdAt: Date.now(),
      ...task,
    });
    return id;
  });
  await flow.stop();
  await flow.start();
  const outcomeOf = (id: TaskId | undefined): FiringOutcome | null =>
    (id === undefined ? null : flow.host.stores.taskFirings.list(id, 1)[0]?.outcome) ?? null;
  return { flow, ids, outcomeOf };
}

test('a check that finds nothing keeps the agent asleep; one that finds something wakes it', async () => {
  const { flow, ids, outcomeOf } = await startWith([
    { script: 'echo \'{"wake": false}\'', prompt: 'Reminder for family: sleep on' },
    { script: 'echo \'{"wake": true}\'', prompt: 'Reminder for family: get up' },
  ]);
  await until('both have ended', () => ids.every((id) => !['fired', null].includes(outcomeOf(id))));
  await until('the reminder is there', () => flow.seen('family').some(({ text }) => text.includes('get up')));
  // First what people saw: a check that was not run wakes the agent too.
  expect(flow.seen('family').filter(({ text }) => text.includes('sleep on'))).toEqual([]);
  expect(ids.map(outcomeOf)).toEqual(['quiet', 'answered']);
});
