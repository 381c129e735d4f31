/**
 * The whole HTTP side of the host as one Hono app, served by both doors.
 *
 *   every request → headers → door guard → /healthz /readyz /metrics, or
 *                                        → /api/v1 → bounded body → sign-in, or authenticated routes, or
 *                                        → the page
 */
import { type Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { parseId } from '../../../shared/ids.ts';
import { MAX_JSON_DEPTH } from '../../../shared/limits.ts';
import { nestingExceeds } from '../../../shared/messages.ts';
import { newApi } from './api.ts';
import { authenticate, type Env, guardDoor, SignInLimit } from './door.ts';
import type { EventFilter, EventStreams } from './event-stream.ts';
import * as routes from './host-routes.ts';
import { MAX_JSON_BYTES } from './limits.ts';
import { servePage } from './page.ts';
import type { ApiParts } from './ports.ts';
import { answerProblem, Problem } from './problem.ts';
import { accessRoutes, egressRoutes } from './resources/access.ts';
import { agentRoutes, destinationRoutes } from './resources/agents.ts';
import { approvalRoutes } from './resources/approvals.ts';
import { buildRoutes } from './resources/builds.ts';
import { chatRoutes, wiringRoutes } from './resources/chats.ts';
import { configRoutes } from './resources/configs.ts';
import { hostRoutes, signInRoutes } from './resources/host.ts';
import { ledgerRoutes } from './resources/ledger.ts';
import { messageRoutes } from './resources/messages.ts';
import { mountRoutes } from './resources/mounts.ts';
import { peopleRoutes } from './resources/people.ts';
import { providerRoutes } from './resources/providers.ts';
import { secretRoutes } from './resources/secrets.ts';
import { serviceRoutes } from './resources/services.ts';
import { findSession, sessionRoutes } from './resources/sessions.ts';
import { signInLists } from './resources/sign-ins.ts';
import { taskRoutes } from './resources/tasks.ts';
import { budgetRoutes, priceRoutes, usageRoutes } from './resources/usage.ts';
import { vaultRoutes } from './resources/vault.ts';
import { authorise, requireSight } from './rights.ts';
import { subjectOfSession } from './subjects.ts';

export const API_BASE = '/api/v1';

export function buildApp(parts: ApiParts, streams: EventStreams, bearerToken: string): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => answerProblem(c, error, parts.home));
  app.use(setHeaders);
  app.use(guardDoor);
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => {
    const { ok, reason } = parts.ready();
    return c.json({ ok, reason }, ok ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    c.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    return c.body(await parts.metrics());
  });
  app.route(API_BASE, buildApi(parts, streams, bearerToken));
  app.all(`${API_BASE}/*`, () => {
    throw new Problem(404, 'no_such_route', 'The API has no such route.', { expected: `see ${API_BASE}/openapi.json` });
  });
  app.all('/api/*', () => {
    throw new Problem(404, 'no_such_route', 'There is no such API.', { expected: API_BASE });
  });
  app.all('*', servePage(parts.webFolder));
  return app;
}

/** Clients: `hc<AppType>('/api/v1')`. */
export type AppType = ReturnType<typeof buildApi>;

function buildApi(parts: ApiParts, streams: EventStreams, bearerToken: string) {
  const { logins, installId, owner } = parts;
  const api = newApi();
  api.use(boundBody);
  api.get('/openapi.json', (c) => c.json(describeApi(api)));
  api.route('/', signInRoutes(parts, new SignInLimit(parts.now())));
  api.use(authenticate({ logins, installId, owner, bearerToken, now: () => parts.now() }));
  api.use(authorise(parts, API_BASE));
  return api
    .route('/', hostRoutes(parts))
    .route('/', signInLists(parts))
    .route('/', peopleRoutes(parts))
    .route('/', agentRoutes(parts))
    .route('/', configRoutes(parts))
    .route('/', providerRoutes(parts))
    .route('/', buildRoutes(parts))
    .route('/', mountRoutes(parts))
    .route('/', accessRoutes(parts))
    .route('/', egressRoutes(parts))
    .route('/', secretRoutes(parts))
    .route('/', serviceRoutes(parts))
    .route('/', vaultRoutes(parts))
    .route('/', destinationRoutes(parts))
    .route('/', chatRoutes(parts))
    .route('/', wiringRoutes(parts))
    .route('/', sessionRoutes(parts))
    .route('/', taskRoutes(parts))
    .route('/', messageRoutes(parts))
    .route('/', usageRoutes(parts))
    .route('/', budgetRoutes(parts))
    .route('/', priceRoutes(parts))
    .route('/', ledgerRoutes(parts))
    .route('/', approvalRoutes(parts))
    .route('/', eventRoutes(parts, streams));
}

