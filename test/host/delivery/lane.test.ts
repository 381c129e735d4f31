import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MAX_DELIVERY_ATTEMPTS, SEND_TIMEOUT_MS } from '../../../host/config/limits.ts';
import type { SendOutcome } from '../../../host/delivery/channel.ts';
import { closeLanes, Lane, type LaneItem } from '../../../host/delivery/lane.ts';
import { makeId } from '../../../shared/ids.ts';
import { FakeChannel } from '../../support/fake-channel.ts';

const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function makeItem(id: string): LaneItem {
  return {
    sessionId: makeId('session'),
    message: { id, body: { kind: 'chat', content: { text: id, attachments: [] } } } as unknown as LaneItem['message'],
    row: {
      messageOutId: id,
      seq: 1,
      state: 'queued',
      attempts: 0,
      nextAttemptAt: null,
      idempotencyKey: id,
      platformMessageId: null,
      reason: null,
      updatedAt: 0,
    },
    mayBeSent: false,
  };
}

/** A lane of a native channel whose attempts end as the function says. */
function makeLane(attempt: (item: LaneItem, signal: AbortSignal) => Promise<SendOutcome>) {
  const channel = new FakeChannel('test', 'native');
  const ended: LaneItem[] = [];
  const committed: LaneItem['row'][] = [];
  const lane = new Lane({
    channel: () => channel,
    now: Date.now,
    random: () => 0.5,
    commit: async (items) => {
      committed.push(...items.map(({ row }) => row));
    },
    refuse: () => null,
    attempt: (_channel, item, signal) => attempt(item, signal),
    ended: (item) => ended.push(item),
    broke: (error) => {
      throw error;
    },
  });
  return { lane, ended, committed };
}

test('a channel that always fails without an answer is given up after its attempts, with ever longer waits', async () => {
  const calledAt: number[] = [];
  const { lane, ended } = makeLane(async () => {
    calledAt.push(Date.now());
    throw new Error('not a function');
  });
  const item = makeItem('one');
  lane.push([item]);
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(calledAt).toHaveLength(MAX_DELIVERY_ATTEMPTS);
  const waits = calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? 0));
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(ended).toEqual([item]);
  expect(item.row).toMatchObject({ state: 'unknown', attempts: MAX_DELIVERY_ATTEMPTS });
  lane.close();
});

test('what stands behind a message that waits is not counted as tried', async () => {
  let healthy = false;
  const { lane, ended } = makeLane(async (item) =>
    healthy
      ? { kind: 'sent', platformMessageId: item.message.id }
      : { kind: 'retry', reason: 'busy', retryAfterMs: null },
  );
  const [first, second] = [makeItem('one'), makeItem('two')];
  lane.push([first, second]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(first.row.attempts).toBeGreaterThan(3);
  expect(second.row).toMatchObject({ state: 'queued', attempts: 0 });
  healthy = true;
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  expect(ended).toEqual([first, second]);
  expect(second.row).toMatchObject({ state: 'delivered', attempts: 1 });
  lane.close();
});

test('doubled: a time-out is taken for a failure: a channel call without an end is cut off, and told from one that failed', async () => {
  const { lane } = makeLane(() => new Promise(() => undefined));
  const item = makeItem('a');
  lane.push([item]);
  await vi.advanceTimersByTimeAsync(SEND_TIMEOUT_MS - 1);
  expect(item.row.reason).toBeNull();
  await vi.advanceTimersByTimeAsync(2);
  expect(item).toMatchObject({ mayBeSent: true, row: { state: 'sending', reason: expect.stringContaining('30 s') } });
  lane.close();
});

test('closed, it does not wait for a channel that hangs, and its message is settled as perhaps sent', async () => {
  let wasAborted = false;
  const { lane, committed } = makeLane(async (_item, signal) => {
    signal.addEventListener('abort', () => {
      wasAborted = true;
    });
    return new Promise(() => undefined);
  });
  const item = makeItem('one');
  lane.push([item]);
  await vi.advanceTimersByTimeAsync(0);
  const order: string[] = [];
  const closing = closeLanes([lane], 5_000).then(() => order.push(`closed with ${item.row.state}`));
  await vi.advanceTimersByTimeAsync(4_999);
  expect(order).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await closing;
  expect(order).toEqual(['closed with sending']);
  expect(wasAborted).toBe(true);
  expect(committed.at(-1)).toMatchObject({ state: 'sending', reason: 'the host stopped while it was sent' });
});

test('closed, it waits for the answer that comes in time, and for what is noted of it', async () => {
  let answer: (outcome: SendOutcome) => void = () => undefined;
  const { lane, ended } = makeLane(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  lane.push([makeItem('one'), makeItem('two')]);
  await vi.advanceTimersByTimeAsync(0);
  let isClosed = false;
  const closing = closeLanes([lane], 5_000).then(() => {
    isClosed = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isClosed).toBe(false);
  answer({ kind: 'sent', platformMessageId: 'p1' });
  await closing;
  expect(ended.map(({ row }) => row.state)).toEqual(['delivered']);
});
