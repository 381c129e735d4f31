/**
 * Who may come in, and through which door.
 *
 *   unix   <home>/portolan.sock, mode 0600: whoever can open it is the owner
 *   tcp    loopback: a cookie (a person's page) or the bearer token (a script)
 *
 * I1. On TCP the Host header names loopback and our port: a name that was rebound to 127.0.0.1 is refused.
 * I2. On TCP an Origin, when sent, is ours; a request that changes something by cookie must prove it is
 *     same-origin. Bearer requests need neither: a foreign page cannot know the token.
 * I3. Who a cookie is of is never in doubt: a request with two of ours is signed out.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { UserId } from '../../../shared/ids.ts';
import type { Standing } from '../../access/console.ts';
import type { LoginStore } from '../../store/logins.ts';
import { Problem } from './problem.ts';

export interface Env {
  Bindings: HttpBindings & { door: 'tcp' | 'unix'; port: number };
  Variables: {
    userId: UserId;
    by: 'unix' | 'bearer' | 'cookie';
    /** Whether the sign-in of this request holds still: for answers that last. */
    isSignedIn: () => boolean;
    /** What this person is at this moment; set by `authorise`. */
    standing: Standing;
  };
}

/** Carries the install id: another install on another port has other cookies. */
export function cookieName(installId: string): string {
  return `portolan_${installId}`;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** I1 and I2; for every path, before anything else looks at the request. */
export const guardDoor: MiddlewareHandler<Env> = async (c, next) => {
  if (c.env.door === 'tcp') {
    const port = c.env.port;
    if (!isOwnAuthority(c.req.header('host') ?? '', port)) {
      throw new Problem(403, 'foreign_host', 'This address is not the host’s own.', {
        expected: `http://127.0.0.1:${port}`,
      });
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && !isOwnOrigin(origin, port)) {
      throw new Problem(403, 'foreign_origin', 'Another site may not use this host.');
    }
    if (!comesFromHere(c)) throw new Problem(403, 'foreign_origin', 'Another site may not use this host.');
  }
  await next();
};

/**
 * Sec-Fetch-Site, where the browser sends it: another port of this machine is "same-site", and a cookie
 * goes there. Following a link to the page itself is the one thing that another site may cause.
 */
function comesFromHere(c: Context<Env>): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  return c.req.header('sec-fetch-mode') === 'navigate' && c.req.method === 'GET' && !c.req.path.startsWith('/api/');
}

function isOwnAuthority(authority: string, port: number): boolean {
  const match = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (match === null) return false;
  return LOOPBACK.has((match[1] ?? '').toLowerCase()) && Number(match[2] ?? 80) === port;
}

function isOwnOrigin(origin: string, port: number): boolean {
  const match = /^http:\/\/(.+)$/i.exec(origin);
  return match !== null && isOwnAuthority(match[1] ?? '', port);
}

export interface Keys {
  logins: LoginStore;
  installId: string;
  /** Of scripts over TCP. */
  bearerToken: string;
  owner: UserId;
  now: () => number;
}

/** Says who it is, or answers 401. */
export function authenticate(keys: Keys): MiddlewareHandler<Env> {
  return async (c, next) => {
    const known = identify(c, keys);
    if (known === null) {
      throw new Problem(401, 'signed_out', 'You are not signed in.', {
        expected: 'the cookie of a sign-in, or the header "Authorization: Bearer <api-token>"',
        next: 'npx portolan url',
      });
    }
    if (known.by === 'cookie' && !SAFE_METHODS.has(c.req.method) && !provesSameOrigin(c)) {
      throw new Problem(403, 'foreign_origin', 'The request does not say that it comes from this host’s own page.');
    }
    c.set('userId', known.userId);
    c.set('by', known.by);
    c.set('isSignedIn', known.isSignedIn);
    await next();
  };
}

type Known = Pick<Env['Variables'], 'userId' | 'by' | 'isSignedIn'>;

function identify(c: Context<Env>, keys: Keys): Known | null {
  const machine = { userId: keys.owner, isSignedIn: () => true };
  if (c.env.door === 'unix') return { ...machine, by: 'unix' };
  const authorization = c.req.header('authorization');
  if (authorization !== undefined) {
    const token = /^Bearer (\S{1,256})$/.exec(authorization)?.[1] ?? '';
    return sameSecret(token, keys.bearerToken) ? { ...machine, by: 'bearer' } : null;
  }
  const cookie = readOwnCookie(c, cookieName(keys.installId));
  const userId = cookie === null ? null : keys.logins.findCookie(cookie, keys.now());
  if (cookie === null || userId === null) return null;
  return { userId, by: 'cookie', isSignedIn: () => keys.logins.findCookie(cookie, keys.now()) !== null };
}

/**
 * I3. Two cookies of this name: another program of this machine set one of them, for a path of ours, and would have
 * a person act as somebody else without a sign of it. Then nobody is signed in.
 */
function readOwnCookie(c: Context<Env>, name: string): string | null {
  const values = (c.req.header('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  if (values.length > 1) return null;
  return getCookie(c, name) ?? null;
}

function provesSameOrigin(c: Context<Env>): boolean {
  // Its value was checked at the door; a form of another site always sends one of the two.
  return c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') === 'same-origin';
}

/** Compares in constant time, whatever the lengths. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Failed sign-ins, together: 10 at once, then one per 6 s. Tokens have 256 bits; this is against noise. */
export class SignInLimit {
  #credits = 10;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  allows(now: number): boolean {
    this.#credits = Math.min(10, this.#credits + (now - this.#at) / 6_000);
    this.#at = now;
    return this.#credits >= 1;
  }

  fail(): void {
    this.#credits -= 1;
  }
}
