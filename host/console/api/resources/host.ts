/** The host itself over the API: status, sign-in, stop, and what was turned away. */
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { DroppedCursor } from '../../../store/dropped.ts';
import { COOKIE_LIFE_MS } from '../../../store/logins.ts';
import { newApi, paginate } from '../api.ts';
import { cookieName, type SignInLimit } from '../door.ts';
import * as routes from '../host-routes.ts';
import type { ApiParts } from '../ports.ts';
import { presentDropped, presentRefusal } from '../present.ts';
import { Problem } from '../problem.ts';
import { scopeOf, standingOf } from '../rights.ts';
import * as signIns from '../sign-in-routes.ts';
import { presentMe } from './sign-ins.ts';

/** The routes that need no sign-in. */
export function signInRoutes(parts: ApiParts, limit: SignInLimit) {
  return newApi().openapi(signIns.login, (c) => {
    const now = parts.now();
    const userId = parts.logins.redeemLink(c.req.valid('json').token, now);
    if (userId === null) {
      // A good link opens whatever else is tried meanwhile: nobody can be locked out by noise.
      if (!limit.allows(now)) {
        throw new Problem(429, 'too_many_tries', 'Too many sign-ins failed.', { next: 'wait some seconds' });
      }
      limit.fail();
      throw new Problem(401, 'bad_token', 'This sign-in link is used up, expired or unknown.', {
        expected: 'a link that was made in the last 15 minutes and not used',
        next: 'npx portolan url',
      });
    }
    const cookie = parts.logins.create('cookie', userId, now);
    // Not Secure: the page is plain HTTP on loopback.
    setCookie(c, cookieName(parts.installId), cookie.token, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: Math.floor(COOKIE_LIFE_MS / 1_000),
    });
    return c.json(presentMe(parts, userId, standingOf(parts, userId, false), c.env.door), 200);
  });
}

export function hostRoutes(parts: ApiParts) {
  return newApi()
    .openapi(signIns.getMe, (c) => c.json(presentMe(parts, c.var.userId, c.var.standing, c.env.door), 200))
    .openapi(signIns.logout, (c) => {
      const name = cookieName(parts.installId);
      const cookie = getCookie(c, name);
      if (cookie !== undefined) parts.logins.revoke(cookie);
      parts.feed.tellPeople([c.var.userId]);
      deleteCookie(c, name, { path: '/' });
      return c.body(null, 204);
    })
    .openapi(signIns.createSignInLink, (c) => {
      const { token, expiresAt } = parts.logins.create('link', parts.owner, parts.now());
      return c.json({ url: `http://127.0.0.1:${c.env.port}/#token=${token}`, expiresAt }, 201);
    })
    .openapi(routes.getStatus, async (c) => c.json(await parts.status(), 200))
    .openapi(routes.shutDown, (c) => {
      // After the answer has left.
      c.env.outgoing.once('close', () => parts.shutdown());
      return c.json({ stopping: true as const }, 202);
    })
    .openapi(routes.listRefusals, (c) => {
      const { cursor, limit } = c.req.valid('query');
      const before = cursor === undefined ? null : readPosition(cursor);
      const scope = scopeOf(c);
      const page = paginate(
        limit,
        (n) =>
          scope === null
            ? parts.ledger.listRefusals(n, before)
            : parts.visible.listRefusals(scope, n, before).flatMap((position) => parts.ledger.get(position) ?? []),
        (entry) => String(entry.position),
      );
      return c.json({ ...page, items: page.items.map((entry) => presentRefusal(entry, parts)) }, 200);
    })
    .openapi(routes.listDropped, (c) => {
      const { cursor, limit } = c.req.valid('query');
      const after = cursor === undefined ? null : readDroppedCursor(cursor);
      const page = paginate(
        limit,
        (n) => parts.dropped.list(n, after, scopeOf(c)),
        (entry) => `${entry.lastAt}-${entry.row}`,
      );
      return c.json({ ...page, items: page.items.map(presentDropped) }, 200);
    });
}

function readPosition(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw badCursor();
}

function readDroppedCursor(cursor: string): DroppedCursor {
  const [, lastAt, row] = /^(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? [];
  if (lastAt !== undefined && row !== undefined) return { lastAt: Number(lastAt), row: Number(row) };
  throw badCursor();
}

function badCursor(): Problem {
  return new Problem(400, 'bad_input', 'The cursor is not one of this list.', {
    expected: 'the nextCursor of an earlier page',
  });
}
