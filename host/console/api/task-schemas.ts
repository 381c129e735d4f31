/** What agents asked to be woken for. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { MISSED_POLICIES } from '../../../shared/requests.ts';
import { FIRING_OUTCOMES } from '../../store/task-firings.ts';
import { TASK_STATES } from '../../store/tasks.ts';
import { agentIdSchema, pageQuery, sessionIdSchema } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

export const taskSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    agentName: z.string(),
    sessionId: z.string(),
    sessionTitle: z.string().nullable(),
    prompt: z.string(),
    /** Once at this time; null with `cron`. */
    at: time.nullable(),
    cron: z.string().nullable(),
    /** IANA name: what `cron` and times that people read are in. */
    timezone: z.string(),
    hasScript: z.boolean(),
    /** What becomes of runs whose time passed while the host was down. */
    missed: z.enum(MISSED_POLICIES),
    state: z.enum(TASK_STATES),
    /** The next firing; null unless active. */
    nextAt: time.nullable(),
    lastFiredAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    revision,
  })
  .openapi('Task');
export type Task = z.infer<typeof taskSchema>;

export const taskDetailSchema = taskSchema
  .extend({
    script: z.string().nullable(),
    /** The next firings, worked out without firing any; a paused task's, were it resumed now. */
    nextTimes: z.array(time),
    /** Newest first. */
    firings: z.array(
      z.object({
        dueAt: time,
        firedAt: time.nullable(),
        messageId: z.string().nullable(),
        outcome: z.enum(FIRING_OUTCOMES),
        note: z.string().nullable(),
      }),
    ),
  })
  .openapi('TaskDetail');
export type TaskDetail = z.infer<typeof taskDetailSchema>;

export const tasksQuery = pageQuery.extend({
  agent: agentIdSchema.optional(),
  session: sessionIdSchema.optional(),
  /** `open`: active or paused. All without it. */
  state: z.enum(['open', ...TASK_STATES]).optional(),
});
