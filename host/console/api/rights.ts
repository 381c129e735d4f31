/**
 * Asks for each request whether this person may do that, before anything of it is read: the right of the matched
 * route (host/access/console.ts), the person's roles at this moment, and what the path's resource belongs to.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { parseId, type UserId } from '../../../shared/ids.ts';
import {
  administers,
  findRight,
  judge,
  type Scope,
  type Standing,
  type Subject,
  sees,
  toScope,
  toStanding,
} from '../../access/console.ts';
import { assertNever } from '../../config/errors.ts';
import type { Env } from './door.ts';
import type { ApiParts } from './ports.ts';
import { notFound, Problem } from './problem.ts';
import { findSubject } from './subjects.ts';

/** After `authenticate`. Sets `standing`; throws Problem 403, or 404 for what this person may not see. */
export function authorise(parts: ApiParts, base: string): MiddlewareHandler<Env> {
  return async (c, next) => {
    const standing = standingOf(parts, c.var.userId, c.var.by !== 'cookie');
    c.set('standing', standing);
    const path = matchPath(c, base);
    // No route: the app says so.
    if (path === null) return next();
    const right = findRight(c.req.method === 'HEAD' ? 'GET' : c.req.method, path);
    const { kind, id } = readResource(path, c.req.path.slice(base.length));
    const judgement = judge(right, standing, () => findSubject(parts, kind, id));
    switch (judgement) {
      case 'allowed':
        return next();
      case 'hidden':
        // Judged there again, refused in words, and recorded.
        if (path === '/approvals/{id}/decide' && wasShown(parts, id, c.var.userId)) return next();
        throw notFound(kind.replace(/s$/, ''));
      case 'forbidden':
        throw forbidden(right === 'machine');
      default:
        return assertNever(judgement);
    }
  };
}

/** What somebody is now, by all of their linked identities. */
export function standingOf(
  { visible }: Pick<ApiParts, 'visible'>,
  userId: Env['Variables']['userId'],
  isMachine: boolean,
): Standing {
  return toStanding(visible.factsOf(userId), isMachine);
}

/** Whether this person could decide that approval a moment ago: no secret to them. */
function wasShown({ decisions }: ApiParts, id: string, userId: UserId): boolean {
  const approvalId = parseId('approval', id);
  return approvalId !== null && decisions.lostRight(approvalId, userId);
}

/** What limits this caller's lists; null: nothing. */
export function scopeOf(c: Context<Env>): Scope | null {
  return toScope(c.var.standing);
}

/** For what a query names. Throws Problem 404 for what this person may not see. */
export function requireSight(c: Context<Env>, what: string, subject: Subject | null): void {
  if (subject === null || !sees(c.var.standing, subject)) throw notFound(what);
}

/** For what a body names. Throws Problem 404 for what this person may not see, 403 for what they may not change. */
export function requireAdmin(c: Context<Env>, what: string, subject: Subject | null): void {
  requireSight(c, what, subject);
  if (subject === null || !administers(c.var.standing, subject)) throw forbidden(false);
}

/** What a page may not do, whoever signed in to it. Throws Problem 403. */
export function requireMachine(c: Context<Env>): void {
  if (!c.var.standing.isMachine) throw forbidden(true);
}

function forbidden(isForMachine: boolean): Problem {
  if (!isForMachine) {
    return new Problem(403, 'not_allowed', 'You may not do this.', {
      expected: 'somebody with the role that it needs',
      next: 'ask an owner of this host for it',
    });
  }
  return new Problem(403, 'machine_only', 'A page may not do this.', {
    expected: 'the Unix socket or the bearer token',
    next: 'use the command line: portolan',
  });
}

/** The path of the route that answers, as its `…-routes.ts` has it; null when none does. */
function matchPath(c: Context<Env>, base: string): string | null {
  const answering = matchedRoutes(c).find((route) => route.method !== 'ALL');
  return answering === undefined ? null : answering.path.slice(base.length).replace(/:(\w+)/g, '{$1}');
}

/** The kind of resource, by the path's first word, and the id in the place of `{id}`. */
function readResource(pattern: string, path: string): { kind: string; id: string } {
  const words = pattern.split('/');
  const id = path.split('/')[words.indexOf('{id}')] ?? '';
  return { kind: words[1] ?? '', id: decode(id) };
}

/** As the router reads it: what is not an encoding stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}
