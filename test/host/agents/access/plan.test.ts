/** What an agent may be let out to, what it never may, and what a card says of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AccessWish,
  covers,
  describeToday,
  MAX_ACCESS_RULES,
  type NamedService,
  planAccess,
} from '../../../../host/agents/access/plan.ts';
import { ACCESS_METHODS, accessHostSchema, accessPathSchema } from '../../../../shared/access.ts';
import { requestSchema } from '../../../../shared/requests.ts';

const GITHUB: NamedService = {
  name: 'github',
  baseUrl: new URL('https://api.github.com'),
  isModel: false,
  isPrivate: false,
};

function wish(more: Partial<AccessWish> = {}): AccessWish {
  return { host: 'api.example.com', service: null, port: 443, methods: null, pathPrefix: null, ...more };
}

function plan(
  asked: AccessWish,
  rules: readonly AccessWish[] = [],
  service: NamedService | null = null,
  isPrivate = false,
) {
  const known = rules.map((rule) => ({ ...rule, isPrivate: false }));
  return planAccess({ agentName: 'main', rules: known, service }, asked, isPrivate);
}

describe('the names that may be asked for', () => {
  test.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '1.2.3.0x4',
    '[::1]',
    '::ffff:169.254.169.254',
    '169.254.169.254',
    'localhost',
    '*',
    '*.com',
    'api.*.com',
    'a*.example.com',
    '*.*.example.com',
    'https://example.com',
    'example.com:443',
    'example.com/path',
    'user@example.com',
    'exa mple.com',
    'example.com\n',
    'exämple.com',
    'example..com',
    '.example.com',
    '-a.example.com',
    'a-.example.com',
    'api.example.com.',
    'api_x.example.com',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(126)}com`.repeat(2),
    'example.c0m1.127',
    'a.example.com`x`',
    '',
  ])('%j is none', (host) => {
    // A line break at the end is taken off, as of any word.
    expect(accessHostSchema.safeParse(host).success).toBe(host === 'example.com\n');
  });

  test.each(['api.example.com', 'API.Example.COM', '*.example.com', 'xn--exmple-cua.com', 'a.b.c.xn--p1ai', 'x.co'])(
    '%j is one, in lower case',
    (host) => {
      expect(accessHostSchema.parse(host)).toBe(host.toLowerCase());
    },
  );

  test('no name that is taken can be read as an address', () => {
    const text = fc.stringMatching(/^[0-9a-fx.:*-]{1,24}$/);
    fc.assert(
      fc.property(text, (host) => {
        if (!accessHostSchema.safeParse(host).success || host.startsWith('*')) return;
        expect(new URL(`http://${host}/`).hostname).toBe(host.trim());
        expect(/^[\d.]+$/.test(new URL(`http://${host}/`).hostname)).toBe(false);
      }),
    );
  });

  test.each([
    'v1',
    '/v1/../admin',
    '/./x',
    '//x',
    '/a//b',
    '/%2e%2e/x',
    '/a?b',
    '/a#b',
    '/a b',
    '/a\\b',
    '',
    `/${'a'.repeat(256)}`,
  ])('the path %j is none', (path) => {
    expect(accessPathSchema.safeParse(path).success).toBe(false);
  });

  test.each(['/', '/v1', '/v1/', '/repos/owner/name', "/a-b_c.d~e!$&'()*+,;=:@f"])('the path %j is one', (path) => {
    expect(accessPathSchema.parse(path)).toBe(path);
  });
});

describe('a request', () => {
  const ask = (more: object) =>
    requestSchema.safeParse({ action: 'request_access', reason: 'to look', ...more }).success;

  test('names exactly one of host and service, and a port with a host alone', () => {
    expect(ask({ host: 'api.example.com' })).toBe(true);
    expect(ask({ host: 'api.example.com', port: 8443, methods: ['GET'], path: '/v1' })).toBe(true);
    expect(ask({ service: 'github', methods: ['GET'], path: '/repos' })).toBe(true);
    expect(ask({})).toBe(false);
    expect(ask({ host: 'api.example.com', service: 'github' })).toBe(false);
    expect(ask({ service: 'github', port: 443 })).toBe(false);
    expect(ask({ host: 'api.example.com', port: 0 })).toBe(false);
    expect(ask({ host: 'api.example.com', methods: [] })).toBe(false);
    expect(ask({ host: 'api.example.com', methods: ['CONNECT'] })).toBe(false);
    expect(ask({ host: 'api.example.com', methods: ['get'] })).toBe(false);
  });

  test('cannot ask for the inside: what it says of privacy is no part of it', () => {
    const parsed = requestSchema.parse({
      action: 'request_access',
      host: 'a.example.com',
      reason: 'x',
      isPrivate: true,
    });
    expect(parsed).not.toHaveProperty('isPrivate');
  });
});

describe('what is refused, whoever asks', () => {
  test.each(['*.com', '*.co.uk', '*.github.io', '*.s3.amazonaws.com'])('%s, where anybody registers', (host) => {
    expect(plan(wish({ host }))).toMatchObject({ kind: 'refuse', why: expect.stringContaining('others register') });
  });

  test('nor what they register below a wildcard that somebody allowed', () => {
    const rule = { host: '*.amazonaws.com', port: 443, service: null, methods: null, pathPrefix: null };
    const asks = (host: string) => covers(rule, { ...rule, host });
    expect(['sts.amazonaws.com', '*.sts.amazonaws.com'].map(asks)).toEqual([true, true]);
    expect(['evil.s3.amazonaws.com', '*.evil.s3.amazonaws.com', 's3.amazonaws.com'].map(asks)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test.each(['*.example.com', '*.example.co.uk', '*.someone.github.io', 'someone.github.io'])('but not %s', (host) => {
    expect(plan(wish({ host })).kind).toBe('add');
  });

  test.each(['metadata.google.internal', 'instance-data.ec2.internal'])('%s, also by an owner', (host) => {
    expect(plan(wish({ host })).kind).toBe('refuse');
    expect(plan(wish({ host }), [], null, true).kind).toBe('refuse');
    expect(plan(wish({ host: '169.254.169.254' }), [], null, true).kind).toBe('refuse');
  });

  test.each(['db.internal', 'printer.local', 'x.localhost', 'nas.lan', 'router.home.arpa', '*.corp'])(
    '%s, unless an owner says that it is private',
    (host) => {
      expect(plan(wish({ host }))).toMatchObject({ kind: 'refuse', why: expect.stringContaining('--private') });
    },
  );

  test('an address, or a name without a dot, unless an owner says that it is private', () => {
    for (const host of ['10.0.0.7', '8.8.8.8', 'fd00::1', 'nas']) {
      expect(plan(wish({ host })).kind).toBe('refuse');
      expect(plan(wish({ host }), [], null, true).kind).toBe('add');
    }
  });

  test('a service that is unknown, a model, or private', () => {
    const asked = wish({ host: null, port: null, service: 'github' });
    expect(plan(asked)).toMatchObject({ kind: 'refuse', why: expect.stringContaining('no service') });
    expect(plan(asked, [], { ...GITHUB, isModel: true })).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('model'),
    });
    expect(plan(asked, [], { ...GITHUB, isPrivate: true }).kind).toBe('refuse');
    expect(plan(asked, [], { ...GITHUB, isModel: true }, true).kind).toBe('refuse');
    expect(plan(asked, [], { ...GITHUB, isPrivate: true }, true).kind).toBe('add');
  });

  test('more rules than an agent may have', () => {
    const many = Array.from({ length: MAX_ACCESS_RULES }, (_, n) => wish({ host: `h${n}.example.com` }));
    expect(plan(wish(), many)).toMatchObject({ kind: 'refuse' });
    expect(plan(wish(), many.slice(1))).toMatchObject({ kind: 'add' });
  });
});

describe('compared with today', () => {
  test('what is allowed already is nothing to ask for', () => {
    const narrow = wish({ methods: ['GET'], pathPrefix: '/v1/items' });
    for (const wide of [wish(), wish({ host: '*.example.com' }), wish({ pathPrefix: '/v1' }), narrow]) {
      expect(plan(narrow, [wide])).toMatchObject({ kind: 'nothing', why: expect.stringContaining('already') });
    }
  });

  test('another port, method, path or neighbour is not', () => {
    const rule = wish({ methods: ['GET'], pathPrefix: '/v1' });
    for (const other of [
      { port: 8443 },
      { methods: ['GET', 'POST'] },
      { methods: null },
      { pathPrefix: '/v10' },
      { pathPrefix: null },
      { host: 'xapi.example.com' },
    ]) {
      expect(plan({ ...rule, ...other }, [rule]).kind).toBe('add');
    }
    expect(plan(wish({ host: 'example.com' }), [wish({ host: '*.example.com' })]).kind).toBe('add');
    expect(plan(wish({ host: 'evilexample.com' }), [wish({ host: '*.example.com' })]).kind).toBe('add');
    expect(plan(wish({ host: '*.example.com' }), [wish({ host: '*.api.example.com' })]).kind).toBe('add');
  });

  test('the card says what is added, and what widens what', () => {
    expect(plan(wish({ methods: ['GET', 'HEAD'], pathPrefix: '/v1' }))).toEqual({
      kind: 'add',
      lines: [
        'adds GET, HEAD on `https://api.example.com` under `/v1`',
        'as requests that this host reads, method and path of each',
      ],
    });
    expect(plan(wish(), [wish({ methods: ['GET'], pathPrefix: '/v1' })])).toMatchObject({
      lines: expect.arrayContaining(['widens what it may do there: today GET under `/v1`']),
    });
    expect(plan(wish({ host: '*.example.com' }))).toMatchObject({
      lines: expect.arrayContaining(['every name below `example.com`, also those made later']),
    });
    expect(plan(wish({ host: 'xn--pypal-4ve.com', port: 80 }))).toMatchObject({
      lines: [
        'adds all methods on `http://xn--pypal-4ve.com`',
        expect.stringContaining('xn--'),
        expect.stringContaining('hidden from this host'),
        expect.stringContaining('without encryption'),
      ],
    });
    expect(plan(wish({ host: null, port: null, service: 'github' }), [], GITHUB)).toMatchObject({
      lines: [
        'adds all methods on `service github`',
        'the gateway adds the credential of github, at `https://api.github.com/`; the agent never sees it',
      ],
    });
  });

  test('what it may reach today is one sentence, however much that is', () => {
    expect(describeToday('main', [])).toBe('“main” may reach nothing outside today.');
    const rules = Array.from({ length: 7 }, (_, n) => wish({ host: `h${n}.example.com` }));
    expect(describeToday('main', [...rules, ...rules])).toBe(
      '“main” may reach 7 places today: `https://h0.example.com`, `https://h1.example.com`, `https://h2.example.com`, `https://h3.example.com`, `https://h4.example.com` and 2 more.',
    );
  });
});

const anyWish = fc.record({
  host: fc.constantFrom('a.example.com', 'b.a.example.com', '*.example.com', '*.a.example.com', 'example.com'),
  service: fc.constant(null),
  port: fc.constantFrom(80, 443),
  methods: fc.option(fc.uniqueArray(fc.constantFrom(...ACCESS_METHODS), { minLength: 1 })),
  pathPrefix: fc.option(fc.constantFrom('/a', '/a/b', '/ab')),
});

test('a rule that covers a wish allows every request that the wish would', () => {
  const allows = (rule: AccessWish, host: string, port: number, method: string, path: string) =>
    covers(rule, { host, port, service: null, methods: [method], pathPrefix: path });
  fc.assert(
    fc.property(
      anyWish,
      anyWish,
      fc.constantFrom('a.example.com', 'b.a.example.com', 'example.com', 'z.example.com'),
      fc.constantFrom(...ACCESS_METHODS),
      fc.constantFrom('/', '/a', '/a/x', '/a/b/c', '/ab', '/ab/c', '/z'),
      (rule, asked, host, method, path) => {
        if (!covers(rule, asked) || !allows(asked, host, asked.port, method, path)) return;
        expect(allows(rule, host, asked.port, method, path)).toBe(true);
      },
    ),
    { numRuns: 20_000 },
  );
});
