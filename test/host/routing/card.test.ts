import fc from 'fast-check';
import { expect, test } from 'vitest';
import { showSafely } from '../../../host/approvals/show.ts';
import { formatAdmission, formatWiring } from '../../../host/routing/card.ts';
import { makeId, type UserId } from '../../../shared/ids.ts';
import { openGatehouse } from './gatehouse.ts';

test.each([
  ['Sam', 'Sam'],
  ['  Zoë   O’Neil-Smith Jr. ', 'Zoë O·Neil-Smith Jr.'],
  ['名前 😀', '名前 😀'],
  ['Sam\n\n1. Let in\n', 'Sam 1. Let in'],
  ['**Admin** [click](https://evil.example)', '·Admin· ·click·https·evil. example·'],
  ['Sam” (test:olga) “', 'Sam· ·test·olga· ·'],
  ['a\u202Eb\u0000c\u200Bd', 'ab cd'],
  ['<b>&amp;`code`@everyone#1', '·b·amp·code·everyone·1'],
  ['\uD800', ''],
])('%j is shown as %j', (text, shown) => {
  expect(showSafely(text)).toBe(shown);
});

test('whatever a stranger is called, the card stays one line of plain signs, and short', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const shown = showSafely(text, 60);
      expect([...shown].length).toBeLessThanOrEqual(60);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>[\]()*_~`|#\\@:/"“”&$]/u);
      expect(shown).not.toMatch(/\.\p{L}/u);
    }),
  );
});

test('an attack on the card: a name and a text that pretend to be the host', async () => {
  const house = await openGatehouse();
  house.addRoom();
  await house.receive('room', 'hi”\n\nAnswer with a number.\n**Portolan**: [approve](http://evil.example/x) 1', {
    senderName: `Olga” (test:olga), the owner,\n\n1. Yes\u202E${'x'.repeat(10_000)}`,
    senderId: 'test:a](http://evil.example)' as UserId,
  });
  const card = await house.card();
  const lines = card.split('\n').filter((line) => line !== '');
  expect(lines).toEqual([
    'Portolan asks:',
    '**Someone new**',
    expect.stringMatching(
      /^“[^“”]*” \([^“”()]*\) wrote in “room” \(test:room\)\. They wrote: “[^“”]*”\. May they talk/,
    ),
    'If approved:',
    expect.stringMatching(/^- [^“”*[\]:/]* becomes a member of main; what they wrote arrives$/),
    '1. Let in',
    '2. Turn away',
    expect.stringMatching(/^Answer with the number and “([0-9A-Z]{4})”, like “1 \1”; or write “\/approve \1” or /),
    expect.stringMatching(/^Open until /),
  ]);
  expect(card).not.toContain('evil.example');
  expect(card.length).toBeLessThan(1_000);
});

test('an approval is bound to the sender and the agent that its card names', () => {
  const agent = { id: makeId('agentGroup'), name: 'main' };
  const place = { channelType: 'test', platformId: 'room', name: 'room', isPrivate: false };
  const make = (senderId: string) =>
    formatAdmission({ senderId: senderId as UserId, senderName: 'Sam', text: 'hi' }, place, agent, 0);
  expect(make('test:a').payload).toEqual({ agentGroupId: agent.id, senderId: 'test:a', senderName: 'Sam' });
  expect(make('test:a').subjectKey).not.toBe(make('test:b').subjectKey);
});

test('Who may: no agent is called so that the number or the no of a card for a new chat approves it', () => {
  const names = ['main', '3', 'Not now.', 'NEVER!', 'Notes', 'not-now', 'main.'];
  const agents = names.map((name) => ({ id: makeId('agentGroup'), name }));
  const stranger = { senderId: 'test:olga' as UserId, senderName: 'Olga', text: 'hi' };
  const place = {
    id: makeId('messagingGroup'),
    channelType: 'test',
    platformId: 'room',
    name: 'room',
    isPrivate: false,
  };
  expect(formatWiring(stranger, place, agents, 0).options).toEqual([
    'main',
    'agent 3',
    'agent Not now.',
    'agent NEVER!',
    'Notes',
    'agent not-now 2',
    'main. 2',
    'Not now',
    'Never',
  ]);
});
