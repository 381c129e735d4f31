import { z } from 'zod';
import { MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { chooseAnswered } from '../runner/replies.ts';
import { formatLocalTime } from '../runner/zone.ts';
import type { Tool } from './tool.ts';

/** Farthest a task may lie ahead. Higher: forgotten tasks pile up in sessions. Lower: birthdays do not fit. */
const MAX_AHEAD_MS = 366 * 24 * 3600_000;

const input = z.object({
  prompt: z.string().min(1).describe('what you will be asked to do then'),
  at: z
    .union([z.number().int().positive(), z.iso.datetime({ offset: true })])
    .describe('when: epoch milliseconds, or an ISO time with offset'),
});

export const createTask: Tool<typeof input> = {
  name: 'create_task',
  description: 'Be woken at a time with a prompt of your own, once.',
  input,
  run({ prompt, at }, context) {
    const dueMs = typeof at === 'number' ? at : Date.parse(at);
    if (dueMs > context.now() + MAX_AHEAD_MS) {
      return { ok: false, text: 'That is more than a year ahead. Choose an earlier time.' };
    }
    if (Buffer.byteLength(prompt) > MAX_TEXT_BYTES) return { ok: false, text: 'The prompt is too long. Shorten it.' };
    const answered = chooseAnswered(context.facts(), null, null);
    const row = context.send({
      destination: null,
      channelType: null,
      platformId: null,
      threadId: null,
      inReplyTo: answered?.id ?? null,
      traceId: answered?.traceId ?? null,
      body: { kind: 'request', content: { action: 'create_task', prompt, at: dueMs, missed: 'once' } },
    });
    return { ok: true, text: `Asked for ${formatLocalTime(dueMs)}.`, messageId: row.id, seq: row.seq };
  },
};
