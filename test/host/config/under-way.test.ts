import { expect, onTestFinished, test } from 'vitest';
import { UnderWay } from '../../../host/config/under-way.ts';

function makeGate(): { work: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const work = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { work, open };
}

test('it is closed when all has ended, what began meanwhile included, and whoever waited has gone on', async () => {
  const underWay = new UnderWay();
  const order: string[] = [];
  const [first, second] = [makeGate(), makeGate()];
  const follow = async () => {
    await underWay.add(first.work);
    order.push('first');
    await underWay.add(second.work);
    await null;
    order.push('second');
  };
  const following = follow();
  const closing = underWay[Symbol.asyncDispose]().then(() => order.push('closed'));
  first.open();
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['first']);
  second.open();
  await Promise.all([following, closing]);
  expect(order).toEqual(['first', 'second', 'closed']);
});

test('a rejection is its caller’s, and closing does not reject', async () => {
  const underWay = new UnderWay();
  const failed = expect(underWay.add(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await underWay[Symbol.asyncDispose]();
  await failed;
});

test('a rejection that nobody takes is not hidden: it is a bug', async () => {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  onTestFinished(() => {
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  const heard = new Promise((resolve) => process.once('unhandledRejection', resolve));
  const broken = new Error('broken');
  void new UnderWay().add(Promise.reject(broken));
  expect(await heard).toBe(broken);
});
