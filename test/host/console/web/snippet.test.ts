import { expect, test } from 'vitest';
import { describeSnippet } from '../../../../host/console/web/sessions/order.ts';
import { sampleSession } from './samples.ts';

const OWNER = { id: 'web:owner', name: 'Owner' };
const WRITER = { id: 'agt_writer', name: 'writer' };
const HOST = { id: null, name: '' };

test.each([
  ['a person', 'in', OWNER, true, 'You: **hi** there'],
  ['a person on another channel', 'in', OWNER, false, 'Owner: hi there'],
  ['the agent', 'out', { id: 'agt_1', name: 'main' }, true, 'hi there'],
  ['another agent', 'in', WRITER, true, 'writer: hi there'],
  ['the host, as when a task fires', 'in', HOST, true, 'hi there'],
] as const)('the line of a chat names who wrote last: %s', (_who, direction, author, writable, line) => {
  const lastMessage = { text: '**hi**\n there', at: 1, direction, author };
  expect(describeSnippet(sampleSession({ lastMessage, writable }))).toBe(line);
});

test('a chat without messages says so, and a file without words is an attachment', () => {
  expect(describeSnippet(sampleSession())).toBe('No messages yet');
  const lastMessage = { text: '', at: 1, direction: 'out', author: WRITER } as const;
  expect(describeSnippet(sampleSession({ lastMessage }))).toBe('Attachment');
});
