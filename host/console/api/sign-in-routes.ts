/** The routes about signing in, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import { body, empty, made, ok, userParams } from './route-parts.ts';
import * as signIns from './sign-in-schemas.ts';

export const login = createRoute({
  method: 'post',
  path: '/login',
  summary: 'Trade a one-time token for a cookie',
  request: { body: body(signIns.loginBody) },
  responses: ok(signIns.meSchema),
});
export const logout = createRoute({
  method: 'post',
  path: '/logout',
  responses: empty('Signed out'),
});
export const getMe = createRoute({ method: 'get', path: '/me', responses: ok(signIns.meSchema) });
export const createSignInLink = createRoute({
  method: 'post',
  path: '/sign-in-links',
  summary: 'A fresh link that signs in once (Unix socket or bearer token only)',
  responses: made(signIns.signInLinkSchema),
});
export const listOwnSignIns = createRoute({
  method: 'get',
  path: '/me/sign-ins',
  summary: 'Browsers that you are signed in with',
  responses: ok(signIns.signInsSchema),
});
export const endOwnSignIns = createRoute({
  method: 'delete',
  path: '/me/sign-ins',
  summary: 'Sign out everywhere but here',
  responses: ok(signIns.signInsSchema, 'What is left'),
});
export const createPersonLink = createRoute({
  method: 'post',
  path: '/people/{id}/sign-in-links',
  summary: 'A link that signs somebody in once; of owners, at the Unix socket or with the bearer token alone',
  request: { params: z.object({ id: signIns.webUserIdSchema }), body: body(signIns.personLinkBody) },
  responses: made(signIns.signInLinkSchema),
});
export const listSignIns = createRoute({
  method: 'get',
  path: '/people/{id}/sign-ins',
  summary: 'Browsers that somebody is signed in with, by any of their identities',
  request: { params: userParams },
  responses: ok(signIns.signInsSchema),
});
export const endSignIns = createRoute({
  method: 'delete',
  path: '/people/{id}/sign-ins',
  summary: 'Sign somebody out everywhere; links that were not used end too',
  request: { params: userParams },
  responses: ok(z.object({ ended: z.number().int() }), 'Signed out'),
});
