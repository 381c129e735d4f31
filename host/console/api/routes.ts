/**
 * Every route of the API under `/api/v1`, without handlers: paths, inputs, answers. `app.ts` serves them,
 * `GET /openapi.json` describes them, clients take their types from here.
 */
import { createRoute, z } from '@hono/zod-openapi';
import { APPROVAL_ACTIONS } from '../../approvals/approval.ts';
import * as builds from './build-schemas.ts';
import * as configs from './config-schemas.ts';
import * as inputs from './inputs.ts';
import {
  agentParams,
  answers,
  approvalParams,
  body,
  buildParams,
  chatParams,
  destinationParams,
  empty,
  ifMatch,
  json,
  linkParams,
  made,
  messageParams,
  ok,
  page,
  sessionParams,
  taskParams,
  userParams,
  wiringParams,
} from './route-parts.ts';
import * as schemas from './schemas.ts';

// Signing in
export const login = createRoute({
  method: 'post',
  path: '/login',
  summary: 'Trade a one-time token for a cookie',
  request: { body: body(inputs.loginBody) },
  responses: ok(schemas.meSchema),
});
export const logout = createRoute({
  method: 'post',
  path: '/logout',
  responses: empty('Signed out'),
});
export const getMe = createRoute({ method: 'get', path: '/me', responses: ok(schemas.meSchema) });
export const createSignInLink = createRoute({
  method: 'post',
  path: '/sign-in-links',
  summary: 'A fresh link that signs in once (Unix socket or bearer token only)',
  responses: made(schemas.signInLinkSchema),
});
export const listOwnSignIns = createRoute({
  method: 'get',
  path: '/me/sign-ins',
  summary: 'Browsers that you are signed in with',
  responses: ok(schemas.signInsSchema),
});
export const endOwnSignIns = createRoute({
  method: 'delete',
  path: '/me/sign-ins',
  summary: 'Sign out everywhere but here',
  responses: ok(schemas.signInsSchema, 'What is left'),
});
export const createPersonLink = createRoute({
  method: 'post',
  path: '/people/{id}/sign-in-links',
  summary: 'A link that signs somebody in once; of owners, at the Unix socket or with the bearer token alone',
  request: { params: z.object({ id: inputs.webUserIdSchema }), body: body(inputs.personLinkBody) },
  responses: made(schemas.signInLinkSchema),
});
export const listSignIns = createRoute({
  method: 'get',
  path: '/people/{id}/sign-ins',
  summary: 'Browsers that somebody is signed in with, by any of their identities',
  request: { params: userParams },
  responses: ok(schemas.signInsSchema),
});
export const endSignIns = createRoute({
  method: 'delete',
  path: '/people/{id}/sign-ins',
  summary: 'Sign somebody out everywhere; links that were not used end too',
  request: { params: userParams },
  responses: ok(z.object({ ended: z.number().int() }), 'Signed out'),
});

// People
export const listPeople = createRoute({
  method: 'get',
  path: '/people',
  summary: 'Owners, admins and members; linked identities are one entry',
  request: { query: inputs.peopleQuery },
  responses: ok(schemas.pageOf(schemas.personSchema)),
});
export const getPerson = createRoute({
  method: 'get',
  path: '/people/{id}',
  request: { params: userParams },
  responses: ok(schemas.personSchema),
});
export const grantRole = createRoute({
  method: 'put',
  path: '/people/{id}/roles/{role}/{of}',
  summary: 'Make somebody owner (of all), admin (of all or of an agent) or member (of an agent)',
  request: { params: inputs.roleParams, headers: ifMatch, body: body(inputs.grantBody) },
  responses: ok(schemas.personSchema),
});
export const revokeRole = createRoute({
  method: 'delete',
  path: '/people/{id}/roles/{role}/{of}',
  summary: 'Take it from the person, whichever identity it was given to',
  request: { params: inputs.roleParams, headers: ifMatch },
  responses: ok(schemas.personSchema),
});
export const linkPeople = createRoute({
  method: 'put',
  path: '/people/{id}/links/{other}',
  summary: 'Say that two identities are one person; people themselves prove it with codes in their chats',
  request: { params: linkParams, headers: ifMatch, body: body(z.strictObject({})) },
  responses: ok(schemas.personSchema),
});
export const unlinkPeople = createRoute({
  method: 'delete',
  path: '/people/{id}/links/{other}',
  summary: 'Take an identity out of its person; each keeps what was given to it',
  request: { params: linkParams, headers: ifMatch },
  responses: ok(schemas.personSchema, 'What is left of the person'),
});

