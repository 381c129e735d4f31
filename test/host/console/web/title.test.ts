import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTitle, titleFor } from '../../../../host/console/web/state/title.ts';

test('a title is the first line that says something', () => {
  expect(makeTitle('\n  \n plan the trip \nto Cuxhaven')).toBe('plan the trip');
  expect(makeTitle(' \n\t')).toBeNull();
});

test('a long line is cut at a word', () => {
  expect(makeTitle('please look up when the tide is high on Saturday morning')).toBe(
    'please look up when the tide is high on…',
  );
});

test('whatever is written, the host takes the title: one line without control characters, at most 200 long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const title = makeTitle(text);
      if (title === null) return;
      expect(title).toMatch(/^[^\p{Cc}]+$/u);
      expect(title.length).toBeLessThanOrEqual(200);
      expect(title).toBe(title.trim());
    }),
  );
});

test('only a web chat without a title is named after what is said in it', () => {
  const text = 'plan the trip';
  expect(titleFor({ channelType: 'web', title: null }, text)).toBe(text);
  expect(titleFor({ channelType: 'web', title: 'Holidays' }, text)).toBeNull();
  expect(titleFor({ channelType: 'terminal', title: null }, text)).toBeNull();
  expect(titleFor(undefined, text)).toBeNull();
});

test('a command names no chat, and what only begins with a slash does', () => {
  const web = { channelType: 'web', title: null } as const;
  for (const text of ['/whoami', ' /link 7K2QX-00000', '/STATUS\nplease']) expect(titleFor(web, text)).toBeNull();
  for (const text of ['/etc/passwd is odd', '/ is the root', 'see /help']) expect(titleFor(web, text)).toBe(text);
});
