import { z } from 'zod';
import { draftFor } from '../runner/replies.ts';
import { locate } from './context.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  message_id: z.union([z.string().min(1), z.number().int().positive()]).describe('one of your own messages'),
  text: z.string().min(1).describe('the new text, Markdown'),
});

export const editMessage: Tool<typeof input> = {
  name: 'edit_message',
  description: 'Replace the text of a message you sent.',
  input,
  run({ message_id, text }, context) {
    const own = context.findOwn(String(message_id));
    if (own?.body.kind !== 'chat') {
      return { ok: false, text: `Message ${message_id} is not one you sent. Only your own messages can be edited.` };
    }
    const destination = locate(context, own);
    if (!destination) return { ok: false, text: 'That chat is no longer among your destinations.' };
    if (destination.type !== 'channel' || !destination.canEdit) {
      return { ok: false, text: `Messages in ${destination.name} cannot be edited. Send a new message instead.` };
    }
    if (Buffer.byteLength(text) > context.session.limits.maxTextBytes) {
      return {
        ok: false,
        text: `At most ${context.session.limits.maxTextBytes} bytes fit into one message. Shorten it.`,
      };
    }
    const draft = draftFor(destination, null, { kind: 'edit', content: { messageId: own.id, text } });
    const { inReplyTo, threadId, traceId } = own;
    const row = context.send({ ...draft, inReplyTo, threadId, traceId });
    return { ok: true, text: `Edited message ${own.seq}.`, messageId: row.id, seq: row.seq };
  },
};
