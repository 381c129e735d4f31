/** Sessions over the API: list, open, name, stop, release, and how far a person has read. */
import { parseId } from '../../../../shared/ids.ts';
import type { Scope, Standing } from '../../../access/console.ts';
import type { Session } from '../../../store/sessions.ts';
import { newApi } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import { DEFAULT_PAGE } from '../inputs.ts';
import { CHATS_WINDOW_MS, MAX_CHATS_PER_DAY, MAX_SCANNED_SESSIONS } from '../limits.ts';
import type { ApiParts } from '../ports.ts';
import { presentSession } from '../present.ts';
import { notFound, Problem } from '../problem.ts';
import { requireAdmin, requireSight, scopeOf } from '../rights.ts';
import type { SessionState } from '../schemas.ts';
import * as routes from '../session-routes.ts';
import { findSubject } from '../subjects.ts';
import { findAgent } from './agents.ts';

export function sessionRoutes(parts: ApiParts) {
  const { sessions, feed } = parts;
  return newApi()
    .openapi(routes.listSessions, (c) => {
      const { cursor, limit, agent, state } = c.req.valid('query');
      const agentId = agent === undefined ? null : findAgent(parts, agent).id;
      if (agentId !== null) requireSight(c, 'agent', findSubject(parts, 'agents', agentId));
      const scope = scopeOf(c);
      const page = scanSessions(parts, { agentId, state: state ?? null, limit: limit ?? DEFAULT_PAGE, cursor, scope });
      const items = page.items.map((session) => presentSession(session, c.var, parts));
      return c.json({ items, nextCursor: page.nextCursor }, 200);
    })
    .openapi(routes.createSession, (c) => {
      const { agentId, title, channel = 'web' } = c.req.valid('json');
      const agent = findAgent(parts, agentId);
      const subject = findSubject(parts, 'agents', agent.id);
      // The terminal's chat is one for all; a chat on the page is its opener's.
      if (channel === 'web') requireSight(c, 'agent', subject);
      else requireAdmin(c, 'agent', subject);
      requireRoom(parts, c.var.standing);
      const session = parts.openChat(agent.id, channel, title, c.var.userId);
      if (session === null) throw notFound('agent');
      parts.onDestinationsChanged(agent.id);
      feed.tellSession(session.id);
      setEtag(c, session);
      const resource = presentSession(session, c.var, parts);
      return channel === 'web' ? c.json(resource, 201) : c.json(resource, 200);
    })
    .openapi(routes.getSession, (c) => {
      const session = findSession(parts, c.req.valid('param').id);
      setEtag(c, session);
      return c.json(presentSession(session, c.var, parts), 200);
    })
    .openapi(routes.updateSession, (c) => {
      const { id } = findSession(parts, c.req.valid('param').id);
      const session = sessions.retitle(id, readIfMatch(c), c.req.valid('json').title);
      if (session === null) throw refuseChange('session', sessions.get(id));
      feed.tellSession(id);
      setEtag(c, session);
      return c.json(presentSession(session, c.var, parts), 200);
    })
    .openapi(routes.stopSession, async (c) => {
      const { id } = findSession(parts, c.req.valid('param').id);
      await parts.control.stop(id);
      return c.json(presentSession(findSession(parts, id), c.var, parts), 200);
    })
    .openapi(routes.releaseSession, async (c) => {
      const { id } = findSession(parts, c.req.valid('param').id);
      await parts.control.release(id, c.var.userId);
      return c.json(presentSession(findSession(parts, id), c.var, parts), 200);
    })
    .openapi(routes.markRead, (c) => {
      const session = findSession(parts, c.req.valid('param').id);
      const { position } = c.req.valid('json');
      // No mark beyond the newest message: what comes later is unread.
      const newest = parts.transcript.listForSession(session, { limit: 1 }).at(-1)?.position ?? 0;
      parts.readMarks.set(c.var.userId, session.id, Math.min(position, newest));
      feed.tellSession(session.id);
      return c.body(null, 204);
    });
}

/** Throws Problem 429. */
function requireRoom({ visible, now }: ApiParts, { isGlobalAdmin, ids }: Standing): void {
  if (isGlobalAdmin || visible.countOpened([...ids], now() - CHATS_WINDOW_MS) < MAX_CHATS_PER_DAY) return;
  throw new Problem(429, 'too_many_chats', 'You opened many chats today.', {
    expected: `at most ${MAX_CHATS_PER_DAY} in a day`,
    next: 'go on in one that is there, or wait until tomorrow',
  });
}

/** Throws Problem 404. */
export function findSession({ sessions }: Pick<ApiParts, 'sessions'>, id: string): Session {
  const sessionId = parseId('session', id);
  const session = sessionId === null ? null : sessions.get(sessionId);
  if (session === null) throw notFound('session');
  return session;
}

interface Scan {
  agentId: Session['agentGroupId'] | null;
  state: SessionState | null;
  limit: number;
  cursor: string | undefined;
  scope: Scope | null;
}

/**
 * One page. States live in the runtime, not in the table, so a page of one state looks at rows until it
 * is full or MAX_SCANNED_SESSIONS were seen; a short page with a cursor goes on from there.
 */
function scanSessions(parts: ApiParts, scan: Scan): { items: Session[]; nextCursor: string | null } {
  const items: Session[] = [];
  let after = readCursor(scan.cursor);
  for (let seen = 0; seen < MAX_SCANNED_SESSIONS; ) {
    const batch = listBatch(parts, scan, after);
    for (const session of batch) {
      if (items.length === scan.limit) return { items, nextCursor: after === null ? null : formatCursor(after) };
      if (scan.state === null || parts.control.liveState(session).state === scan.state) items.push(session);
      after = session;
    }
    if (batch.length <= scan.limit) return { items, nextCursor: null };
    seen += batch.length;
  }
  return { items, nextCursor: after === null ? null : formatCursor(after) };
}

function listBatch({ sessions, visible }: ApiParts, { scope, agentId, limit }: Scan, after: Place | null): Session[] {
  if (scope === null) return sessions.listRecent(limit + 1, after, agentId);
  return visible.listSessions(scope, limit + 1, after, agentId).flatMap((id) => sessions.get(id) ?? []);
}

interface Place {
  lastActiveAt: number;
  id: string;
}

function formatCursor(place: Place): string {
  return `${place.lastActiveAt}.${place.id}`;
}

function readCursor(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const match = /^(\d{1,15})\.([a-z0-9_]{1,40})$/.exec(cursor);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Problem(400, 'bad_input', 'The cursor is not one of this list.', {
      expected: 'the nextCursor of an earlier page',
    });
  }
  return { lastActiveAt: Number(match[1]), id: match[2] };
}