function eventRoutes(parts: ApiParts, streams: EventStreams) {
  return newApi().openapi(routes.getEvents, (c) => {
    const { after, session } = c.req.valid('query');
    const last = c.req.valid('header')['last-event-id'];
    const stream = streams.open({
      listener: { userId: c.var.userId, isMachine: c.var.standing.isMachine, isSignedIn: c.var.isSignedIn },
      filter: readFilter(c, parts, session),
      after: readRevision(last) ?? after ?? null,
      disconnect: () => c.env.outgoing.destroy(),
    });
    return new Response(stream, {
      status: 200,
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
    });
  });
}

function readFilter(c: Context<Env>, parts: ApiParts, named: string | undefined): EventFilter | null {
  const id = named === undefined ? null : parseId('session', named);
  if (id === null) return null;
  const session = findSession(parts, id);
  requireSight(c, 'session', subjectOfSession(parts, session));
  return { sessionId: id, messagingGroupId: session.messagingGroupId };
}

/** Browsers send an empty header when no event had an id. */
function readRevision(header: string | undefined): number | null {
  if (header === undefined || header === '') return null;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new Problem(400, 'bad_input', 'Last-Event-ID is not a revision.', { expected: 'a whole number' });
}

function describeApi(api: ReturnType<typeof newApi>) {
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Portolan', version: '1', description: 'The HTTP API of a Portolan host.' },
    servers: [{ url: API_BASE }],
  });
}

/** For every answer; the page and files set their own policies over these. */
const setHeaders = createMiddleware<Env>(async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Referrer-Policy', 'no-referrer');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  if (!headers.has('Content-Security-Policy')) {
    headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  }
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
});

/**
 * The body's text, of bounded size, whether it says its length or comes in chunks; kept for the route's schema.
 * Hono's own limit puts a second request around the first, which this server's requests do not allow.
 */
async function readBoundedText(c: Context<Env>): Promise<string> {
  const { raw } = c.req;
  const claimed = Number(raw.headers.get('content-length') ?? 0);
  if (claimed > MAX_JSON_BYTES) throw tooLarge();
  if (raw.body === null) return '';
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of raw.body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_JSON_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  // Typed as the text, held as its promise: what Hono's own readers await.
  Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
  return text;
}

function tooLarge(): Problem {
  return new Problem(413, 'too_large', 'The body is too large.', { expected: `at most ${MAX_JSON_BYTES} bytes` });
}

/**
 * Bodies are JSON, or the form of a message with files, which its own handler streams. Size first, then
 * depth, then the route's schema. A page of another site can send no JSON without being asked first.
 */
const boundBody = createMiddleware<Env>(async (c, next) => {
  const { method } = c.req;
  const contentType = c.req.header('content-type');
  const hasBody = contentType !== undefined || Number(c.req.header('content-length') ?? 0) > 0;
  if (method === 'GET' || method === 'HEAD' || !hasBody) return next();
  if (isForm(contentType) && /\/sessions\/[^/]+\/messages$/.test(c.req.path)) return next();
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) {
    throw new Problem(415, 'wrong_content_type', 'The body is of a type that is not taken here.', {
      expected: 'Content-Type: application/json',
    });
  }
  if (nestingExceeds(await readBoundedText(c), MAX_JSON_DEPTH)) {
    throw new Problem(400, 'bad_json', 'The body is nested too deep.', {
      expected: `at most ${MAX_JSON_DEPTH} levels`,
    });
  }
  return next();
});

function isForm(contentType: string | undefined): boolean {
  return /^multipart\/form-data\s*;/i.test(contentType ?? '');
}
