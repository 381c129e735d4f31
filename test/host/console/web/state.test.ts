import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findReadPosition, mergeMessages } from '../../../../host/console/web/state/merge.ts';
import { type Change, INITIAL_STATE, reduce } from '../../../../host/console/web/state/state.ts';
import { SESSION, sampleMessage, samplePending, sampleSession } from './samples.ts';

function play(...changes: Change[]) {
  return changes.reduce(reduce, INITIAL_STATE);
}

const positions = (changes: Change[]) =>
  play(...changes)
    .conversations.get(SESSION)
    ?.messages.map((message) => message.position);

describe('merging messages', () => {
  test('keeps each message once, newest revision, by position, in whatever order copies arrive', () => {
    const copies = fc.array(fc.record({ position: fc.integer({ min: 1, max: 8 }), revision: fc.nat(50) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(copies, (arrivals) => {
        let merged = mergeMessages([], []);
        for (const arrival of arrivals) merged = mergeMessages(merged, [sampleMessage(arrival)]);
        const expected = new Map<number, number>();
        for (const { position, revision } of arrivals) {
          expected.set(position, Math.max(revision, expected.get(position) ?? -1));
        }
        expect(merged.map(({ position, revision }) => [position, revision])).toEqual(
          [...expected].sort((a, b) => a[0] - b[0]),
        );
      }),
    );
  });

  test('gives back the same list when nothing is new, so that nothing is drawn again', () => {
    const list = mergeMessages([], [sampleMessage({ position: 1 })]);
    expect(mergeMessages(list, [sampleMessage({ position: 1 })])).toBe(list);
  });
});

describe('a conversation', () => {
  const page = (from: number, to: number, hasOlder: boolean): Change => ({
    kind: 'newest-loaded',
    sessionId: SESSION,
    messages: Array.from({ length: to - from + 1 }, (_, index) => sampleMessage({ position: from + index })),
    hasOlder,
  });

  test('shows events that arrive while its first page is under way', () => {
    const open: Change = { kind: 'conversation-loading', sessionId: SESSION };
    const event: Change = { kind: 'messages', messages: [sampleMessage({ position: 4 })] };
    expect(positions([open, event, page(1, 3, false)])).toEqual([1, 2, 3, 4]);
  });

  test('does not open a gap for a changed message that is further up than what is loaded', () => {
    const late: Change = { kind: 'messages', messages: [sampleMessage({ position: 2, revision: 99 })] };
    expect(positions([page(10, 12, true), late])).toEqual([10, 11, 12]);
    expect(positions([{ kind: 'conversation-loading', sessionId: SESSION }, late, page(10, 12, true)])).toEqual([
      10, 11, 12,
    ]);
  });

  test('drops its old part after a reset when the newest page does not reach it', () => {
    const state = play(page(1, 3, false), page(60, 62, true)).conversations.get(SESSION);
    expect(state?.messages.map((message) => message.position)).toEqual([60, 61, 62]);
    expect(state?.hasOlder).toBe(true);
  });

  test('keeps its older pages after a reset when the newest page reaches them', () => {
    const older: Change = {
      kind: 'older-loaded',
      sessionId: SESSION,
      messages: [sampleMessage({ position: 1 })],
      hasOlder: false,
    };
    const state = play(page(2, 3, true), older, page(3, 4, true)).conversations.get(SESSION);
    expect(state?.messages.map((message) => message.position)).toEqual([1, 2, 3, 4]);
    expect(state?.hasOlder).toBe(false);
  });

  test('that was never opened collects nothing', () => {
    expect(positions([{ kind: 'messages', messages: [sampleMessage({ position: 9 })] }])).toBeUndefined();
  });
});

describe('a session', () => {
  test('is not set back by an older copy', () => {
    const state = play(
      { kind: 'session', session: sampleSession({ title: 'new', revision: 3 }) },
      { kind: 'sessions-loaded', items: [sampleSession({ title: 'old', revision: 2 })], nextCursor: null },
    );
    expect(state.sessions.byId.get(SESSION)?.title).toBe('new');
  });
});

test('a session whose agent was removed leaves the list, and its open conversation says that it is gone', () => {
  const opened: Change = { kind: 'newest-loaded', sessionId: SESSION, messages: [], hasOlder: false };
  const state = play({ kind: 'session', session: sampleSession() }, opened, {
    kind: 'session-ended',
    sessionId: SESSION,
  });
  expect(state.sessions.byId.has(SESSION)).toBe(false);
  expect(state.conversations.get(SESSION)?.load).toBe('failed');
  expect(play({ kind: 'session-ended', sessionId: 'ses_unknown' }).conversations.size).toBe(0);
});

describe('a send in flight', () => {
  const opened: Change = { kind: 'newest-loaded', sessionId: SESSION, messages: [], hasOlder: false };
  const added: Change = { kind: 'pending-added', pending: [samplePending()] };
  const committed = sampleMessage({ position: 1, direction: 'in', text: 'hello', state: 'queued' });

  test('is matched by the event that overtakes its answer, and gone with the answer', () => {
    const overtaken = play(opened, added, { kind: 'messages', messages: [committed] });
    expect(overtaken.pending[0]?.matchedId).toBe(committed.id);
    const settled = reduce(overtaken, { kind: 'pending-done', clientId: 'web-1', message: committed });
    expect(settled.pending).toEqual([]);
    expect(settled.conversations.get(SESSION)?.messages).toHaveLength(1);
  });

  test('is not matched by somebody else’s different text, nor twice by one message', () => {
    const other = sampleMessage({ position: 1, direction: 'in', text: 'other' });
    expect(play(opened, added, { kind: 'messages', messages: [other] }).pending[0]?.matchedId).toBeNull();
    const two: Change = { kind: 'pending-added', pending: [samplePending({ clientId: 'web-2' })] };
    const state = play(opened, added, two, { kind: 'messages', messages: [committed] });
    expect(state.pending.map((one) => one.matchedId)).toEqual([committed.id, null]);
  });

  test('restored twice is there once', () => {
    expect(play(added, added).pending).toHaveLength(1);
  });
});

test('the read position lies before the unread messages of the agent', () => {
  const messages = [1, 2, 3, 4].map((position) =>
    sampleMessage({ position, direction: position === 3 ? 'in' : 'out' }),
  );
  expect(findReadPosition(messages, 2)).toBe(1);
  expect(findReadPosition(messages, 0)).toBeNull();
  expect(findReadPosition(messages, 99)).toBe(0);
  expect(findReadPosition([], 2)).toBeNull();
});
