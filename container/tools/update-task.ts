import { z } from 'zod';
import { askHost, describeAnswer } from './ask-host.ts';
import { findTooLong, taskFields } from './create-task.ts';
import { parseMoment } from './moment.ts';
import { taskIdField } from './task-list.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  task_id: taskIdField,
  prompt: taskFields.prompt.optional(),
  at: taskFields.at.optional(),
  cron: taskFields.cron.optional(),
  timezone: taskFields.timezone.optional(),
  script: taskFields.script.nullable().optional().describe('the new script, or null for none'),
  missed: taskFields.missed.optional(),
});

export const updateTask: Tool<typeof input> = {
  name: 'update_task',
  description: 'Change a task; what you leave out stays as it is.',
  input,
  async run({ task_id, at, ...changes }, context) {
    if (at === undefined && Object.values(changes).every((value) => value === undefined)) {
      return { ok: false, text: 'Say what to change: prompt, at, cron, timezone, script or missed.' };
    }
    if (at !== undefined && changes.cron !== undefined) {
      return { ok: false, text: 'Give either `at`, for once, or `cron`, for again and again.' };
    }
    const tooLong = findTooLong(changes);
    if (tooLong) return { ok: false, text: tooLong };
    const when = at === undefined ? null : parseMoment(at, changes.timezone ?? null);
    if (when && !when.ok) return { ok: false, text: `at: ${when.problem}.` };
    const answer = await askHost(
      { action: 'update_task', taskId: task_id, ...changes, ...(when ? { at: when.epochMs } : {}) },
      context,
    );
    return describeAnswer(answer, `Task ${task_id} is changed.`, { taskId: task_id });
  },
};
