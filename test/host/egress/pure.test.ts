import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inboundHeaders, outboundHeaders } from '../../../host/egress/headers.ts';
import { climbs, isBelow, isPlainPath } from '../../../host/egress/paths.ts';
import { planRequest } from '../../../host/egress/plan.ts';
import { Redactor, redactText, secretsOf } from '../../../host/egress/redact.ts';
import { type Head, parseHead } from '../../../host/egress/target.ts';
import type { AccessRule } from '../../../host/store/access-rules.ts';
import { makeId } from '../../../shared/ids.ts';

describe('a secret in what comes back', () => {
  const secret = 'sk-abcabcabd';

  test('is found however the answer is cut, and nothing else is changed', () => {
    const piece = fc.constantFrom(secret, 'sk-abc', 'abcabd', 's', 'sk-', 'sk-abcabcab', 'x', '"');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(40), { maxLength: 40 }), (pieces, cuts) => {
        const text = pieces.join('');
        const redactor = new Redactor([secret]);
        let out = '';
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          const chunk = text.slice(at, at + cut);
          at += cut;
          const before = out.length;
          out += redactor.push(Buffer.from(chunk)).toString();
          expect(out.length).toBeGreaterThanOrEqual(before);
          // Less than its length is held back.
          expect(Math.min(at, text.length) - out.length).toBeLessThan(secret.length);
        }
        out += redactor.end().toString();
        expect(out).toBe(text.replaceAll(secret, '*'.repeat(secret.length)));
      }),
    );
  });

  test('holds nothing back that cannot begin it', () => {
    const redactor = new Redactor([secret]);
    expect(redactor.push(Buffer.from('data: hello\n\n')).toString()).toBe('data: hello\n\n');
    expect(redactor.push(Buffer.from('more s')).toString()).toBe('more ');
    expect(redactor.push(Buffer.from('o')).toString()).toBe('so');
  });

  test('is found as it is sent, as it was set, and in the forms of echoes', () => {
    const basic = Buffer.from('x-access-token:ghp_secret/1').toString('base64');
    const found = secretsOf(`Basic ${basic}`, 'Basic {base64:x-access-token:}');
    for (const form of [basic, 'ghp_secret/1', 'ghp_secret%2F1', 'ghp_secret\\/1']) expect(found).toContain(form);
    expect(secretsOf('Bearer abc-def', 'Bearer {}')).toContain('abc-def');
    expect(redactText('Bearer abc-def!', secretsOf('Bearer abc-def', 'Bearer {}'))).toBe(`${'*'.repeat(14)}!`);
  });
});

describe('headers', () => {
  test('no credential from inside goes out, whatever it is called or said of the connection', () => {
    const name = fc.constantFrom(
      'Authorization',
      'X-API-Key',
      'api-key',
      'Cookie',
      'x-goog-api-key',
      'X-Auth-Token',
      'PRIVATE-TOKEN',
      'X_Api_Key',
      'Auth_Token',
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), fc.boolean(), (names, isService) => {
        const raw = ['Host', 'x', 'Connection', 'authorization, keep-alive', ...names.flatMap((one) => [one, 'mine'])];
        const credential = { name: 'x-api-key', value: 'theirs' };
        const headers = outboundHeaders({ raw, host: 'a.test', credential, isService });
        expect(JSON.stringify(headers)).not.toContain('mine');
        expect(headers).toMatchObject({ host: 'a.test', 'x-api-key': 'theirs' });
      }),
    );
  });

  test('nothing makes a server take another method or place, with "_" for "-" neither', () => {
    const names = ['X_HTTP_Method_Override', 'x-http-method', 'X_Forwarded_Host', 'x_original-url', 'HOST', 'X_Key'];
    const raw = [...names, 'x_note'].flatMap((one) => [one, 'theirs']);
    const head = { raw, host: 'a.test', credential: null, credentialHeader: 'x-key', isService: true };
    const { 'accept-encoding': _, ...headers } = outboundHeaders(head);
    expect(headers).toEqual({ host: 'a.test', x_note: 'theirs' });
  });

  test('several of one name stay several, and a length is not dropped by a Connection header', () => {
    const raw = ['Accept', 'a', 'accept', 'b', 'Connection', 'content-length', 'Content-Length', '5'];
    const headers = outboundHeaders({ raw, host: 'a.test', credential: null, isService: false });
    expect(headers).toEqual({ host: 'a.test', accept: ['a', 'b'], 'content-length': '5' });
    expect(inboundHeaders(['X-A', '1', 'x-a', '2', 'Keep-Alive', '3'], false, (text) => text)).toEqual([
      'X-A',
      '1',
      'x-a',
      '2',
    ]);
  });
});

