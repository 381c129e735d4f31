/** Who is signed in where, over the API: links for others, and the end of sign-ins. */
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { parseUserId, type UserId } from '../../../../shared/ids.ts';
import type { Standing } from '../../../access/console.ts';
import { LoginStore, type SignIn } from '../../../store/logins.ts';
import { newApi } from '../api.ts';
import { cookieName, type Env } from '../door.ts';
import type { ApiParts } from '../ports.ts';
import { notFound } from '../problem.ts';
import { requireMachine, standingOf } from '../rights.ts';
import type { Me } from '../schemas.ts';
import * as routes from '../sign-in-routes.ts';

export function signInLists(parts: ApiParts) {
  const { logins, users, ledger, commit, now } = parts;
  return newApi()
    .openapi(routes.listOwnSignIns, (c) => c.json({ items: listFor(c, parts, c.var.standing.ids) }, 200))
    .openapi(routes.endOwnSignIns, (c) => {
      endFor(parts, c.var.userId, c.var.standing.ids, c.var.userId, readCookie(c, parts));
      return c.json({ items: listFor(c, parts, c.var.standing.ids) }, 200);
    })
    .openapi(routes.createPersonLink, (c) => {
      const userId = readUserId(c.req.valid('param').id);
      // A page that somebody took over would make itself an owner's sign-in that outlives it.
      if (standingOf(parts, userId, false).isOwner) requireMachine(c);
      const { name = userId.slice(userId.indexOf(':') + 1) } = c.req.valid('json');
      const { token, expiresAt } = commit(() => {
        users.ensure(userId, name, now());
        const entry = { kind: 'sign_in.offered', sessionId: null, messageId: userId, actor: c.var.userId, detail: {} };
        ledger.append(entry, now());
        return logins.create('link', userId, now());
      });
      return c.json({ url: `http://127.0.0.1:${c.env.port}/#token=${token}`, expiresAt }, 201);
    })
    .openapi(routes.listSignIns, (c) => {
      const { ids } = findPerson(parts, c.req.valid('param').id);
      return c.json({ items: listFor(c, parts, ids) }, 200);
    })
    .openapi(routes.endSignIns, (c) => {
      const { userId, ids } = findPerson(parts, c.req.valid('param').id);
      return c.json({ ended: endFor(parts, userId, ids, c.var.userId, null) }, 200);
    });
}

/** What somebody is, for themselves. */
export function presentMe({ users }: ApiParts, userId: UserId, standing: Standing, door: 'tcp' | 'unix'): Me {
  const { isOwner, isGlobalAdmin, adminOf, memberOf } = standing;
  const own = [...memberOf].sort().map((agentId) => ({
    role: adminOf.has(agentId) ? ('admin' as const) : ('member' as const),
    agentId,
  }));
  const global = isGlobalAdmin ? [{ role: isOwner ? ('owner' as const) : ('admin' as const), agentId: null }] : [];
  return {
    userId,
    name: users.get(userId)?.displayName ?? '',
    door,
    roles: [...global, ...own],
    may: {
      seeEverything: isGlobalAdmin,
      administer: isGlobalAdmin || adminOf.size > 0,
      manageAgents: isGlobalAdmin,
      managePeople: isGlobalAdmin || adminOf.size > 0,
      openChats: isGlobalAdmin || memberOf.size > 0,
    },
  };
}

/** Ends all sign-ins but one, in one commit with its entry in the ledger; how many. */
function endFor(
  { logins, ledger, feed, commit, now }: ApiParts,
  userId: UserId,
  ids: ReadonlySet<string>,
  by: UserId,
  except: string | null,
): number {
  return commit(() => {
    const ended = logins.endAllOf([...ids], except);
    feed.tellPeople([...ids] as UserId[]);
    ledger.append({ kind: 'sign_in.ended', sessionId: null, messageId: userId, actor: by, detail: { ended } }, now());
    return ended;
  });
}

function listFor(c: Context<Env>, parts: ApiParts, ids: ReadonlySet<string>): (SignIn & { isThis: boolean })[] {
  const cookie = readCookie(c, parts);
  const own = cookie === null ? null : LoginStore.nameOf(cookie);
  return parts.logins.listCookies([...ids], parts.now()).map((signIn) => ({ ...signIn, isThis: signIn.id === own }));
}

/** The cookie that this request came in with; null at the machine. */
function readCookie(c: Context<Env>, { installId }: ApiParts): string | null {
  return c.var.by === 'cookie' ? (getCookie(c, cookieName(installId)) ?? null) : null;
}

/** Throws Problem 404. */
function findPerson(parts: ApiParts, id: string): { userId: UserId; ids: ReadonlySet<string> } {
  const userId = readUserId(id);
  if (parts.users.get(userId) === null) throw notFound('person');
  return { userId, ids: standingOf(parts, userId, false).ids };
}

function readUserId(text: string): UserId {
  const userId = parseUserId(text);
  if (userId === null) throw notFound('person');
  return userId;
}
