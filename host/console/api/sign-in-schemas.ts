/** Signing in: who one is, browsers and links. Times are epoch milliseconds. */
import { z } from '@hono/zod-openapi';
import { line } from './inputs.ts';
import { time } from './schema-parts.ts';

export const meSchema = z
  .object({
    userId: z.string(),
    name: z.string(),
    door: z.enum(['tcp', 'unix']),
    /** At this moment, over all linked identities; `agentId` null: global. */
    roles: z.array(z.object({ role: z.enum(['owner', 'admin', 'member']), agentId: z.string().nullable() })),
    /** What a page has use for; each call is judged anew. */
    may: z.object({
      /** All agents, sessions and chats, and the host's status. */
      seeEverything: z.boolean(),
      /** Some agent, or all: then refusals, approvals, tasks and wirings are of use. */
      administer: z.boolean(),
      /** Make and remove agents. */
      manageAgents: z.boolean(),
      /** Say who may do what. */
      managePeople: z.boolean(),
      /** With some agent. */
      openChats: z.boolean(),
    }),
  })
  .openapi('Me');
export type Me = z.infer<typeof meSchema>;

/** A browser that somebody is signed in with. */
export const signInSchema = z
  .object({
    id: z.string(),
    userId: z.string(),
    createdAt: time,
    expiresAt: time,
    /** The one that asks. */
    isThis: z.boolean(),
  })
  .openapi('SignIn');
export type SignIn = z.infer<typeof signInSchema>;

export const signInsSchema = z.object({ items: z.array(signInSchema) });

export const signInLinkSchema = z.object({ url: z.string(), expiresAt: time }).openapi('SignInLink');
export type SignInLink = z.infer<typeof signInLinkSchema>;

/** Whoever can be signed in to the page; names as people type them. */
export const webUserIdSchema = z
  .string()
  .regex(/^web:[a-z0-9][a-z0-9._-]{0,62}$/, 'expected web:<name>, the name of a-z, 0-9, ".", "_" and "-"');

/** `name`: what a person is called who is new here. */
export const personLinkBody = z.strictObject({ name: line(64).optional() }).openapi('NewSignInLink');

export const loginBody = z.strictObject({ token: z.string().min(1).max(200) }).openapi('Login');