// The host
export const getStatus = createRoute({ method: 'get', path: '/status', responses: ok(schemas.statusSchema) });
export const shutDown = createRoute({
  method: 'post',
  path: '/shutdown',
  summary: 'Stop the host cleanly (Unix socket or bearer token only)',
  responses: answers({ 202: json(z.object({ stopping: z.literal(true) }), 'The host stops after this answer') }),
});
export const listDropped = createRoute({
  method: 'get',
  path: '/dropped',
  summary: 'Messages that were turned away, counted by place and reason',
  request: page,
  responses: ok(schemas.pageOf(schemas.droppedSchema)),
});

export const listRefusals = createRoute({
  method: 'get',
  path: '/refusals',
  summary: 'What agents were refused, newest first',
  request: page,
  responses: ok(schemas.pageOf(schemas.refusalSchema)),
});

// The ledger
export const listLedger = createRoute({
  method: 'get',
  path: '/ledger',
  summary: 'Newest first; a page may be short, or empty, and go on at its nextCursor',
  request: { query: inputs.ledgerQuery },
  responses: ok(schemas.pageOf(schemas.ledgerEntrySchema)),
});
export const getLedgerHead = createRoute({
  method: 'get',
  path: '/ledger/head',
  summary: 'The newest entry: written down elsewhere, it proves later that nothing was cut off',
  responses: ok(schemas.ledgerLinkSchema),
});
export const verifyLedger = createRoute({
  method: 'get',
  path: '/ledger/verify',
  summary: 'Check a part of the chain; go on with `next` until it is null',
  request: { query: inputs.ledgerVerifyQuery },
  responses: ok(schemas.ledgerCheckSchema),
});

// Agents
export const listAgents = createRoute({
  method: 'get',
  path: '/agents',
  request: { query: inputs.agentsQuery },
  responses: ok(schemas.pageOf(schemas.agentSchema)),
});
export const createAgent = createRoute({
  method: 'post',
  path: '/agents',
  request: { body: body(inputs.agentBody) },
  responses: made(schemas.agentSchema),
});
export const getAgent = createRoute({
  method: 'get',
  path: '/agents/{id}',
  request: { params: agentParams },
  responses: ok(schemas.agentSchema),
});
export const updateAgent = createRoute({
  method: 'patch',
  path: '/agents/{id}',
  request: { params: agentParams, headers: ifMatch, body: body(inputs.agentPatchBody) },
  responses: ok(schemas.agentSchema),
});

export const deleteAgent = createRoute({
  method: 'delete',
  path: '/agents/{id}',
  summary: 'Remove it and all that leads to it; its folder is kept',
  request: { params: agentParams, headers: ifMatch },
  responses: ok(schemas.agentRemovalSchema, 'Removed; its containers stop, and what waited for it ends'),
});
export const restoreAgent = createRoute({
  method: 'post',
  path: '/agents/{id}/restore',
  summary: 'Bring a removed agent back, with its folder and conversations, without wirings and destinations',
  request: { params: agentParams },
  responses: ok(schemas.agentSchema),
});

// What agents' containers are made of
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
  request: { params: agentParams, headers: ifMatch, body: body(inputs.configPatchBody) },
  responses: ok(configs.configSchema),
});
export const listConfigHistory = createRoute({
  method: 'get',
  path: '/agents/{id}/config/history',
  summary: 'Newest first; what each revision changed, by whom and why',
  request: { params: agentParams, ...page },
  responses: ok(schemas.pageOf(configs.configChangeSchema)),
});
export const getConfigRevision = createRoute({
  method: 'get',
  path: '/agents/{id}/config/history/{revision}',
  summary: 'The whole config as it was',
  request: { params: agentParams.extend({ revision: inputs.configRevisionParam }) },
  responses: ok(configs.configRevisionSchema),
});
export const diffConfigRevisions = createRoute({
  method: 'get',
  path: '/agents/{id}/config/diff',
  summary: 'What differs between two revisions; the last change when none is named',
  request: { params: agentParams, query: inputs.configDiffQuery },
  responses: ok(configs.configDiffSchema),
});
export const rollBackConfig = createRoute({
  method: 'post',
  path: '/agents/{id}/config/rollback',
  summary: 'A new revision with the content of an old one; answers when its image is built, which can take minutes',
  request: { params: agentParams, headers: ifMatch, body: body(inputs.rollbackBody) },
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
  request: { params: agentParams, headers: ifMatch, body: body(inputs.mountBody) },
  responses: made(configs.configSchema),
});
export const removeMount = createRoute({
  method: 'delete',
  path: '/agents/{id}/mounts/{name}',
  request: { params: agentParams.extend({ name: inputs.mountNameParam }), headers: ifMatch },
  responses: ok(configs.configSchema, 'Taken away'),
});

