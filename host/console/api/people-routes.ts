/** The routes about people, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import * as people from './people-schemas.ts';
import { body, ifMatch, linkParams, ok, userParams } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listPeople = createRoute({
  method: 'get',
  path: '/people',
  summary: 'Owners, admins and members; linked identities are one entry',
  request: { query: people.peopleQuery },
  responses: ok(pageOf(people.personSchema)),
});
export const getPerson = createRoute({
  method: 'get',
  path: '/people/{id}',
  request: { params: userParams },
  responses: ok(people.personSchema),
});
export const grantRole = createRoute({
  method: 'put',
  path: '/people/{id}/roles/{role}/{of}',
  summary: 'Make somebody owner (of all), admin (of all or of an agent) or member (of an agent)',
  request: { params: people.roleParams, headers: ifMatch, body: body(people.grantBody) },
  responses: ok(people.personSchema),
});
export const revokeRole = createRoute({
  method: 'delete',
  path: '/people/{id}/roles/{role}/{of}',
  summary: 'Take it from the person, whichever identity it was given to',
  request: { params: people.roleParams, headers: ifMatch },
  responses: ok(people.personSchema),
});
export const linkPeople = createRoute({
  method: 'put',
  path: '/people/{id}/links/{other}',
  summary: 'Say that two identities are one person; people themselves prove it with codes in their chats',
  request: { params: linkParams, headers: ifMatch, body: body(z.strictObject({})) },
  responses: ok(people.personSchema),
});
export const unlinkPeople = createRoute({
  method: 'delete',
  path: '/people/{id}/links/{other}',
  summary: 'Take an identity out of its person; each keeps what was given to it',
  request: { params: linkParams, headers: ifMatch },
  responses: ok(people.personSchema, 'What is left of the person'),
});
