/** The routes about messages, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as inputs from './inputs.ts';
import * as messages from './message-schemas.ts';
import { answers, body, json, messageParams, ok, sessionParams } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listMessages = createRoute({
  method: 'get',
  path: '/sessions/{id}/messages',
  summary: 'Oldest first within the page; the newest page without bounds',
  request: { params: sessionParams, query: inputs.messagesQuery },
  responses: ok(pageOf(messages.messageSchema)),
});
export const createMessage = createRoute({
  method: 'post',
  path: '/sessions/{id}/messages',
  summary: 'Say something; answered after the message is committed',
  request: {
    params: sessionParams,
    body: {
      content: {
        'application/json': { schema: inputs.messageBody },
        // No zod schema: files are streamed to disk by the handler, never gathered in memory.
        'multipart/form-data': {
          schema: {
            type: 'object' as const,
            properties: {
              text: { type: 'string' as const },
              clientId: { type: 'string' as const },
              file: { type: 'array' as const, items: { type: 'string' as const, format: 'binary' } },
            },
          },
        },
      },
    },
  },
  responses: answers({
    201: json(messages.messageSchema, 'Committed'),
    200: json(messages.messageSchema, 'Committed before, under the same clientId'),
  }),
});
export const getMessage = createRoute({
  method: 'get',
  path: '/messages/{id}',
  request: { params: messageParams },
  responses: ok(messages.messageSchema),
});
export const getTrace = createRoute({
  method: 'get',
  path: '/messages/{id}/trace',
  request: { params: messageParams },
  responses: ok(messages.traceSchema),
});
export const resendMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/resend',
  summary: 'Send a delivery that is `unknown` or `failed` once more',
  request: { params: messageParams },
  responses: ok(messages.messageSchema),
});
export const dropMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/drop',
  summary: 'Give up a delivery that is `unknown` or `failed`',
  request: { params: messageParams },
  responses: ok(messages.messageSchema),
});
export const answerMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/answer',
  summary: 'Answer the question that a message puts; the first answer counts',
  request: { params: messageParams, body: body(inputs.answerBody) },
  responses: ok(messages.messageSchema),
});
export const getMessageFile = createRoute({
  method: 'get',
  path: '/messages/{id}/files/{name}',
  request: { params: messageParams.extend({ name: z.string().min(1).max(255) }) },
  responses: answers({
    200: { content: { 'application/octet-stream': { schema: z.string() } }, description: 'The file' },
  }),
});
