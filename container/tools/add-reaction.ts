import { z } from 'zod';
import { draftFor } from '../runner/replies.ts';
import { locate } from './context.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  message_id: z.union([z.string().min(1), z.number().int().positive()]).describe('a message you read or sent'),
  emoji: z.string().min(1).max(64),
});

export const addReaction: Tool<typeof input> = {
  name: 'add_reaction',
  description: 'React to a message with an emoji.',
  input,
  run({ message_id, emoji }, context) {
    const reference = String(message_id);
    const received = context.findReceived(reference);
    const message = received ?? context.findOwn(reference);
    if (!message) return { ok: false, text: `There is no message ${message_id}. Use the id of a message you read.` };
    const destination = locate(context, message);
    if (!destination) return { ok: false, text: 'That chat is not among your destinations.' };
    if (destination.type !== 'channel' || !destination.canReact) {
      return { ok: false, text: `${destination.name} has no reactions. Send a message instead.` };
    }
    const draft = draftFor(destination, received, { kind: 'reaction', content: { messageId: message.id, emoji } });
    const { threadId, traceId } = message;
    const row = context.send({ ...draft, threadId, traceId });
    return { ok: true, text: `Reacted to message ${message.seq}.`, messageId: row.id, seq: row.seq };
  },
};
