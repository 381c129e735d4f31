import { expect, test } from 'vitest';
import { callChannel } from '../../../host/delivery/call.ts';

test('a host that waits for no platform any more asks it nothing, and is not held up by it', async () => {
  const stop = new AbortController();
  stop.abort();
  let isAsked = false;
  const call = () => {
    isAsked = true;
    return new Promise<never>(() => undefined);
  };
  const turns = async () => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return 'still waiting';
  };
  expect(await Promise.race([callChannel(call, stop.signal), turns()])).toMatchObject({ kind: 'uncertain' });
  expect(isAsked).toBe(false);
});

test('a call under way is cut off when the host stops', async () => {
  const stop = new AbortController();
  const signals: AbortSignal[] = [];
  const called = callChannel((signal) => {
    signals.push(signal);
    return new Promise<never>(() => undefined);
  }, stop.signal);
  stop.abort();
  expect(await called).toMatchObject({ kind: 'uncertain', reason: 'the host stopped while it was sent' });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});
