/** Pausing, resuming and cancelling a task: one word each to the host. */
import { z } from 'zod';
import { askHost, describeAnswer } from './ask-host.ts';
import { taskIdField } from './task-list.ts';
import type { Tool } from './tool.ts';

const input = z.object({ task_id: taskIdField });

export const pauseTask = makeSwitch('pause_task', 'Stop a task from running until it is resumed.', 'is paused');
export const resumeTask = makeSwitch('resume_task', 'Let a paused task run again.', 'runs again');
export const cancelTask = makeSwitch('cancel_task', 'End a task for good.', 'is cancelled');

function makeSwitch(
  name: 'pause_task' | 'resume_task' | 'cancel_task',
  description: string,
  done: string,
): Tool<typeof input> {
  return {
    name,
    description,
    input,
    async run({ task_id }, context) {
      const answer = await askHost({ action: name, taskId: task_id }, context);
      return describeAnswer(answer, `Task ${task_id} ${done}.`, { taskId: task_id });
    },
  };
}
