/** `portolan chats` against the real API. */
import { expect, test } from 'vitest';
import { startApi } from '../../support/api-server.ts';
import { portolan } from './support/run.ts';

test('chats shows who listens and who may write; set changes that, and says what it means', async () => {
  const api = await startApi();
  const { home, chats } = api.spine;
  api.openSession('Family');
  chats.ensure({ channelType: 'test', platformId: '-100', name: 'Club', isGroup: true, now: 1 });
  const table = await portolan(home, ['chats'], { columns: 120 });
  expect(table.out).toMatch(/web +Family +main +strict/);
  expect(table.out).toMatch(/test +Club +– +strict/);
  expect(await portolan(home, ['chats', 'set', 'test:-100', '--unknown-senders', 'request_approval'])).toMatchObject({
    code: 0,
    out: 'Club: an admin is asked about people that an agent does not know; their messages wait.\n',
  });
  expect(chats.find('test', '-100')?.unknownSenderPolicy).toBe('request_approval');
  const json = await portolan(home, ['chats', 'set', 'club', '--unknown-senders', 'public', '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ name: 'Club', unknownSenderPolicy: 'public' });
});

test('chats set says what was expected and what to type next', async () => {
  const api = await startApi();
  const { home } = api.spine;
  api.openSession('Family');
  const set = (...words: string[]) => portolan(home, ['chats', 'set', ...words]);
  expect(await set('nowhere', '--unknown-senders', 'strict')).toMatchObject({
    code: 4,
    err: expect.stringMatching(/portolan (--home \S+ )?chats/),
  });
  expect(await set('Family', '--unknown-senders', 'everyone')).toMatchObject({
    code: 2,
    err: expect.stringContaining('one of strict, request_approval, public'),
  });
  expect(await set('Family')).toMatchObject({ code: 2, err: expect.stringContaining('--unknown-senders') });
});