// Chats
export const listChats = createRoute({
  method: 'get',
  path: '/chats',
  request: page,
  responses: ok(schemas.pageOf(schemas.chatSchema)),
});
export const getChat = createRoute({
  method: 'get',
  path: '/chats/{id}',
  request: { params: chatParams },
  responses: ok(schemas.chatSchema),
});
export const updateChat = createRoute({
  method: 'patch',
  path: '/chats/{id}',
  request: { params: chatParams, headers: ifMatch, body: body(inputs.chatPatchBody) },
  responses: ok(schemas.chatSchema),
});

// Wirings
export const listWirings = createRoute({
  method: 'get',
  path: '/wirings',
  request: page,
  responses: ok(schemas.pageOf(schemas.wiringSchema)),
});
export const createWiring = createRoute({
  method: 'post',
  path: '/wirings',
  summary: 'Wire an agent to a chat; makes the destination with it',
  request: { body: body(inputs.wiringBody) },
  responses: made(schemas.wiringSchema),
});
export const getWiring = createRoute({
  method: 'get',
  path: '/wirings/{id}',
  request: { params: wiringParams },
  responses: ok(schemas.wiringSchema),
});
export const updateWiring = createRoute({
  method: 'patch',
  path: '/wirings/{id}',
  request: { params: wiringParams, headers: ifMatch, body: body(inputs.wiringPatchBody) },
  responses: ok(schemas.wiringSchema),
});
export const deleteWiring = createRoute({
  method: 'delete',
  path: '/wirings/{id}',
  request: { params: wiringParams, headers: ifMatch },
  responses: empty('Removed; the destination stays until it is removed itself'),
});

// Agents' own images
export const listBuilds = createRoute({
  method: 'get',
  path: '/agents/{id}/builds',
  summary: 'Builds of its own image, newest first',
  request: { params: agentParams, ...page },
  responses: ok(schemas.pageOf(builds.buildSchema)),
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

// Destinations
export const listDestinations = createRoute({
  method: 'get',
  path: '/agents/{id}/destinations',
  request: { params: agentParams, ...page },
  responses: ok(schemas.pageOf(schemas.destinationResourceSchema)),
});
export const createDestination = createRoute({
  method: 'post',
  path: '/agents/{id}/destinations',
  request: { params: agentParams, body: body(inputs.destinationBody) },
  responses: made(schemas.destinationResourceSchema),
});
export const getDestination = createRoute({
  method: 'get',
  path: '/destinations/{id}',
  request: { params: destinationParams },
  responses: ok(schemas.destinationResourceSchema),
});
export const updateDestination = createRoute({
  method: 'patch',
  path: '/destinations/{id}',
  request: { params: destinationParams, headers: ifMatch, body: body(inputs.destinationPatchBody) },
  responses: ok(schemas.destinationResourceSchema),
});
export const deleteDestination = createRoute({
  method: 'delete',
  path: '/destinations/{id}',
  request: { params: destinationParams, headers: ifMatch },
  responses: empty('Removed: the agent can send there no more'),
});

// Sessions
export const listSessions = createRoute({
  method: 'get',
  path: '/sessions',
  summary: 'Newest activity first',
  request: { query: inputs.sessionsQuery },
  responses: ok(schemas.pageOf(schemas.sessionSchema)),
});
export const createSession = createRoute({
  method: 'post',
  path: '/sessions',
  summary: 'A new web chat with an agent, or its terminal chat',
  request: { body: body(inputs.sessionBody) },
  responses: answers({
    201: json(schemas.sessionSchema, 'Made'),
    200: json(schemas.sessionSchema, 'The terminal chat that was there'),
  }),
});
export const getSession = createRoute({
  method: 'get',
  path: '/sessions/{id}',
  request: { params: sessionParams },
  responses: ok(schemas.sessionSchema),
});
export const updateSession = createRoute({
  method: 'patch',
  path: '/sessions/{id}',
  request: { params: sessionParams, headers: ifMatch, body: body(inputs.sessionPatchBody) },
  responses: ok(schemas.sessionSchema),
});
export const stopSession = createRoute({
  method: 'post',
  path: '/sessions/{id}/stop',
  summary: 'Stop its container; a later message starts one again',
  request: { params: sessionParams },
  responses: ok(schemas.sessionSchema),
});
export const releaseSession = createRoute({
  method: 'post',
  path: '/sessions/{id}/release',
  summary: 'Out of quarantine or failure: containers may start again',
  request: { params: sessionParams },
  responses: ok(schemas.sessionSchema),
});
export const markRead = createRoute({
  method: 'put',
  path: '/sessions/{id}/read',
  request: { params: sessionParams, body: body(inputs.readBody) },
  responses: empty('Noted'),
});

// Tasks
export const listTasks = createRoute({
  method: 'get',
  path: '/tasks',
  summary: 'What agents asked to be woken for; the next to fire first',
  request: { query: inputs.tasksQuery },
  responses: ok(schemas.pageOf(schemas.taskSchema)),
});
export const getTask = createRoute({
  method: 'get',
  path: '/tasks/{id}',
  summary: 'One task, with its next five times and its last runs',
  request: { params: taskParams },
  responses: ok(schemas.taskDetailSchema),
});
export const pauseTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/pause',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(schemas.taskSchema),
});
export const resumeTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/resume',
  summary: 'Fires again, from now on',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(schemas.taskSchema),
});
export const cancelTask = createRoute({
  method: 'post',
  path: '/tasks/{id}/cancel',
  summary: 'Never fires again',
  request: { params: taskParams, headers: ifMatch },
  responses: ok(schemas.taskSchema),
});

