import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { BEARER, startApi } from '../../support/api-server.ts';

describe('bad input', () => {
  it('is answered with what was expected, and changes nothing', async () => {
    const api = await startApi();
    const session = api.openSession();
    const cases: [string, string, unknown, number, string][] = [
      ['POST', '/agents', {}, 400, 'name'],
      ['POST', '/agents', { name: '' }, 400, 'name'],
      ['POST', '/agents', { name: 'a\nb' }, 400, 'control'],
      ['POST', '/agents', { name: 'x', nmae: 'y' }, 400, 'nmae'],
      ['POST', '/agents', { name: 'x', isAdmin: 'yes' }, 400, 'isAdmin'],
      ['POST', '/agents', { name: 'x', folder: '../../evil' }, 400, 'folder'],
      ['POST', '/agents', { name: 'x', instructions: 'x'.repeat(70_000) }, 400, 'instructions'],
      ['GET', '/refusals?cursor=x', undefined, 400, 'nextCursor'],
      ['POST', '/agents', { name: 'x', timezone: 'Mars/Olympus' }, 400, 'time zone'],
      ['POST', '/agents', { name: 'x', provider: '../x' }, 400, 'provider'],
      ['POST', '/agents', [], 400, 'object'],
      ['POST', '/agents', null, 400, 'object'],
      ['POST', '/sessions', { agentId: 'main' }, 400, 'agt_'],
      ['POST', `/sessions/${session.id}/messages`, { text: '' }, 400, 'text'],
      ['POST', `/sessions/${session.id}/messages`, { text: 7 }, 400, 'text'],
      ['POST', `/sessions/${session.id}/messages`, { text: 'x', clientId: 'short' }, 400, 'clientId'],
      ['POST', `/sessions/${session.id}/messages`, { text: 'é'.repeat(33_000) }, 400, '65536 bytes'],
      ['PUT', `/sessions/${session.id}/read`, { position: -1 }, 400, 'position'],
      ['GET', '/sessions?limit=0', undefined, 400, 'limit'],
      ['GET', '/sessions?limit=201', undefined, 400, 'limit'],
      ['GET', '/sessions?limit=1e3', undefined, 400, 'whole number'],
      ['GET', '/sessions?state=dead', undefined, 400, 'state'],
      ['GET', '/sessions?agnet=x', undefined, 400, 'agnet'],
      ['GET', '/sessions?cursor=%27%20OR%201', undefined, 400, 'nextCursor'],
      ['GET', '/sessions?cursor=abc', undefined, 400, 'nextCursor'],
      ['GET', `/sessions/${session.id}/messages?before=1&after=2`, undefined, 400, 'not both'],
      ['GET', '/sessions/nonsense', undefined, 400, 'ses_'],
      ['GET', '/events?after=x', undefined, 400, 'whole number'],
      ['GET', '/dropped?cursor=x', undefined, 400, 'nextCursor'],
    ];
    const before = api.spine.db.prepare('SELECT total_changes() AS n').get();
    for (const [method, path, json, status, expected] of cases) {
      const answer = await api.call(path, { method, ...(json === undefined ? {} : { json }) });
      expect([method, path, json, answer.status]).toEqual([method, path, json, status]);
      expect(answer.json.error.expected, `${method} ${path}`).toContain(expected);
    }
    expect(api.spine.db.prepare('SELECT total_changes() AS n').get()).toEqual(before);
  });

  it('tells a lone surrogate from text', async () => {
    const api = await startApi();
    const answer = await api.call(`/sessions/${api.openSession().id}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"\\ud800"}',
    });
    expect([answer.status, answer.json.error.expected]).toEqual([400, expect.stringContaining('Unicode')]);
  });

  it('refuses bodies that are not JSON, of another type, too deep or too large', async () => {
    const api = await startApi();
    const post = (body: string, type: string | null = 'application/json') =>
      api.call('/agents', { method: 'POST', body, headers: type === null ? {} : { 'content-type': type } });
    const cases: [string, string | null, number, string][] = [
      ['{', 'application/json', 400, 'bad_json'],
      ['', 'application/json', 400, 'bad_json'],
      ['name=x', 'application/x-www-form-urlencoded', 415, 'wrong_content_type'],
      ['{"name":"x"}', 'text/plain', 415, 'wrong_content_type'],
      ['{"name":"x"}', null, 415, 'wrong_content_type'],
      ['--x--', 'multipart/form-data; boundary=x', 415, 'wrong_content_type'],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'application/json', 400, 'bad_json'],
      [`{"name":"${'x'.repeat(600_000)}"}`, 'application/json', 413, 'too_large'],
    ];
    for (const [body, type, status, code] of cases) {
      const answer = await post(body, type);
      expect([body.slice(0, 20), type, answer.status, answer.json.error.code]).toEqual([
        body.slice(0, 20),
        type,
        status,
        code,
      ]);
    }
  });

  it('refuses a large body that does not say its length', async () => {
    const api = await startApi();
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      `POST /api/v1/agents HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\nAuthorization: Bearer ${BEARER}\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    const answer = new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(data.toString()));
      // The host may cut the connection while more is on its way.
      socket.on('error', () => resolve('cut'));
    });
    for (let at = 0; at < 12; at++) socket.write(chunk);
    expect(await answer).toMatch(/^HTTP\/1\.1 413/);
    socket.destroy();
  });

  it.each([
    ['a body in chunks', 'POST', 'Transfer-Encoding: chunked\r\n\r\n11\r\n{"name":"chunky"}\r\n0\r\n\r\n', 201],
    ['a removal that names a type and has no body', 'DELETE', '\r\n', 428],
  ])('takes %s', async (_what, method, rest, status) => {
    const api = await startApi();
    const path = method === 'POST' ? '/agents' : `/agents/${api.openSession().agentGroupId}`;
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      `${method} /api/v1${path} HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\nAuthorization: Bearer ${BEARER}\r\n` +
        `Content-Type: application/json\r\n${rest}`,
    );
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
    socket.destroy();
  });

  it('says of an unknown address that it is unknown', async () => {
    const api = await startApi();
    for (const path of ['/nothing', '/sessions/x/y/z', '//api/v2/status', '//api/v1', '//api']) {
      const answer = await api.call(path);
      expect([path, answer.status, answer.headers['content-type']]).toEqual([
        path,
        404,
        expect.stringContaining('json'),
      ]);
    }
  });

  it('does not repeat what it was sent in headers', async () => {
    const api = await startApi();
    const answer = await api.call(`/messages/msg_00000000000000000000/files/a%0d%0aSet-Cookie:%20x=1`);
    expect([answer.status, answer.headers['set-cookie']]).toEqual([404, undefined]);
  });

  it('keeps to itself why it failed', async () => {
    const api = await startApi();
    api.parts.status = () => Promise.reject(new Error('secret of the inside'));
    const answer = await api.call('/status');
    expect([answer.status, answer.text.includes('secret')]).toEqual([500, false]);
  });
});
