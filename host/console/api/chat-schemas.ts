/** Chats, and the agents wired to them. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { UNKNOWN_SENDER_POLICIES } from '../../store/chats.ts';
import { ENGAGE_MODES, IGNORED_MESSAGE_POLICIES, SENDER_SCOPES, SESSION_MODES } from '../../store/wirings.ts';
import { agentIdSchema, chatIdSchema, hasAny, line } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

export const chatSchema = z
  .object({
    id: z.string(),
    channelType: z.string(),
    platformId: z.string(),
    name: z.string(),
    unknownSenderPolicy: z.enum(UNKNOWN_SENDER_POLICIES),
    revision,
    createdAt: time,
  })
  .openapi('Chat');
export type Chat = z.infer<typeof chatSchema>;

export const wiringSchema = z
  .object({
    id: z.string(),
    chatId: z.string(),
    agentId: z.string(),
    engageMode: z.enum(ENGAGE_MODES),
    engagePattern: z.string().nullable(),
    senderScope: z.enum(SENDER_SCOPES),
    ignoredMessagePolicy: z.enum(IGNORED_MESSAGE_POLICIES),
    sessionMode: z.enum(SESSION_MODES),
    priority: z.number().int(),
    revision,
    createdAt: time,
  })
  .openapi('Wiring');
export type Wiring = z.infer<typeof wiringSchema>;

export const chatPatchBody = z
  .strictObject({ name: line(200).optional(), unknownSenderPolicy: z.enum(UNKNOWN_SENDER_POLICIES).optional() })
  .refine(hasAny, 'expected at least one field')
  .openapi('ChatChange');

const wiringFields = {
  engageMode: z.enum(ENGAGE_MODES).optional(),
  /** Exactly with engageMode `pattern`. */
  engagePattern: z.string().nullable().optional(),
  senderScope: z.enum(SENDER_SCOPES).optional(),
  ignoredMessagePolicy: z.enum(IGNORED_MESSAGE_POLICIES).optional(),
  sessionMode: z.enum(SESSION_MODES).optional(),
  priority: z.number().int().min(-1000).max(1000).optional(),
};

export const wiringBody = z
  .strictObject({ chatId: chatIdSchema, agentId: agentIdSchema, ...wiringFields })
  .openapi('NewWiring');

export const wiringPatchBody = z
  .strictObject(wiringFields)
  .refine(hasAny, 'expected at least one field')
  .openapi('WiringChange');