// Messages
export const listMessages = createRoute({
  method: 'get',
  path: '/sessions/{id}/messages',
  summary: 'Oldest first within the page; the newest page without bounds',
  request: { params: sessionParams, query: inputs.messagesQuery },
  responses: ok(schemas.pageOf(schemas.messageSchema)),
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
    201: json(schemas.messageSchema, 'Committed'),
    200: json(schemas.messageSchema, 'Committed before, under the same clientId'),
  }),
});
export const getMessage = createRoute({
  method: 'get',
  path: '/messages/{id}',
  request: { params: messageParams },
  responses: ok(schemas.messageSchema),
});
export const getTrace = createRoute({
  method: 'get',
  path: '/messages/{id}/trace',
  request: { params: messageParams },
  responses: ok(schemas.traceSchema),
});
export const getWhy = createRoute({
  method: 'get',
  path: '/messages/{id}/why',
  summary: 'What allowed or refused it, who decided that, and when; also for requests, which are no messages of a chat',
  request: { params: messageParams },
  responses: ok(schemas.whySchema),
});
export const resendMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/resend',
  summary: 'Send a delivery that is `unknown` or `failed` once more',
  request: { params: messageParams },
  responses: ok(schemas.messageSchema),
});
export const dropMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/drop',
  summary: 'Give up a delivery that is `unknown` or `failed`',
  request: { params: messageParams },
  responses: ok(schemas.messageSchema),
});
export const answerMessage = createRoute({
  method: 'post',
  path: '/messages/{id}/answer',
  summary: 'Answer the question that a message puts; the first answer counts',
  request: { params: messageParams, body: body(inputs.answerBody) },
  responses: ok(schemas.messageSchema),
});
export const getMessageFile = createRoute({
  method: 'get',
  path: '/messages/{id}/files/{name}',
  request: { params: messageParams.extend({ name: z.string().min(1).max(255) }) },
  responses: answers({
    200: { content: { 'application/octet-stream': { schema: z.string() } }, description: 'The file' },
  }),
});

// Approvals
export const listApprovals = createRoute({
  method: 'get',
  path: '/approvals',
  summary: 'Newest first',
  request: { query: inputs.approvalsQuery },
  responses: ok(schemas.pageOf(schemas.approvalSchema)),
});
export const getApproval = createRoute({
  method: 'get',
  path: '/approvals/{id}',
  summary: 'With its history',
  request: { params: approvalParams },
  responses: ok(schemas.approvalDetailSchema),
});
export const decideApproval = createRoute({
  method: 'post',
  path: '/approvals/{id}/decide',
  summary: 'Decide, by your roles at this moment; where several must approve, one voice',
  request: { params: approvalParams, body: body(inputs.decisionBody) },
  responses: ok(schemas.approvalSchema),
});

export const listApprovalPolicies = createRoute({
  method: 'get',
  path: '/approval-policies',
  summary: 'For each action: how many people must approve, how long it waits, when the next one is asked',
  responses: ok(z.object({ items: z.array(schemas.approvalPolicySchema) })),
});
export const changeApprovalPolicy = createRoute({
  method: 'patch',
  path: '/approval-policies/{action}',
  summary: 'Owners alone; a higher number of people counts for what waits, too',
  request: {
    params: z.object({ action: z.enum(APPROVAL_ACTIONS) }),
    headers: ifMatch,
    body: body(inputs.approvalPolicyBody),
  },
  responses: ok(schemas.approvalPolicySchema),
});

// Events
export const getEvents = createRoute({
  method: 'get',
  path: '/events',
  summary: 'Server-sent events: message, session, session-ended, approval, typing, me, ready, reset',
  request: {
    query: inputs.eventsQuery,
    headers: z.object({ 'last-event-id': z.string().optional() }),
  },
  responses: answers({ 200: { content: { 'text/event-stream': { schema: z.string() } }, description: 'The stream' } }),
});
