import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withLock } from '../../scripts/lib/lock.mjs';

const LOCK = fileURLToPath(new URL('../../scripts/lib/lock.mjs', import.meta.url));

function scopeOf(name: string): { scope: string; name: string } {
  return { scope: `test-${process.pid}`, name };
}

test('work under one lock never overlaps', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(scopeOf('overlap'), work)));
  expect(most).toBe(1);
});

test('locks of other names do not wait for each other', async () => {
  await withLock(scopeOf('one'), async () => {
    expect(await withLock(scopeOf('two'), async () => 'inside')).toBe('inside');
  });
});

test('work that throws frees the lock', async () => {
  await expect(withLock(scopeOf('throws'), () => Promise.reject(new Error('on purpose')))).rejects.toThrow(
    'on purpose',
  );
  expect(await withLock(scopeOf('throws'), async () => 'free')).toBe('free');
});

test('the death of a holder frees the lock, and whoever waits was told who held it', async () => {
  const lock = scopeOf('death');
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { withLock } from ${JSON.stringify(LOCK)};
       await withLock(${JSON.stringify(lock)}, () => {
         process.stdout.write('held');
         return new Promise((resolve) => setTimeout(resolve, 60_000));
       });`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  const told: string[] = [];
  const waited = withLock(
    {
      ...lock,
      onWait: (by) => {
        told.push(by);
        holder.kill('SIGKILL');
      },
    },
    async () => 'mine',
  );
  expect(await waited).toBe('mine');
  expect(told).toEqual([`process ${holder.pid}`]);
});
