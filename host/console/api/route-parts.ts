/** What routes are described with: bodies, answers, and the parameters that many of them take. */
import { z } from '@hono/zod-openapi';
import * as inputs from './inputs.ts';
import { errorSchema } from './schema-parts.ts';

export const ifMatch = z.object({
  'if-match': z.string().optional().openapi({ description: 'The ETag that the change is based on; required.' }),
});
/** For what is named by what it is about: it may be set without having been seen. */
export const ifMatchIfAny = z.object({
  'if-match': z.string().optional().openapi({
    description: 'The ETag that the change is based on; without it the change is made on top of whatever is there.',
  }),
});
export const page = { query: inputs.pageQuery };

export function json<T extends z.ZodType>(schema: T, description: string) {
  return { content: { 'application/json': { schema } }, description };
}

export function body<T extends z.ZodType>(schema: T) {
  return { content: { 'application/json': { schema } }, required: true };
}

/**
 * Every route may also answer an error. Said at run time alone: in the types each error would double
 * what a handler may return, and handlers throw `Problem`.
 */
export function answers<T extends object>(successes: T): T {
  return { ...successes, default: json(errorSchema, 'What was wrong, what was expected, what to do next') };
}

export const ok = <T extends z.ZodType>(schema: T, description = 'As asked') =>
  answers({ 200: json(schema, description) });
export const made = <T extends z.ZodType>(schema: T) => answers({ 201: json(schema, 'Made') });
export const empty = (description: string) => answers({ 204: { description } });

export const agentParams = z.object({ id: inputs.agentIdSchema });
export const chatParams = z.object({ id: inputs.chatIdSchema });
export const wiringParams = z.object({ id: inputs.wiringIdSchema });
export const destinationParams = z.object({ id: inputs.destinationIdSchema });
export const sessionParams = z.object({ id: inputs.sessionIdSchema });
export const approvalParams = z.object({ id: inputs.approvalIdSchema });
export const userParams = z.object({ id: inputs.userIdSchema });
export const linkParams = userParams.extend({ other: inputs.userIdSchema });
export const taskParams = z.object({ id: inputs.taskIdSchema });
export const buildParams = z.object({ id: inputs.imageBuildIdSchema });
export const messageParams = z.object({ id: inputs.messageIdSchema });
