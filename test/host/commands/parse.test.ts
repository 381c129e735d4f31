import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand, parseDecision } from '../../../host/commands/parse.ts';
import { NAMES } from '../../../host/commands/table.ts';
import { MAX_TEXT_BYTES } from '../../../shared/limits.ts';

const parse = (text: string, isAddressed = true) => parseCommand(text, isAddressed, NAMES);

describe('a text is a command when it begins with a slash and a name of the table', () => {
  it.each([
    ['/clear', 'clear', ''],
    [' \n\t/clear \n', 'clear', ''],
    ['/CLEAR', 'clear', ''],
    ['/Stop main', 'stop', 'main'],
    ['/clear the table', 'clear', 'the table'],
    ['/clear@portolan_bot', 'clear', ''],
    ['/clear@portolan_bot  main ', 'clear', 'main'],
    ['@portolan /clear', 'clear', ''],
    ['@portolan: /clear main', 'clear', 'main'],
    ['<@U12345> /status', 'status', ''],
    ['<@!12345>, /status', 'status', ''],
    ['/approve 7K2Q because\nit is fine', 'approve', '7K2Q because\nit is fine'],
  ])('%j', (text, name, rest) => {
    expect(parse(text)).toEqual({ name, rest });
  });

  it.each([
    '',
    '/',
    '//',
    '//clear',
    '/ clear',
    '/clearx',
    '/clear-all',
    '/clear/etc',
    '/clear.',
    '/clear!',
    '/etc/passwd',
    '/unknown',
    '/toString',
    '/constructor',
    '/__proto__',
    'clear',
    'x /clear',
    '> /clear',
    '"/clear"',
    '`/clear`',
    'please /clear',
    '@anna please /clear',
    '@anna @bert /clear',
    '/@bot clear',
  ])('%j is an ordinary message', (text) => {
    expect(parse(text)).toBeNull();
  });

  it.each([
    ['a full-width slash', '／clear'],
    ['a division slash', '∕clear'],
    ['a fraction slash', '⁄clear'],
    ['a big solidus', '⧸clear'],
    ['a zero-width space inside', '/cle\u200bar'],
    ['a zero-width joiner before', '\u200d/clear'],
    ['a byte-order mark before', '\ufeff/clear'],
    ['a no-break space before', '\u00a0/clear'],
    ['a right-to-left override before', '\u202e/clear'],
    ['a right-to-left override inside', '/\u202eraelc'],
    ['a zero-width space after', '/clear\u200b'],
    ['a no-break space after', '/clear\u00a0main'],
    ['a Cyrillic с', '/сlear'],
    ['a Kelvin sign', '/lin\u212a'],
    ['a dotless i', '/l\u0131nk'],
    ['a long s', '/\u017ftop'],
    ['a combining mark', '/clear\u0301'],
    ['a null character', '/clear\u0000'],
  ])('what only looks like one is an ordinary message: %s', (_what, text) => {
    expect(parse(text)).toBeNull();
  });

  it('is not ours when it names another bot where the platform says that nobody addressed us', () => {
    expect(parse('/clear@another_bot', false)).toBeNull();
    expect(parse('@another_bot /clear', false)).toBeNull();
    expect(parse('/clear', false)).toEqual({ name: 'clear', rest: '' });
  });

  it('takes time in proportion to the text, whatever stands in it', () => {
    const most = MAX_TEXT_BYTES;
    for (const text of [
      ' '.repeat(most),
      `/help ${' '.repeat(most)}`,
      `/help ${'x '.repeat(most / 2)}`,
      `/help x${' '.repeat(most)}x`,
      `@${'a'.repeat(most)}`,
      `@a${' '.repeat(most)}x`,
      `${'@a '.repeat(most / 3)}/help`,
      `/${'a'.repeat(most)}`,
      '\n/'.repeat(most / 2),
    ]) {
      const began = performance.now();
      parse(text);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });

  it('reads nothing but a name of the table out of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, isAddressed) => {
        const typed = parse(text, isAddressed);
        return typed === null || (NAMES.has(typed.name) && text.toLowerCase().includes(`/${typed.name}`));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a decision', () => {
  it.each([
    ['7K2Q', { code: '7K2Q', option: '', because: '' }],
    ['7K2Q Let in', { code: '7K2Q', option: 'Let in', because: '' }],
    ['7K2Q because it is late', { code: '7K2Q', option: '', because: 'it is late' }],
    ['7K2Q Let in because I know him', { code: '7K2Q', option: 'Let in', because: 'I know him' }],
    ['7K2Q Because: of this\nand that', { code: '7K2Q', option: '', because: 'of this\nand that' }],
    ['7K2Q because', { code: '7K2Q', option: '', because: '' }],
    ['7K2Q becausewhat', { code: '7K2Q', option: 'becausewhat', because: '' }],
    ['7K2Q Let in because a because b', { code: '7K2Q', option: 'Let in', because: 'a because b' }],
    ['', { code: '', option: '', because: '' }],
  ])('%j', (rest, expected) => {
    expect(parseDecision(rest)).toEqual(expected);
  });
});
