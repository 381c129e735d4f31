/** `portolan access` and `portolan egress` against the real API. */
import { describe, expect, it } from 'vitest';
import type { NewEgressEntry } from '../../../host/store/egress-log.ts';
import { makeId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';
import { portolan } from './support/run.ts';

const GITHUB = { name: 'github', baseUrl: new URL('https://api.github.com'), isModel: false, isPrivate: false };

function entry(api: ApiFixture, more: Partial<NewEgressEntry> = {}): NewEgressEntry {
  return {
    ...{ at: Date.now(), agentGroupId: api.agent.id, sessionId: makeId('session'), kind: 'https', method: 'GET' },
    ...{ host: 'api.example.com', port: 443, path: '/v1', address: '203.0.113.7', outcome: 'allowed', status: 200 },
    ...{ reason: null, rule: null, bytesOut: 24, bytesIn: 2_024, durationMs: 5, repeats: 1 },
    ...more,
  };
}

async function add(api: ApiFixture, ...entries: Partial<NewEgressEntry>[]): Promise<void> {
  const before = api.egressLog.page({}, 1_000).length;
  for (const one of entries) api.egressTail.add(entry(api, one));
  await until('the rows are written', () => api.egressLog.page({}, 1_000).length === before + entries.length);
}

describe('portolan access', () => {
  it('says what to type while nothing is allowed; then lists, takes back, and says how to undo each', async () => {
    const api = await startApi();
    const run = (...words: string[]) => portolan(api.spine.home, ['access', ...words], { columns: 80 });
    expect((await run('list', 'main')).out).toContain(
      'main may reach nothing outside but the model of its config. Let it out: ',
    );
    expect((await run()).out).toContain('access allow <agent> api.example.com');
    const made = await run('allow', 'main', 'api.example.com', '--method', 'get', 'HEAD', '--path', '/v1');
    expect(made).toMatchObject({ code: 0 });
    expect(made.out).toContain('main may reach https://api.example.com, now: GET HEAD under /v1.');
    expect(made.out).toContain('$HTTP_PROXY/https/api.example.com/…');
    const undo = /To undo: .*(access remove main (rul_\w+))/.exec(made.out);
    expect(undo?.[1]).toBeDefined();
    const listed = await run('list', 'main');
    expect(listed.out).toMatch(/PLACE +MAY +BY +SINCE +ID\nhttps:\/\/api\.example\.com +GET HEAD under \/v1 +Owner/);
    for (const line of listed.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await run()).out).toMatch(/AGENT +PLACE/);
    const gone = await run('remove', 'main', 'api.example.com');
    expect(gone.out).toMatch(/To undo: .*access allow main api\.example\.com --method GET HEAD --path \/v1/);
    expect(api.spine.access.list(api.agent.id)).toEqual([]);
  });

  it('says of a service without a secret what is missing, and of one with none', async () => {
    const api = await startApi();
    api.spine.namedServices.set('github', GITHUB);
    const allow = (...more: string[]) => portolan(api.spine.home, ['access', 'allow', 'main', 'github', ...more]);
    expect((await allow('--method', 'GET')).out).toMatch(/has no secret yet. Next, type:\n.*secrets set github/);
    await portolan(api.spine.home, ['secrets', 'set', 'github'], { stdin: 'ghp-1' });
    expect((await allow()).out).not.toContain('no secret');
  });

  it('names the methods that there are to who types another', async () => {
    const api = await startApi();
    const run = await portolan(api.spine.home, ['access', 'allow', 'main', 'api.example.com', '--method', 'FETCH']);
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('“FETCH” is no method.') });
    expect(run.err).toContain('expected: of GET, HEAD, POST');
    expect(run.err).toContain('access allow main api.example.com --method GET');
  });

  it('takes hosts with ports, services, wildcards, and what is private with --private', async () => {
    const api = await startApi();
    api.spine.namedServices.set('github', GITHUB);
    const run = (...words: string[]) => portolan(api.spine.home, ['access', ...words]);
    for (const words of [
      ['*.example.com:8443'],
      ['github', '--method', 'GET'],
      ['nas:8080', '--private'],
      ['[fd00::7]:8080', '--private', '--reason', 'the shelf'],
    ]) {
      expect(await run('allow', 'main', ...words)).toMatchObject({ code: 0 });
    }
    expect(api.spine.access.list(api.agent.id)).toMatchObject([
      { host: '*.example.com', port: 8443 },
      { service: 'github', methods: ['GET'] },
      { host: 'nas', port: 8080, isPrivate: true },
      { host: 'fd00::7', port: 8080, isPrivate: true, reason: 'the shelf' },
    ]);
    const undo = (await run('remove', 'main', 'fd00::7')).out;
    expect(undo).toMatch(/access allow main '?\[fd00::7\]:8080'? --private/);
    expect((await run('remove', 'main', 'github')).out).toContain('access allow main github --method GET');
    expect(JSON.parse((await run('list', '--json')).out).items).toHaveLength(2);
  });

  it('says what was wrong, what was expected and what to type next', async () => {
    const api = await startApi();
    const run = (...words: string[]) => portolan(api.spine.home, ['access', ...words]);
    const url = await run('allow', 'main', 'https://api.example.com/v1');
    expect(url).toMatchObject({
      code: 2,
      err: expect.stringContaining('access allow main api.example.com --path /v1'),
    });
    expect(await run('allow', 'main', '*.co.uk')).toMatchObject({
      code: 5,
      err: expect.stringContaining('others register'),
    });
    expect(await run('allow', 'main', 'nas:80')).toMatchObject({ code: 5, err: expect.stringContaining('--private') });
    await run('allow', 'main', 'api.example.com', '--method', 'GET');
    expect(await run('allow', 'main', 'api.example.com', '--method', 'GET')).toMatchObject({ code: 5 });
    expect(await run('remove', 'main', 'other.example.com')).toMatchObject({
      code: 4,
      err: expect.stringContaining('access list main'),
    });
    await run('allow', 'main', 'api.example.com', '--method', 'POST');
    expect(await run('remove', 'main', 'api.example.com')).toMatchObject({
      code: 2,
      err: expect.stringContaining('has 2 rules'),
    });
  });
});

