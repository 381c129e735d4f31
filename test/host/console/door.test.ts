import { lstatSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { UnderWay } from '../../../host/config/under-way.ts';
import { COOKIE_LIFE_MS, LINK_LIFE_MS } from '../../../host/store/logins.ts';
import { type ApiFixture, BEARER, OWNER, startApi } from '../../support/api-server.ts';

function signIn(api: ApiFixture, token: string, headers: Record<string, string> = {}) {
  return api.call('/login', { method: 'POST', json: { token }, as: 'nobody', headers });
}

function makeLink(api: ApiFixture): string {
  return api.logins.create('link', OWNER, api.spine.now()).token;
}

describe('the TCP door', () => {
  it('answers 401 to strangers on every route, whether the thing exists or not', async () => {
    const api = await startApi();
    const session = api.openSession();
    const { paths } = (await api.call('/openapi.json')).json;
    let tried = 0;
    for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
      if (path === '/login') continue;
      for (const method of Object.keys(methods)) {
        for (const id of [session.id, 'ses_00000000000000000000']) {
          const answer = await api.call(path.replace('{id}', id).replace('{name}', 'x'), {
            method: method.toUpperCase(),
            as: 'nobody',
            ...(method === 'get' ? {} : { json: {} }),
          });
          expect([method, path, answer.status, answer.json?.error.code]).toEqual([method, path, 401, 'signed_out']);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(60);
  });

  it('refuses a name that was rebound to this machine, on every address', async () => {
    const api = await startApi();
    const hosts = ['evil.example', `evil.example:${api.port}`, `127.0.0.1.evil.example:${api.port}`, '127.0.0.1:1'];
    hosts.push('127.0.0.1', `localhost@evil.example:${api.port}`, `0.0.0.0:${api.port}`, `127.0.0.1:${api.port}0`);
    for (const host of hosts) {
      for (const path of ['/status', '//', '//healthz', '//metrics', '/login']) {
        const answer = await api.call(path, { headers: { host, cookie: api.makeCookie() } });
        expect([host, path, answer.status]).toEqual([host, path, expect.toSatisfy((s) => s === 403 || s === 400)]);
      }
    }
    for (const host of [
      `127.0.0.1:${api.port}`,
      `localhost:${api.port}`,
      `LOCALHOST:${api.port}`,
      `[::1]:${api.port}`,
    ]) {
      expect((await api.call('/status', { headers: { host } })).status).toBe(200);
    }
  });

  it('refuses what another site sends with the cookie', async () => {
    const api = await startApi();
    const cookie = api.makeCookie();
    const post = (headers: Record<string, string>) =>
      api.call('/agents', { method: 'POST', json: { name: 'x' }, as: 'nobody', headers: { cookie, ...headers } });
    const refused: Record<string, string>[] = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${api.port + 1}` },
      { origin: `https://127.0.0.1:${api.port}` },
      { origin: `http://127.0.0.1:${api.port}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: `http://127.0.0.1:${api.port}`, 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of refused) {
      const answer = await post(headers);
      expect([headers, answer.status, answer.json.error.code]).toEqual([headers, 403, 'foreign_origin']);
    }
    expect((await post({ origin: `http://127.0.0.1:${api.port}` })).status).toBe(201);
    expect(api.spine.agents.list(10)).toHaveLength(2);
  });

  it('lets no other port of this machine read with the cookie', async () => {
    const api = await startApi();
    const headers = { cookie: api.makeCookie(), 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' };
    expect((await api.call('/sessions', { as: 'nobody', headers })).status).toBe(403);
    const { 'cross-origin-resource-policy': policy, 'x-content-type-options': sniff } = (await api.call('/me')).headers;
    expect([policy, sniff]).toEqual(['same-origin', 'nosniff']);
  });

  it('opens the page from a link anywhere, and nothing else', async () => {
    const api = await startApi();
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    // 503: this test has no built page.
    expect((await api.call('//', { as: 'nobody', headers })).status).toBe(503);
    expect((await api.call('/status', { headers })).status).toBe(403);
  });

  it('sends no header that lets other sites read', async () => {
    const api = await startApi();
    const answer = await api.call('/status', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST' },
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect((await api.call('/status')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('refuses cookies that are missing, forged, expired, or of another install', async () => {
    const api = await startApi();
    const other = api.logins.create('cookie', OWNER, api.spine.now()).token;
    const link = makeLink(api);
    const cookies = [
      `${api.cookieName}=`,
      `${api.cookieName}=${'A'.repeat(43)}`,
      `${api.cookieName}=${link}`,
      `portolan_ins_00000000000000000000=${other}`,
      `portolan=${other}`,
    ];
    for (const cookie of cookies) {
      expect([cookie, (await api.call('/me', { as: 'nobody', headers: { cookie } })).status]).toEqual([cookie, 401]);
    }
    const cookie = api.makeCookie();
    const later = Date.now() + COOKIE_LIFE_MS + 1;
    expect((await api.call('/me', { as: 'nobody', headers: { cookie } })).json).toMatchObject({
      userId: OWNER,
      door: 'tcp',
    });
    api.spine.now = () => later;
    expect((await api.call('/me', { as: 'nobody', headers: { cookie } })).status).toBe(401);
  });

  it('refuses wrong bearer tokens, and does not fall back to the cookie beside them', async () => {
    const api = await startApi();
    const cookie = api.makeCookie();
    for (const authorization of [`Bearer ${BEARER}x`, 'Bearer ', `Basic ${BEARER}`, BEARER, `bearer: ${BEARER}`]) {
      const answer = await api.call('/me', { as: 'nobody', headers: { authorization, cookie } });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
    }
  });
});

describe('signing in', () => {
  it('trades a link for a cookie that scripts of the page cannot read', async () => {
    const api = await startApi();
    const answer = await signIn(api, makeLink(api), { origin: api.origin });
    expect(answer.status).toBe(200);
    const header = answer.headers['set-cookie']?.[0] ?? '';
    expect(header).toContain(`${api.cookieName}=`);
    for (const flag of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(header).toContain(flag);
    expect(header).not.toContain('Domain');
    const cookie = header.split(';')[0] ?? '';
    expect((await api.call('/me', { as: 'nobody', headers: { cookie } })).status).toBe(200);
  });

  it('takes a link once, also when it is tried many times at once', async () => {
    const api = await startApi();
    const token = makeLink(api);
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn(api, token)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401, 401]);
    expect((await signIn(api, token)).json.error.code).toBe('bad_token');
  });

  it('refuses an expired link, and says how to get another', async () => {
    const api = await startApi();
    const token = makeLink(api);
    const later = Date.now() + LINK_LIFE_MS + 1;
    api.spine.now = () => later;
    const answer = await signIn(api, token);
    expect([answer.status, answer.json.error.next]).toEqual([401, 'npx portolan url']);
  });

  it('does not take a cookie as a link', async () => {
    const api = await startApi();
    const token = api.logins.create('cookie', OWNER, api.spine.now()).token;
    expect((await signIn(api, token)).status).toBe(401);
  });

  it('slows down failed sign-ins, yet locks nobody out who has a good link', async () => {
    const api = await startApi();
    const now = Date.now();
    api.spine.now = () => now;
    const statuses: number[] = [];
    for (let at = 0; at < 12; at++) statuses.push((await signIn(api, `guess-${at}`)).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    expect((await signIn(api, makeLink(api))).status).toBe(200);
    api.spine.now = () => now + 6_000;
    expect((await signIn(api, 'guess')).status).toBe(401);
  });

  it('refuses a sign-in that another site sends', async () => {
    const api = await startApi();
    const token = makeLink(api);
    expect((await signIn(api, token, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await signIn(api, token)).status).toBe(200);
  });

  it('ends the sign-in at log-out', async () => {
    const api = await startApi();
    const headers = { cookie: api.makeCookie(), origin: api.origin };
    const answer = await api.call('/logout', { method: 'POST', as: 'nobody', headers });
    expect([answer.status, answer.headers['set-cookie']?.[0]]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await api.call('/me', { as: 'nobody', headers })).status).toBe(401);
  });

  it('keeps only hashes of links and cookies', async () => {
    const api = await startApi();
    const token = makeLink(api);
    const cookie = api.makeCookie().split('=')[1];
    const rows = JSON.stringify(api.spine.db.prepare('SELECT * FROM logins').all());
    expect(rows).not.toContain(token);
    expect(rows).not.toContain(cookie);
  });

  it('makes links for the command line and scripts, never for a page', async () => {
    const api = await startApi();
    const made = await api.call('/sign-in-links', { method: 'POST', door: 'unix' });
    expect(made.json.url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${api.port}/#token=[\\w-]{43}$`));
    const token = made.json.url.split('=')[1];
    expect((await signIn(api, token)).status).toBe(200);
    const headers = { cookie: api.makeCookie(), origin: api.origin };
    expect((await api.call('/sign-in-links', { method: 'POST', as: 'nobody', headers })).status).toBe(403);
    expect((await api.call('/sign-in-links', { method: 'POST' })).status).toBe(201);
  });
});

describe('the Unix socket', () => {
  it('is open to its owner alone, who needs no token there', async () => {
    const api = await startApi();
    const stats = lstatSync(api.spine.home.socket);
    expect([stats.isSocket(), (stats.mode & 0o777).toString(8)]).toEqual([true, '600']);
    expect((await api.call('/me', { door: 'unix' })).json).toMatchObject({ userId: OWNER, door: 'unix' });
  });

  it('replaces the socket that a host which died left behind', async () => {
    const api = await startApi();
    const { startServer } = await import('../../../host/console/api/server.ts');
    // The path is taken over; the old server's file is gone, as after a crash.
    const second = await startServer(api.parts, {
      port: 0,
      socketPath: api.spine.home.socket,
      bearerToken: BEARER,
      requests: new UnderWay(),
    });
    try {
      expect((await api.call('/me', { door: 'unix' })).status).toBe(200);
    } finally {
      await second[Symbol.asyncDispose]();
    }
  });

  it('stops the host for its owner, after the answer, and never for a page', async () => {
    const api = await startApi();
    const headers = { cookie: api.makeCookie(), origin: api.origin };
    expect((await api.call('/shutdown', { method: 'POST', as: 'nobody', headers })).status).toBe(403);
    expect(api.shutdowns).toBe(0);
    expect((await api.call('/shutdown', { method: 'POST', door: 'unix' })).status).toBe(202);
    expect(api.shutdowns).toBe(1);
  });
});

describe('the server', () => {
  it('names the fault when its port is taken', async () => {
    const api = await startApi();
    const { startServer } = await import('../../../host/console/api/server.ts');
    const options = {
      port: api.port,
      socketPath: `${api.spine.home.socket}2`,
      bearerToken: BEARER,
      requests: new UnderWay(),
    };
    await expect(startServer(api.parts, options)).rejects.toMatchObject({ code: 'port_in_use' });
  });

  it('closes its TCP door when the socket cannot be opened', async () => {
    const api = await startApi();
    const { startServer } = await import('../../../host/console/api/server.ts');
    const options = {
      port: 0,
      socketPath: `${api.spine.home.home}/missing/x.sock`,
      bearerToken: BEARER,
      requests: new UnderWay(),
    };
    await expect(startServer(api.parts, options)).rejects.toMatchObject({ code: 'socket_unusable' });
  });

  it('leaves a request whose caller was cut off to whoever closes what it writes to', async () => {
    const api = await startApi();
    let goOn: () => void = () => undefined;
    const asked = new Promise<void>((isAsked) => {
      const { status } = api.parts;
      api.parts.status = async () => {
        isAsked();
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        order.push('answered');
        return status();
      };
    });
    const order: string[] = [];
    const cut = expect(api.call('/status')).rejects.toThrow();
    await asked;
    const stopping = api.stop().then(() => order.push('stopped'));
    await cut;
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    goOn();
    await stopping;
    expect(order).toEqual(['answered', 'stopped']);
  });

  it('listens on loopback alone', async () => {
    const api = await startApi();
    const outside = Object.values((await import('node:os')).networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => !address.internal && address.family === 'IPv4');
    for (const { address } of outside) {
      const refused = new Promise((resolve) => {
        httpRequest({ host: address, port: api.port, path: '/healthz' }, () => resolve('answered'))
          .on('error', (error) => resolve('code' in error ? error.code : 'failed'))
          .end();
      });
      expect(await refused).toBe('ECONNREFUSED');
    }
  });

  it('answers the probes without a sign-in', async () => {
    const api = await startApi();
    expect((await api.call('//healthz', { as: 'nobody' })).text).toBe('ok\n');
    expect((await api.call('//readyz', { as: 'nobody' })).json).toEqual({ ok: true, reason: null });
    expect((await api.call('//metrics', { as: 'nobody' })).text).toContain('# no metrics');
  });
});
