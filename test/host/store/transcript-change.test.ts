import { expect, test } from 'vitest';
import { planChange, type TranscriptChange } from '../../../host/store/transcript-change.ts';
import type { MessageRow } from '../../../host/store/transcript-row.ts';
import type { SessionId } from '../../../shared/ids.ts';

const row: MessageRow = {
  position: 1,
  id: 'msg_1',
  revision: 1,
  session_id: 'ses_1',
  messaging_group_id: 'mg_1',
  thread_id: '',
  direction: 'out',
  kind: 'chat',
  author_id: null,
  author_name: 'main',
  destination: 'home',
  text: 'hello',
  attachments: '[]',
  reactions: '[]',
  in_reply_to: null,
  state: 'sending',
  state_reason: 'tried once',
  platform_message_id: null,
  client_id: null,
  trace_id: 'tr_1',
  stamps: '{"received":1}',
  created_at: 1,
  edited_at: null,
  only_for: null,
};

test('what is left out stays, and null is a value', () => {
  const next = planChange(row, { state: 'delivered', stateReason: null });
  expect(next).toMatchObject({ state: 'delivered', state_reason: null, text: 'hello', platform_message_id: null });
});

test.each<[string, TranscriptChange]>([
  ['nothing', {}],
  ['the same state', { state: 'sending' }],
  ['a stamp of a stage that has one', { stamps: { received: 9 } }],
  ['the same reactions', { reactions: [] }],
])('a row is left alone when it is told %s', (_what, change) => {
  expect(planChange(row, change)).toBeNull();
});

test('a stamp of a new stage is news, and the first of a stage stays', () => {
  const next = planChange(row, { stamps: { received: 9, sent: 5 } });
  expect(JSON.parse(next?.stamps ?? '')).toEqual({ received: 1, sent: 5 });
});

test.each(['read', 'answered'] as const)('a message that is %s does not go back to delivered', (state) => {
  expect(planChange({ ...row, state }, { state: 'delivered' })).toBeNull();
  expect(planChange({ ...row, state }, { state: 'delivered', platformMessageId: '7' })).toMatchObject({
    state,
    platform_message_id: '7',
  });
});

test('ids in a container’s rows change no message of another session or direction', () => {
  const change = { state: 'failed' as const };
  const own = { sessionId: 'ses_1' as SessionId, direction: 'out' as const };
  expect(planChange(row, { ...change, only: own })).toMatchObject({ state: 'failed' });
  expect(planChange(row, { ...change, only: { ...own, sessionId: 'ses_2' as SessionId } })).toBeNull();
  expect(planChange(row, { ...change, only: { ...own, direction: 'in' } })).toBeNull();
});