describe('portolan egress', () => {
  it('lists what was asked of the outside in 80 columns, newest first, and filters', async () => {
    const api = await startApi();
    const run = (...words: string[]) => portolan(api.spine.home, ['egress', ...words], { columns: 80 });
    expect((await run()).out).toContain('No agent asked anything of the outside. What they may reach: ');
    await add(
      api,
      { path: `/v1/${'long/'.repeat(40)}` },
      {
        outcome: 'refused',
        status: 403,
        reason: 'not_allowed',
        host: '169.254.169.254',
        port: 80,
        kind: 'http',
        path: '/',
      },
      { kind: 'connect', method: 'CONNECT', host: 'git.example.com', port: 22, path: '', status: null },
      { kind: 'model', method: 'POST', host: 'api.anthropic.com', path: '/v1/messages', rule: 'anthropic' },
    );
    const lines = (await run('list')).out.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^WHEN +AGENT +OUTCOME +BYTES +WHAT/);
    expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d +main +200 +2\.0 KiB +POST https:\/\/api\.anthropic\.com/);
    expect(lines[2]).toMatch(/ok +2\.0 KiB +CONNECT git\.example\.com:22$/);
    expect(lines[3]).toMatch(/not_allowed .*GET http:\/\/169\.254\.169\.254\//);
    expect((await run('list', '--refused')).out.trimEnd().split('\n')).toHaveLength(2);
    expect((await run('list', '--agent', 'main', '--search', 'GIT.example')).out).toContain('CONNECT');
    expect((await run('list', '--failed')).out).toContain('Nothing such is on record.');
    expect((await run('list', '--failed', '--refused')).code).toBe(2);
    expect((await run('list', '--agent', 'nobody')).code).toBe(4);
    const json = JSON.parse((await run('list', '--json', '--limit', '1')).out);
    expect(json).toMatchObject({ items: [{ kind: 'model' }], nextCursor: expect.any(String) });
  });

  it('claims no TLS for a service on a port that does not tell', async () => {
    const api = await startApi();
    const model = { kind: 'model', method: 'POST', rule: 'ollama', path: '/v1/chat/completions' } as const;
    await add(api, { ...model, host: '127.0.0.1', port: 11_434 }, { ...model, host: 'nas.lan', port: 80 });
    await add(api, { ...model, kind: 'service', host: '', port: 0, path: '/service/gitlab/user', rule: null });
    const { out } = await portolan(api.spine.home, ['egress']);
    // Of no service that it has: what it asked for is all there is to say.
    expect(out).toContain('POST /service/gitlab/user');
    expect(out).toContain('POST 127.0.0.1:11434/v1/chat/completions (model ollama)');
    expect(out).toContain('POST http://nas.lan/v1/chat/completions (model ollama)');
  });

  it('prints times in the zone of who looks', async () => {
    const api = await startApi();
    const today = new Date();
    const at = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 5, 3, 4, 5);
    await add(api, { at: at.getTime() });
    const [, day] = /(\d{4}-\d\d-\d\d) 03:04:05/.exec((await portolan(api.spine.home, ['egress'])).out) ?? [];
    expect(day?.slice(-2)).toBe(String(at.getDate()).padStart(2, '0'));
  });

  it('shows the last ones, and goes on as they come, also when the host was away', async () => {
    const api = await startApi();
    await add(api, { path: '/1' }, { path: '/2' }, { path: '/3' });
    const tail = await portolan(api.spine.home, ['egress', 'tail', '-n', '2'], { columns: 80 });
    expect(
      tail.out
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(-2)),
    ).toEqual(['/2', '/3']);
    const stop = new AbortController();
    let steps = 0;
    const onOut = (out: string): void => {
      if (steps === 0 && out.includes('/3')) {
        steps = 1;
        api.egressTail.add(entry(api, { path: '/4' }));
      } else if (steps === 1 && out.includes('/4')) {
        steps = 2;
        stop.abort();
      }
    };
    const words = ['egress', 'tail', '-n', '1', '--follow', '--json'];
    const followed = await portolan(api.spine.home, words, { onOut, interrupted: stop.signal });
    const paths = followed.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).path);
    expect([followed.code, paths]).toEqual([0, ['/3', '/4']]);
  });

  it('shows nothing that steers a terminal', async () => {
    const api = await startApi();
    await add(api, { path: `/${String.fromCharCode(27)}]0;owned${String.fromCharCode(7)}\n/second` });
    const shown = (await portolan(api.spine.home, ['egress', 'tail'])).out;
    expect(shown.trimEnd().split('\n')).toHaveLength(1);
    expect(shown).not.toContain(String.fromCharCode(27));
  });
});
