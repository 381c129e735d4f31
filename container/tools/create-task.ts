import { z } from 'zod';
import { deriveTaskId } from '../../shared/ids.ts';
import { MAX_SCRIPT_BYTES, MAX_TASK_AHEAD_MS, MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { MISSED_POLICIES } from '../../shared/requests.ts';
import { formatLocalTime } from '../runner/zone.ts';
import { askHost, describeAnswer, draftRequest } from './ask-host.ts';
import { parseMoment } from './moment.ts';
import type { Tool } from './tool.ts';

/** A time this long ago is a mistake; a shorter one only took a while to arrive. */
const PAST_SLACK_MS = 60_000;

/** The words of a task's fields, for every tool that sets them. */
export const taskFields = {
  prompt: z.string().min(1).describe('what you will be asked to do then'),
  at: z
    .union([z.number().int().positive(), z.string().min(1)])
    .describe('once, then: local time like 2026-11-22T09:00, an ISO time with offset, or epoch milliseconds'),
  cron: z.string().min(1).max(100).describe('again and again: minute hour day month weekday, as 0 9 * * 1-5'),
  timezone: z.string().min(1).max(64).describe('IANA name for `at` and `cron`, as Europe/Berlin; else your own'),
  script: z
    .string()
    .min(1)
    .describe(
      'shell script to run first; its last line of output decides: {"wake": false}, or {"wake": true, "data": …}',
    ),
  missed: z.enum(MISSED_POLICIES).describe('runs missed while the host was down: skip them, run once, or run all'),
} as const;

const input = z.object({
  prompt: taskFields.prompt,
  at: taskFields.at.optional(),
  cron: taskFields.cron.optional(),
  timezone: taskFields.timezone.optional(),
  script: taskFields.script.optional(),
  missed: taskFields.missed.optional(),
});

export const createTask: Tool<typeof input> = {
  name: 'create_task',
  description: 'Be woken with a prompt of your own, once (`at`) or again and again (`cron`).',
  input,
  async run({ prompt, at, cron, timezone, script, missed }, context) {
    if ((at === undefined) === (cron === undefined)) {
      return { ok: false, text: 'Give either `at`, for once, or `cron`, for again and again.' };
    }
    const tooLong = findTooLong({ prompt, script });
    if (tooLong) return { ok: false, text: tooLong };
    const when = at === undefined ? null : parseMoment(at, timezone ?? null);
    if (when && !when.ok) return { ok: false, text: `at: ${when.problem}.` };
    const now = context.now();
    const dueMs = when?.epochMs ?? null;
    if (dueMs !== null && dueMs > now + MAX_TASK_AHEAD_MS) {
      return { ok: false, text: 'That is more than five years ahead. Choose an earlier time.' };
    }
    const request = {
      action: 'create_task',
      prompt,
      ...(dueMs === null ? {} : { at: dueMs }),
      ...(cron === undefined ? {} : { cron }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(script === undefined ? {} : { script }),
      missed: missed ?? 'once',
    } as const;
    if (dueMs !== null && dueMs < now - PAST_SLACK_MS && !context.hasEarlier(draftRequest(request, context))) {
      return {
        ok: false,
        text: `${formatLocalTime(dueMs)} is past; it is ${formatLocalTime(now)}. Choose a later time.`,
      };
    }
    const answer = await askHost(request, context);
    const taskId = answer.kind === 'refused' ? null : deriveTaskId(context.session.sessionId, answer.row.id);
    const time = dueMs === null ? `by ${cron}` : `for ${formatLocalTime(dueMs)}`;
    return describeAnswer(answer, `Task ${taskId} is set ${time}.`, { taskId });
  },
};

/** What to say when a text of a task does not fit, else null. */
export function findTooLong(texts: { prompt?: string | undefined; script?: string | null | undefined }): string | null {
  if (Buffer.byteLength(texts.prompt ?? '') > MAX_TEXT_BYTES) return 'The prompt is too long. Shorten it.';
  if (Buffer.byteLength(texts.script ?? '') > MAX_SCRIPT_BYTES) {
    return `The script is longer than ${MAX_SCRIPT_BYTES} bytes. Put it into a file of your folder, and call that.`;
  }
  return null;
}
