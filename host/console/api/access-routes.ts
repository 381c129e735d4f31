/** The routes about what agents may reach outside, and what they reached, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as access from './access-schemas.ts';
import { agentParams, answers, body, empty, made, ok } from './route-parts.ts';
import { pageOf } from './schemas.ts';

export const listAccess = createRoute({
  method: 'get',
  path: '/agents/{id}/access',
  summary: 'What it may reach outside, oldest first, beside the model service of its config; nothing else',
  request: { params: agentParams },
  responses: ok(z.object({ items: z.array(access.accessRuleSchema) })),
});
export const allowAccess = createRoute({
  method: 'post',
  path: '/agents/{id}/access',
  summary: 'Let it out to a host, or give it a service; holds at once',
  request: { params: agentParams, body: body(access.accessRuleBody) },
  responses: made(access.accessRuleSchema),
});
export const removeAccess = createRoute({
  method: 'delete',
  path: '/agents/{id}/access/{rule}',
  summary: 'Holds at once: what nothing else allows is closed',
  request: { params: agentParams.extend({ rule: access.accessRuleIdSchema }) },
  responses: empty('Removed'),
});
export const listEgress = createRoute({
  method: 'get',
  path: '/egress',
  summary:
    'Requests of agents to the outside, newest first; asked for text/event-stream, those after Last-Event-ID and all that come, as `request` events',
  request: { query: access.egressQuery, headers: z.object({ 'last-event-id': z.string().optional() }) },
  responses: answers({
    200: {
      content: {
        'application/json': { schema: pageOf(access.egressEntrySchema) },
        'text/event-stream': { schema: z.string() },
      },
      description: 'As asked',
    },
  }),
});
