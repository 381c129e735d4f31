/** The routes about the host itself and its events, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as host from './host-schemas.ts';
import { answers, json, ok, page } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const getStatus = createRoute({ method: 'get', path: '/status', responses: ok(host.statusSchema) });
export const shutDown = createRoute({
  method: 'post',
  path: '/shutdown',
  summary: 'Stop the host cleanly (Unix socket or bearer token only)',
  responses: answers({ 202: json(z.object({ stopping: z.literal(true) }), 'The host stops after this answer') }),
});
export const listDropped = createRoute({
  method: 'get',
  path: '/dropped',
  summary: 'Messages that were turned away, counted by place and reason',
  request: page,
  responses: ok(pageOf(host.droppedSchema)),
});
export const listRefusals = createRoute({
  method: 'get',
  path: '/refusals',
  summary: 'What agents were refused, newest first',
  request: page,
  responses: ok(pageOf(host.refusalSchema)),
});
export const getEvents = createRoute({
  method: 'get',
  path: '/events',
  summary: 'Server-sent events: message, session, session-ended, approval, typing, me, ready, reset',
  request: {
    query: host.eventsQuery,
    headers: z.object({ 'last-event-id': z.string().optional() }),
  },
  responses: answers({ 200: { content: { 'text/event-stream': { schema: z.string() } }, description: 'The stream' } }),
});
