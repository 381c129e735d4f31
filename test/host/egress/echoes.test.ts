import { describe, expect, test } from 'vitest';
import { outboundHeaders } from '../../../host/egress/headers.ts';
import { Redactor, redactText, secretsOf } from '../../../host/egress/redact.ts';

describe('a server that echoes its request', () => {
  const secret = 'pa"ss/w\\örd&<+>\'1 x';
  const head = (value: string) => `GET / HTTP/1.1\r\nX-Key: ${value}\r\nAccept: */*\r\n`;
  const html = (text: string) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;');
  const go = (text: string) =>
    JSON.stringify(text).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  const echoes: Record<string, (text: string) => string | Buffer> = {
    plain: (text) => Buffer.from(text, 'latin1'),
    utf8: (text) => Buffer.from(text, 'utf8'),
    json: (text) => JSON.stringify(text),
    'json of Go': go,
    'json in ASCII': (text) => JSON.stringify(text).replaceAll('ö', '\\u00f6'),
    html,
    percent: encodeURIComponent,
    'percent in lower case': (text) => encodeURIComponent(text).replace(/%../g, (sign) => sign.toLowerCase()),
    form: (text) => new URLSearchParams({ text }).toString(),
    base64: (text) => Buffer.from(text, 'latin1').toString('base64'),
    base64url: (text) => Buffer.from(text, 'latin1').toString('base64url'),
  };

  test.each(Object.keys(echoes))('in %s has nothing of the secret in it', (name) => {
    const echo = echoes[name] ?? String;
    for (const [template, value] of [
      ['{}', secret],
      ['Bearer {}', `Bearer ${secret}`],
      ['Token {base64:us:er:}', `Token ${Buffer.from(`us:er:${secret}`, 'latin1').toString('base64')}`],
    ] as const) {
      for (const text of [head(value), `x${head(value)}`, `xy${head(value)}`, head(secret)]) {
        const redactor = new Redactor(secretsOf(value, template));
        const out = Buffer.concat([redactor.push(Buffer.from(echo(text))), redactor.end()]).toString('latin1');
        for (const told of [value, secret]) {
          // The middle of it: the first and last sign may share theirs with what is beside.
          const core = told.slice(2, -2);
          for (const form of [core, encodeURIComponent(core), JSON.stringify(core).slice(1, -1)]) {
            expect(out.includes(form), `${template} ${form}`).toBe(false);
          }
          expect(Buffer.from(out, 'base64').toString('latin1').includes(core)).toBe(false);
        }
        expect(out).toMatch(/\*{12}/);
      }
    }
  });

  test('leaves short words alone that a short secret would make', () => {
    expect(redactText('gzip, br', secretsOf('abc', '{}'))).toBe('gzip, br');
    expect(secretsOf('abc', '{}').every((form) => form.length >= 3)).toBe(true);
  });
});

describe('headers', () => {
  test('that every object has are passed like others', () => {
    const raw = ['constructor', 'a', '__proto__', 'b', 'toString', 'c'];
    const headers = outboundHeaders({ raw, host: 'a.test', credential: null, isService: false });
    expect(headers).toEqual({ host: 'a.test', constructor: 'a', tostring: 'c' });
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });
});
