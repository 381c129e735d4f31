/** The routes about tasks, without handlers. */
import { createRoute } from '@hono/zod-openapi';
import { ifMatch, ok, taskParams } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';
import * as tasks from './task-schemas.ts';

export const listTasks = createRoute({
  method: 'get',
  path: '/tasks',
  summary: 'What agents asked to be woken for; the next to fire first',
  request: { query: tasks.tasksQuery },
  responses: ok(pageOf(tasks.taskSchema)),
});
export const getTask = createRoute({
  method: 'get',
  path: '/tasks/{id}',
  summary: 'One task, with its next five times and its last runs',
  request: { params: taskParams },
  responses: ok(tasks.taskDetailSchema),
});
export const pauseTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/pause',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(tasks.taskSchema),
});
export const resumeTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/resume',
  summary: 'Fires again, from now on',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(tasks.taskSchema),
});
export const cancelTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/cancel',
  summary: 'Never fires again',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(tasks.taskSchema),
});
