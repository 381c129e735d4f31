/** The routes about agents and where each may send, without handlers. */
import { createRoute } from '@hono/zod-openapi';
import * as agents from './agent-schemas.ts';
import { agentParams, body, destinationParams, empty, ifMatch, made, ok, page } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listAgents = createRoute({
  method: 'get',
  path: '/agents',
  request: { query: agents.agentsQuery },
  responses: ok(pageOf(agents.agentSchema)),
});
export const createAgent = createRoute({
  method: 'post',
  path: '/agents',
  request: { body: body(agents.agentBody) },
  responses: made(agents.agentSchema),
});
export const getAgent = createRoute({
  method: 'get',
  path: '/agents/{id}',
  request: { params: agentParams },
  responses: ok(agents.agentSchema),
});
export const updateAgent = createRoute({
  method: 'patch',
  path: '/agents/{id}',
  request: { params: agentParams, headers: ifMatch, body: body(agents.agentPatchBody) },
  responses: ok(agents.agentSchema),
});
export const deleteAgent = createRoute({
  method: 'delete',
  path: '/agents/{id}',
  summary: 'Remove it and all that leads to it; its folder is kept',
  request: { params: agentParams, headers: ifMatch },
  responses: ok(agents.agentRemovalSchema, 'Removed; its containers stop, and what waited for it ends'),
});
export const restoreAgent = createRoute({
  method: 'post',
  path: '/agents/{id}/restore',
  summary: 'Bring a removed agent back, with its folder and conversations, without wirings and destinations',
  request: { params: agentParams },
  responses: ok(agents.agentSchema),
});
export const listDestinations = createRoute({
  method: 'get',
  path: '/agents/{id}/destinations',
  request: { params: agentParams, ...page },
  responses: ok(pageOf(agents.destinationResourceSchema)),
});
export const createDestination = createRoute({
  method: 'post',
  path: '/agents/{id}/destinations',
  request: { params: agentParams, body: body(agents.destinationBody) },
  responses: made(agents.destinationResourceSchema),
});
export const getDestination = createRoute({
  method: 'get',
  path: '/destinations/{id}',
  request: { params: destinationParams },
  responses: ok(agents.destinationResourceSchema),
});
export const updateDestination = createRoute({
  method: 'patch',
  path: '/destinations/{id}',
  request: { params: destinationParams, headers: ifMatch, body: body(agents.destinationPatchBody) },
  responses: ok(agents.destinationResourceSchema),
});
export const deleteDestination = createRoute({
  method: 'delete',
  path: '/destinations/{id}',
  request: { params: destinationParams, headers: ifMatch },
  responses: empty('Removed: the agent can send there no more'),
});
