import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type TaskView, taskListSchema } from '../../shared/protocol.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';
import { formatLocalTime } from '../runner/zone.ts';
import type { Tool } from './tool.ts';

/** Of a prompt in the list. Higher: long lists. Lower: tasks look alike. */
const MAX_PROMPT_CHARS = 200;

export const taskIdField = z
  .string()
  .regex(/^tsk_[0-9a-z]{20}$/, 'is no task id; list_tasks shows them')
  .describe('as list_tasks shows it');

const input = z.object({});

export const listTasks: Tool<typeof input> = {
  name: 'list_tasks',
  description: 'List your tasks: when they run next, and their ids.',
  input,
  run(_input, context) {
    const tasks = readTasks(context.paths.in);
    return { ok: true, text: tasks.map(formatTask).join('\n') || 'You have no tasks.', data: tasks };
  },
};

/** Absent when there never was one. The host replaces the file whole, so it is never half-written. */
function readTasks(inFolder: string): TaskView[] {
  try {
    return taskListSchema.parse(JSON.parse(readFileSync(join(inFolder, FILE_NAMES.tasks), 'utf8'))).tasks;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function formatTask(task: TaskView): string {
  const rule = task.cron === null ? 'once' : `${task.cron} (${task.timezone})`;
  const next =
    task.state === 'paused' ? 'paused' : task.nextAt === null ? 'due' : `next ${formatLocalTime(task.nextAt)}`;
  const prompt = task.prompt.replace(/\s+/g, ' ').trim();
  const shown = prompt.length > MAX_PROMPT_CHARS ? `${prompt.slice(0, MAX_PROMPT_CHARS)}…` : prompt;
  return `- ${task.id}: ${rule}, ${next}${task.hasScript ? ', with a check' : ''}: ${shown}`;
}
