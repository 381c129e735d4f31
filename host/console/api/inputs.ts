/** What many routes take, and what a message is written with. Unknown fields are refused, so that a typing error is heard. */
import { z } from '@hono/zod-openapi';
import { isId, parseUserId } from '../../../shared/ids.ts';
import { MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { localNameSchema } from '../../../shared/protocol.ts';
import { EFFORTS, PROVIDER_NAMES } from '../../../shared/providers.ts';
import { isTimezone } from '../../config/timezone.ts';

/** Items of one page. Higher: one answer holds up the others. Lower: more requests. */
export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;
/** Longest choice taken; options are shorter. */
const MAX_CHOICE = 200;

export const agentIdSchema = idSchema('agentGroup', 'an agent id (agt_…)');
export const chatIdSchema = idSchema('messagingGroup', 'a chat id (chat_…)');
export const wiringIdSchema = idSchema('wiring', 'a wiring id (wir_…)');
export const sessionIdSchema = idSchema('session', 'a session id (ses_…)');
export const messageIdSchema = idSchema('message', 'a message id (msg_…)');
export const approvalIdSchema = idSchema('approval', 'an approval id (apr_…)');
export const imageBuildIdSchema = idSchema('imageBuild', 'a build id (bld_…)');
export const taskIdSchema = idSchema('task', 'a task id (tsk_…)');
export const destinationIdSchema = z.string().regex(/^dst_[0-9a-z]{20}$/, 'a destination id (dst_…)');

function idSchema(kind: Parameters<typeof isId>[0], expected: string) {
  return z.string().refine((text) => isId(kind, text), `expected ${expected}`);
}

export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().int().min(least).max(most));
}

export const limit = wholeNumber(1, MAX_PAGE)
  .optional()
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE });

export const position = wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().openapi({ type: 'integer', minimum: 0 });

export const pageQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  limit,
});

export const messagesQuery = z
  .strictObject({ before: position, after: position, limit })
  .refine((query) => query.before === undefined || query.after === undefined, 'expected before or after, not both');

/** A line of text that people read: no control characters. */
export function line(most: number) {
  const expected = `expected 1 to ${most} characters`;
  return z
    .string()
    .trim()
    .min(1, expected)
    .max(most, expected)
    .regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters');
}

export const providerInput = z.enum(PROVIDER_NAMES, { error: `expected one of ${PROVIDER_NAMES.join(', ')}` });

export const timezoneInput = z.string().refine(isTimezone, 'expected an IANA time zone such as Europe/Berlin');

export const modelInput = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'expected a model name: 1 to 200 visible ASCII characters')
  .nullable();

/** Null: the provider's own. */
export const serviceInput = localNameSchema.nullable();

/** Null: as the model does by itself. */
export const effortInput = z.enum(EFFORTS, { error: `expected one of ${EFFORTS.join(', ')}` }).nullable();

export const userIdSchema = z.string().refine((text) => parseUserId(text) !== null, 'expected a user id (web:anna)');

export const messageText = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES, `expected at most ${MAX_TEXT_BYTES} bytes of UTF-8`)
  .refine((text) => Buffer.from(text).toString() === text, 'expected well-formed Unicode');

/** Made by the sender's program: the same id again is the same message. */
export const clientId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'expected 8 to 64 of A–Z, a–z, 0–9, "-" and "_"');

export const messageBody = z
  .strictObject({
    text: messageText.refine((text) => text.trim() !== '', 'expected some text'),
    clientId: clientId.optional(),
  })
  .openapi('NewMessage');

/** The fields of a multipart message; files may stand without text. */
export const formMessage = z.object({ text: messageText.default(''), clientId: clientId.optional() });

/** An option's text, or its number. */
export const choice = z.string().trim().min(1).max(MAX_CHOICE);

export const answerBody = z.strictObject({ choice }).openapi('Answer');

export function hasAny(value: object): boolean {
  return Object.values(value).some((field) => field !== undefined);
}
