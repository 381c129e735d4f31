/** The routes about chats and wirings, without handlers. */
import { createRoute } from '@hono/zod-openapi';
import * as chats from './chat-schemas.ts';
import { body, chatParams, empty, ifMatch, made, ok, page, wiringParams } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listChats = createRoute({
  method: 'get',
  path: '/chats',
  request: page,
  responses: ok(pageOf(chats.chatSchema)),
});
export const getChat = createRoute({
  method: 'get',
  path: '/chats/{id}',
  request: { params: chatParams },
  responses: ok(chats.chatSchema),
});
export const updateChat = createRoute({
  method: 'patch',
  path: '/chats/{id}',
  request: { params: chatParams, headers: ifMatch, body: body(chats.chatPatchBody) },
  responses: ok(chats.chatSchema),
});
export const listWirings = createRoute({
  method: 'get',
  path: '/wirings',
  request: page,
  responses: ok(pageOf(chats.wiringSchema)),
});
export const createWiring = createRoute({
  method: 'post',
  path: '/wirings',
  summary: 'Wire an agent to a chat; makes the destination with it',
  request: { body: body(chats.wiringBody) },
  responses: made(chats.wiringSchema),
});
export const getWiring = createRoute({
  method: 'get',
  path: '/wirings/{id}',
  request: { params: wiringParams },
  responses: ok(chats.wiringSchema),
});
export const updateWiring = createRoute({
  method: 'patch',
  path: '/wirings/{id}',
  request: { params: wiringParams, headers: ifMatch, body: body(chats.wiringPatchBody) },
  responses: ok(chats.wiringSchema),
});
export const deleteWiring = createRoute({
  method: 'delete',
  path: '/wirings/{id}',
  request: { params: wiringParams, headers: ifMatch },
  responses: empty('Removed; the destination stays until it is removed itself'),
});
