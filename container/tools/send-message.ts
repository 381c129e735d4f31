import { z } from 'zod';
import { draftTexts } from '../runner/replies.ts';
import { resolveTarget } from './context.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  to: z.string().min(1).describe('name of the destination'),
  text: z.string().min(1).describe('Markdown'),
  reply_to: z.number().int().positive().optional().describe('id of the message this answers'),
});

/** Sends at once, in the middle of a turn; the final answer's blocks are the usual way. */
export const sendMessage: Tool<typeof input> = {
  name: 'send_message',
  description: 'Send a message now, before your final answer. Do not repeat it in the final answer.',
  input,
  run({ to, text, reply_to }, context) {
    const target = resolveTarget(context, to, reply_to);
    if (!target.ok) return target.problem;
    const rows = draftTexts(target.destination, text, reply_to ?? null, context.facts()).map((draft) =>
      context.send(draft),
    );
    const last = rows.at(-1);
    if (!last) return { ok: false, text: 'The text is empty. Send something that can be read.' };
    return { ok: true, text: `Sent as message ${last.seq}.`, messageId: last.id, seq: last.seq };
  },
};
