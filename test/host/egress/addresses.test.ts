import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyAddress, mayConnect } from '../../../host/egress/addresses.ts';
import { formatHost, hostMatches, parseAuthority, parseHost } from '../../../host/egress/hosts.ts';

const METADATA = ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16'];

describe('addresses', () => {
  test.each([
    ...['127.0.0.1', '127.255.255.255', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1'],
    ...['10.0.0.0', '10.255.255.255', '100.127.255.255', '192.168.255.255'],
    ...['::1', 'fc00::1', 'fdff::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', '64:ff9b::10.0.0.1'],
  ])('%s is private: only what an owner allowed reaches it', (address) => {
    expect(classifyAddress(address)).toBe('private');
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(true);
  });

  test.each([
    ...METADATA,
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
    ...['0.0.0.0', '0.1.2.3', '169.254.1.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', '192.0.2.1'],
    ...['192.0.0.255', '198.18.0.0', '198.19.255.255', '203.0.113.255', '224.0.0.0'],
    ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '192.0.0.1', '192.88.99.1'],
    ...[
      '::',
      '::127.0.0.1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
    ],
    ...['2001::1', '2001:0:7f00:1::', '64:ff9b:1::1', '64:ff9b:1:7f00:0:100::', '100::1', '5f00::1', '4000::1'],
    ...['localhost', '', '127.1', '0x7f000001'],
  ])('%s is never connected to, whoever allowed it', (address) => {
    expect(mayConnect(address, true)).toBe(false);
    expect(classifyAddress(address)).toBe('never');
  });

  test.each([
    ...['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8'],
    // Beside what is not.
    ...['9.255.255.255', '11.0.0.0', '100.63.255.255', '126.255.255.255', '128.0.0.0', '172.15.255.255'],
    ...['192.0.1.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
  ])('%s is public', (address) => expect(mayConnect(address, false)).toBe(true));

  test('this machine’s own addresses are private though they look public', () => {
    const own = new Set(['203.0.114.9', '2a00:1450::1']);
    expect(classifyAddress('203.0.114.9', own)).toBe('private');
    expect(classifyAddress('::ffff:203.0.114.9', own)).toBe('private');
    expect(classifyAddress('2a00:1450:0:0::1', own)).toBe('private');
    expect(classifyAddress('203.0.114.8', own)).toBe('public');
  });
});

/** Ways to write one IPv4 address that some parser somewhere takes. */
function spellings([a, b, c, d]: readonly [number, number, number, number]): string[] {
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const octal = (n: number) => `0${n.toString(8)}`;
  const group = (high: number, low: number) => ((high << 8) | low).toString(16);
  const full = (text: string) => [...text].map((one) => String.fromCodePoint(0xfee0 + (one.codePointAt(0) ?? 0)));
  return [
    [a, b, c, d].join('.'),
    `${[a, b, c, d].join('.')}.`,
    [a, b, c, d].map(hex).join('.'),
    [a, b, c, d].map(octal).join('.'),
    [a, b, c, d].map((n) => `0000${n.toString(8)}`).join('.'),
    [hex(a), octal(b), c, hex(d).toUpperCase()].join('.'),
    String(whole),
    hex(whole),
    `0X${whole.toString(16).toUpperCase()}`,
    octal(whole),
    `${a}.${whole & 0xffffff}`,
    `${a}.${b}.${whole & 0xffff}`,
    `[::ffff:${[a, b, c, d].join('.')}]`,
    `[::ffff:${group(a, b)}:${group(c, d)}]`,
    `[0:0:0:0:0:FFFF:${group(a, b)}:${group(c, d)}]`,
    `[64:ff9b::${[a, b, c, d].join('.')}]`,
    `[2002:${group(a, b)}:${group(c, d)}::]`,
    `[::${[a, b, c, d].join('.')}]`,
    full([a, b, c, d].join('.')).join(''),
    [a, b, c, d].join('。'),
    `%31${[a, b, c, d].join('.').slice(1)}`,
    `user@${[a, b, c, d].join('.')}`,
    `${[a, b, c, d].join('.')}%00.example.com`,
  ];
}

describe('hosts', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const notPublic = fc.oneof(
    fc.tuple(fc.constant(127), byte, byte, byte),
    fc.tuple(fc.constant(10), byte, byte, byte),
    fc.tuple(fc.constant(0), byte, byte, byte),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
    fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
    fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
    fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
  );

  test('no spelling of an address that is not public passes as a name or as a public address', () => {
    fc.assert(
      fc.property(notPublic, (address) => {
        for (const text of spellings(address)) {
          const host = parseHost(text);
          if (host === null) continue;
          expect(host.kind, text).toBe('address');
          expect(mayConnect(host.text, false), text).toBe(false);
        }
      }),
    );
  });

  test('what is canonical stays as it is, and no text makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.domain(), fc.ipV4(), fc.ipV6()), (text) => {
        const host = parseHost(text) ?? parseHost(`[${text}]`);
        if (host !== null) expect(parseHost(formatHost(host))).toEqual(host);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['EXAMPLE.com', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['ｅxample.com', 'example.com'],
    ['[2001:0DB8::0:1]', '2001:db8::1'],
    ['_dmarc.example.com', '_dmarc.example.com'],
  ])('%s is %s', (text, canonical) => expect(parseHost(text)?.text).toBe(canonical));

  test.each([
    ...['', '.', 'a..b', 'a..', '-a.example', 'a b', 'a\tb', 'a\nb', 'exa%6dple.com', 'a/b', 'a\\b', 'a?b', 'a#b'],
    ...['a@b', 'a:80', '::1', '[::1', '[::1]x', '[fe80::1%25eth0]', '*.example.com', 'foo.1', 'foo.0x1', '1.2.3.4.5'],
    ...['256.1.1.1', 'a\u0000b', `${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}example`],
  ])('%j is no host', (text) => expect(parseHost(text)).toBeNull());

  test.each([
    ['example.com:443', 'example.com', 443],
    ['EXAMPLE.com:0443', 'example.com', 443],
    ['[::1]:8080', '::1', 8080],
  ])('%s names a host and a port', (text, host, port) => {
    expect(parseAuthority(text, null)).toMatchObject({ host: { text: host }, port });
  });

  test.each([
    ...['example.com', 'example.com:', 'example.com:0', 'example.com:65536', 'example.com:99999', 'example.com:-1'],
    ...['example.com:80:80', 'a@example.com:80', 'example.com:+80', 'example.com:8e1', ':80', '::1:80', 'a:80/'],
  ])('%s is no host with a port', (text) => expect(parseAuthority(text, null)).toBeNull());

  test('a wildcard means names below it only', () => {
    const matches = (rule: string, text: string, isPrivate = false) => {
      const host = parseHost(text);
      return host !== null && hostMatches(rule, host, isPrivate);
    };
    expect(matches('*.example.com', 'a.example.com')).toBe(true);
    expect(matches('*.example.com', 'a.b.EXAMPLE.com.')).toBe(true);
    expect(matches('*.example.com', 'example.com')).toBe(false);
    expect(matches('*.example.com', 'badexample.com')).toBe(false);
    expect(matches('*.example.com', 'example.com.evil.test')).toBe(false);
    expect(matches('example.com', 'a.example.com')).toBe(false);
    expect(matches('*.0.0.1', '127.0.0.1')).toBe(false);
    // Below some names anybody registers one of their own.
    expect(matches('*.amazonaws.com', 'sts.eu-west-1.amazonaws.com')).toBe(true);
    expect(matches('*.amazonaws.com', 'evil.s3.amazonaws.com')).toBe(false);
    expect(matches('*.amazonaws.com', 's3.amazonaws.com')).toBe(false);
    expect(matches('*.windows.net', 'evil.blob.core.windows.net')).toBe(false);
    expect(matches('*.evil.s3.amazonaws.com', 'a.evil.s3.amazonaws.com')).toBe(true);
    expect(matches('*.s3.amazonaws.com', 'evil.s3.amazonaws.com')).toBe(false);
    expect(matches('*.lan', 'nas.lan', true)).toBe(true);
    expect(matches('*.s3.amazonaws.com', 'mine.s3.amazonaws.com', true)).toBe(true);
  });
});
