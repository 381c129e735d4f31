/** The routes about what agents think with, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as providers from './provider-schemas.ts';
import { agentParams, body, ifMatch, ok } from './route-parts.ts';

export const listProviders = createRoute({
  method: 'get',
  path: '/providers',
  summary: 'What agents may think with, and what those that you administer do',
  responses: ok(providers.providersSchema),
});
export const getAgentProvider = createRoute({
  method: 'get',
  path: '/agents/{id}/provider',
  summary: 'What it thinks with, and whether there is a key',
  request: { params: agentParams },
  responses: ok(providers.agentProviderSchema),
});
export const setAgentProvider = createRoute({
  method: 'put',
  path: '/agents/{id}/provider',
  summary: 'Have it think with another provider, model, service or effort; If-Match is the config’s',
  request: { params: agentParams, headers: ifMatch, body: body(providers.providerBody) },
  responses: ok(providers.agentProviderSchema),
});
export const listAgentModels = createRoute({
  method: 'get',
  path: '/agents/{id}/models',
  summary: 'Which models its service has, or another one; paced',
  request: { params: agentParams, query: providers.modelsQuery },
  responses: ok(providers.modelsSchema),
});
export const testAgentProvider = createRoute({
  method: 'post',
  path: '/agents/{id}/provider/test',
  summary: 'One real call to its model through the whole path; paced, because it is paid for',
  request: { params: agentParams, body: body(z.strictObject({})) },
  responses: ok(providers.providerTestSchema),
});
