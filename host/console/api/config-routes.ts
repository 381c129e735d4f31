/** The routes about what agents’ containers are made of, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as configs from './config-schemas.ts';
import { agentParams, body, ifMatch, made, ok, page } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const getConfig = createRoute({
  method: 'get',
  path: '/agents/{id}/config',
  summary: 'As it is now, with how its MCP servers came up and the state of its image',
  request: { params: agentParams },
  responses: ok(configs.configSchema),
});
export const updateConfig = createRoute({
  method: 'patch',
  path: '/agents/{id}/config',
  summary: 'Its sessions follow, each when it is idle',
  request: { params: agentParams, headers: ifMatch, body: body(configs.configPatchBody) },
  responses: ok(configs.configSchema),
});
export const listConfigHistory = createRoute({
  method: 'get',
  path: '/agents/{id}/config/history',
  summary: 'Newest first; what each revision changed, by whom and why',
  request: { params: agentParams, ...page },
  responses: ok(pageOf(configs.configChangeSchema)),
});
export const getConfigRevision = createRoute({
  method: 'get',
  path: '/agents/{id}/config/history/{revision}',
  summary: 'The whole config as it was',
  request: { params: agentParams.extend({ revision: configs.configRevisionParam }) },
  responses: ok(configs.configRevisionSchema),
});
export const diffConfigRevisions = createRoute({
  method: 'get',
  path: '/agents/{id}/config/diff',
  summary: 'What differs between two revisions; the last change when none is named',
  request: { params: agentParams, query: configs.configDiffQuery },
  responses: ok(configs.configDiffSchema),
});
export const rollBackConfig = createRoute({
  method: 'post',
  path: '/agents/{id}/config/rollback',
  summary: 'A new revision with the content of an old one; answers when its image is built, which can take minutes',
  request: { params: agentParams, headers: ifMatch, body: body(configs.rollbackBody) },
  responses: ok(configs.configSchema),
});
export const getAllowedMounts = createRoute({
  method: 'get',
  path: '/mounts/allowed',
  summary: 'Which folders of the machine agents may be given, by the allowlist as it is now',
  responses: ok(configs.allowedMountsSchema),
});
export const listMounts = createRoute({
  method: 'get',
  path: '/agents/{id}/mounts',
  summary: 'Its folders of the machine, and what the allowlist says of each now',
  request: { params: agentParams },
  responses: ok(z.object({ items: z.array(configs.mountStatusSchema) })),
});
export const addMount = createRoute({
  method: 'post',
  path: '/agents/{id}/mounts',
  summary: 'Give it a folder that the allowlist allows; If-Match is the config’s',
  request: { params: agentParams, headers: ifMatch, body: body(configs.mountBody) },
  responses: made(configs.configSchema),
});
export const removeMount = createRoute({
  method: 'delete',
  path: '/agents/{id}/mounts/{name}',
  request: { params: agentParams.extend({ name: configs.mountNameParam }), headers: ifMatch },
  responses: ok(configs.configSchema, 'Taken away'),
});
