/** The routes about agents’ own images, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as builds from './build-schemas.ts';
import { agentParams, answers, buildParams, ok, page } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listBuilds = createRoute({
  method: 'get',
  path: '/agents/{id}/builds',
  summary: 'Builds of its own image, newest first',
  request: { params: agentParams, ...page },
  responses: ok(pageOf(builds.buildSchema)),
});
export const retryBuild = createRoute({
  method: 'post',
  path: '/agents/{id}/builds',
  summary: 'Build its image again, after it failed',
  request: { params: agentParams },
  responses: ok(builds.agentImageSchema, 'What its next container is made of, or waits for'),
});
export const getBuild = createRoute({
  method: 'get',
  path: '/builds/{id}',
  request: { params: buildParams },
  responses: ok(builds.buildSchema),
});
export const getBuildLog = createRoute({
  method: 'get',
  path: '/builds/{id}/log',
  summary: 'What it printed: text, or, asked for text/event-stream, an event per line as it comes, then `end`',
  request: { params: buildParams },
  responses: answers({ 200: { content: { 'text/event-stream': { schema: z.string() } }, description: 'The log' } }),
});
