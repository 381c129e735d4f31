import { expect, test } from 'vitest';
import { describeSnippet } from '../../../../host/console/web/sessions/order.ts';
import { sampleSession } from './samples.ts';

const OWNER = { id: 'web:owner', name: 'Owner' };
const ANNA = { id: 'web:anna', name: 'Anna' };
const WRITER = { id: 'agt_writer', name: 'writer' };
const HOST = { id: null, name: '' };

test.each([
  ['the reader', 'in', OWNER, 'You: **hi** there'],
  ['another person at the page', 'in', ANNA, 'Anna: **hi** there'],
  ['a person without a name', 'in', { id: 'telegram:5', name: '' }, 'telegram:5: **hi** there'],
  ['the agent', 'out', { id: 'agt_1', name: 'main' }, 'hi there'],
  ['another agent', 'in', WRITER, 'writer: hi there'],
  ['the host, as when a task fires', 'in', HOST, 'hi there'],
] as const)('the line of a chat names who wrote last: %s', (_who, direction, author, line) => {
  const lastMessage = { text: '**hi**\n there', at: 1, direction, author };
  expect(describeSnippet(sampleSession({ lastMessage }), OWNER.id)).toBe(line);
});

test('a chat without messages says so, and a file without words is an attachment', () => {
  expect(describeSnippet(sampleSession(), OWNER.id)).toBe('No messages yet');
  const lastMessage = { text: '', at: 1, direction: 'out', author: WRITER } as const;
  expect(describeSnippet(sampleSession({ lastMessage }), OWNER.id)).toBe('Attachment');
});
