/**
 * Messages and their traces. Times are epoch milliseconds; `revision` is the place in the order of changes,
 * which the event stream resumes from.
 */
import { z } from '@hono/zod-openapi';
import { STAGES } from '../../../shared/trace.ts';
import { revision, time } from './schema-parts.ts';
import { messageUsageSchema } from './usage-sums.ts';

export const MESSAGE_STATES = [
  'queued',
  'read',
  'answered',
  'context',
  'sending',
  'delivered',
  'failed',
  'refused',
  'unknown',
  'dropped',
] as const;

/** What a message asks of people, as it stands now. */
const questionSchema = z
  .object({
    title: z.string(),
    question: z.string(),
    options: z.array(z.string()),
    state: z.enum(['pending', 'answered', 'expired', 'withdrawn']),
    /** One of `options`. */
    answer: z.string().nullable(),
    /** Name of the person. */
    answeredBy: z.string().nullable(),
    answeredAt: time.nullable(),
    expiresAt: time,
    /** The approval that this is the card of; null when an agent asks. */
    approvalId: z.string().nullable(),
    /** What came of an approval, in words. */
    outcome: z.string().nullable(),
  })
  .openapi('Question');

export const messageSchema = z
  .object({
    id: z.string(),
    /** Place in the conversation; cursors of message pages are positions. */
    position: z.number().int(),
    revision,
    sessionId: z.string(),
    chatId: z.string().nullable(),
    threadId: z.string().nullable(),
    direction: z.enum(['in', 'out']),
    kind: z.enum(['chat', 'task', 'system']),
    author: z.object({ id: z.string().nullable(), name: z.string() }),
    /** The agent's own name for where it sent this; null for incoming messages. */
    destination: z.string().nullable(),
    text: z.string(),
    attachments: z.array(
      z.object({
        name: z.string(),
        sizeBytes: z.number().int(),
        /** Read from its bytes once it was received or sent. */
        contentType: z.string(),
        url: z.string(),
        /** False once the host's copy was removed to make room: `url` answers 410 then. */
        isKept: z.boolean(),
      }),
    ),
    inReplyTo: z.string().nullable(),
    state: z.enum(MESSAGE_STATES),
    stateReason: z.string().nullable(),
    /** Given by the program that sent it; null else. */
    clientId: z.string().nullable(),
    reactions: z.array(z.object({ emoji: z.string(), by: z.string() })),
    traceId: z.string(),
    createdAt: time,
    editedAt: time.nullable(),
    question: questionSchema.nullable(),
    /** What answering it cost; null: nothing was asked of a model for it, or it was sent by an agent. */
    usage: messageUsageSchema.nullable(),
  })
  .openapi('Message');
export type Message = z.infer<typeof messageSchema>;

const stageSchema = z.object({
  stage: z.enum(STAGES),
  /** Epoch ms with a fraction. */
  at: z.number(),
  sincePreviousMs: z.number().nullable(),
});

/** A message's path, and the paths of its replies. */
export const traceSchema = z
  .object({
    id: z.string(),
    traceId: z.string(),
    stages: z.array(stageSchema),
    replies: z.array(z.object({ id: z.string(), destination: z.string().nullable(), stages: z.array(stageSchema) })),
  })
  .openapi('Trace');
export type Trace = z.infer<typeof traceSchema>;