describe('paths', () => {
  test.each([
    '/..',
    '/a/../b',
    '/./a',
    '/%2e%2e',
    '/.%2E/',
    '/..%2f',
    '/..\\x',
    '/..%5c',
    '/..;x/',
    '/%252e%252e%252f',
    '/%25252e./',
  ])('%s climbs', (path) => {
    expect(climbs(path)).toBe(true);
    expect(isPlainPath(path)).toBe(false);
  });

  test.each(['/a/%c0%ae%c0%ae/b', '/a%c0%afb', '/%e0%80%ae', '/a/%u002e%u002e/b', '/a%', '/%zz', '/%e9'])(
    '%s is read in two ways',
    (path) => expect(isPlainPath(path)).toBe(false),
  );

  test.each(['/', '/a', '/a.b', '/...', '/a..b', '/.well-known/x', '/a%20b', '/a;b', '/..a'])('%s does not', (path) => {
    expect(climbs(path)).toBe(false);
    expect(isPlainPath(path)).toBe(true);
  });

  test('a prefix ends at a segment’s end', () => {
    expect(['/v1', '/v1/', '/v1/x'].map((path) => isBelow('/v1', path))).toEqual([true, true, true]);
    expect(['/v10', '/v', '/', '/v1x/'].map((path) => isBelow('/v1', path))).toEqual([false, false, false, false]);
    expect(isBelow('/v1/', '/v1')).toBe(false);
  });
});

describe('the plan', () => {
  const agentGroupId = makeId('agentGroup');
  const hosts = ['a.test', 'b.a.test', '*.a.test', 'other.test', '127.0.0.1'];
  const rule = fc
    .record({
      host: fc.constantFrom(...hosts),
      port: fc.constantFrom(80, 443),
      methods: fc.constantFrom(null, ['GET'], ['POST', 'PUT']),
      pathPrefix: fc.constantFrom(null, '/v1', '/v1/x/'),
      isPrivate: fc.boolean(),
    })
    .map((of): AccessRule => {
      const about = { reason: null, approvalId: null, createdBy: 'web:owner', createdAt: 1 };
      return { id: makeId('accessRule'), agentGroupId, service: null, ...about, ...of };
    });
  const head = fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      form: fc.constantFrom('http', 'https', 'connect'),
      host: fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'xa.test', '127.0.0.1', '0x7f.1'),
      port: fc.constantFrom(80, 443, 8080),
      path: fc.constantFrom('/', '/v1', '/v1/x/y', '/v10', '/v1/../x', '/v1/%2e%2e/x'),
    })
    .map(({ method, form, host, port, path }) => {
      const authority = `${host}:${port}`;
      const url =
        form === 'connect' ? authority : form === 'http' ? `http://${authority}${path}` : `/https/${authority}${path}`;
      return { method: form === 'connect' ? 'CONNECT' : method, url, rawHeaders: [] };
    });

  test('lets nothing through without a rule that names exactly that', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), head, (rules, raw) => {
        const parsed = parseHead(raw);
        if (parsed.kind === 'refused') throw new Error(parsed.message);
        const plan = planRequest(parsed.head, { rules, service: null, modelService: null });
        if (plan.kind === 'refused') return;
        const by = rules.find(({ id }) => id === plan.rule);
        expect(by?.port).toBe(plan.upstream.port);
        const { text } = plan.upstream.host;
        expect(by?.host?.startsWith('*.') ? text.endsWith(by.host.slice(1)) : text === by?.host).toBe(true);
        expect(plan.allowPrivate).toBe(by?.isPrivate);
        if (plan.upstream.scheme === 'tcp') expect([by?.methods, by?.pathPrefix]).toEqual([null, null]);
        else {
          expect(by?.methods?.includes(raw.method) ?? true).toBe(true);
          if (by?.pathPrefix)
            expect(new URL(plan.upstream.path, 'http://x').pathname.startsWith(by.pathPrefix)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('knows no head but those of the five forms, and no text makes it throw', () => {
    const url = fc.oneof(
      fc.webUrl(),
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.webPath().map((path) => `/https${path}`),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'CONNECT', 'X'),
        url,
        fc.array(fc.string(), { maxLength: 4 }),
        (method, text, raw) => {
          const parsed = parseHead({ method, url: text, rawHeaders: raw });
          expect(['head', 'refused']).toContain(parsed.kind);
        },
      ),
      { numRuns: 2_000 },
    );
    const on = (text: string): Head | null => {
      const parsed = parseHead({ method: 'GET', url: text, rawHeaders: ['Host', '127.0.0.1:3128'] });
      return parsed.kind === 'head' ? parsed.head : null;
    };
    expect(on('/for/msg_1/service/github/user?a=b')).toEqual({
      ...{ method: 'GET', messageId: 'msg_1' },
      target: { kind: 'service', name: 'github', path: '/user?a=b' },
    });
    expect(on('/model/openai')?.target).toMatchObject({ kind: 'model', path: '/' });
    expect(on('/https/[::1]:8443/x')?.target).toMatchObject({ host: { text: '::1' }, port: 8443, path: '/x' });
    expect(on('/https/A.test?x')?.target).toMatchObject({ host: { text: 'a.test' }, port: 443, path: '/?x' });
  });
});
