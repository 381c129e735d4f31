/** The routes about sessions, without handlers. */
import { createRoute } from '@hono/zod-openapi';
import { answers, body, empty, ifMatch, json, ok, sessionParams } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';
import * as sessions from './session-schemas.ts';

export const listSessions = createRoute({
  method: 'get',
  path: '/sessions',
  summary: 'Newest activity first',
  request: { query: sessions.sessionsQuery },
  responses: ok(pageOf(sessions.sessionSchema)),
});
export const createSession = createRoute({
  method: 'post',
  path: '/sessions',
  summary: 'A new web chat with an agent, or its terminal chat',
  request: { body: body(sessions.sessionBody) },
  responses: answers({
    201: json(sessions.sessionSchema, 'Made'),
    200: json(sessions.sessionSchema, 'The terminal chat that was there'),
  }),
});
export const getSession = createRoute({
  method: 'get',
  path: '/sessions/{id}',
  request: { params: sessionParams },
  responses: ok(sessions.sessionSchema),
});
export const updateSession = createRoute({
  method: 'patch',
  path: '/sessions/{id}',
  request: { params: sessionParams, headers: ifMatch, body: body(sessions.sessionPatchBody) },
  responses: ok(sessions.sessionSchema),
});
export const stopSession = createRoute({
  method: 'post',
  path: '/sessions/{id}/stop',
  summary: 'Stop its container; a later message starts one again',
  request: { params: sessionParams },
  responses: ok(sessions.sessionSchema),
});
export const releaseSession = createRoute({
  method: 'post',
  path: '/sessions/{id}/release',
  summary: 'Out of quarantine or failure: containers may start again',
  request: { params: sessionParams },
  responses: ok(sessions.sessionSchema),
});
export const markRead = createRoute({
  method: 'put',
  path: '/sessions/{id}/read',
  request: { params: sessionParams, body: body(sessions.readBody) },
  responses: empty('Noted'),
});
