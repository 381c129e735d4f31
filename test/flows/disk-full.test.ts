/** The disk fills up: new messages are refused with a clear error, nothing is half-written, and it goes on by itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;

/** A small disk of its own for the home. */
function mountSmallDisk(sizeMib: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const home = join(folder, 'home');
  mkdirSync(home);
  return home;
}

function freeBytes(folder: string): number {
  const stats = statfsSync(folder);
  return stats.bavail * stats.bsize;
}

test('with little room left messages are refused before anything is written, and taken again when there is room', async () => {
  const home = mountSmallDisk(128);
  const flow = await new FlowHost({ home, driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  await flow.ask('family', 'help');
  const ballast = join(home, 'ballast');
  writeFileSync(ballast, Buffer.alloc(freeBytes(home) - 32 * MIB));
  await until('the host notices', async () => {
    try {
      await flow.say('family', 'who am i');
      return false;
    } catch (error) {
      expect(error).toMatchObject({
        code: 'disk_full',
        retryable: true,
        hint: expect.stringContaining('free some disk space'),
      });
      return true;
    }
  });
  rmSync(ballast);
  await until('messages are taken again', async () => {
    try {
      await flow.say('family', 'time');
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'disk_full' });
      return false;
    }
  });
  await until('it is answered', () => flow.seen('family').some((reply) => reply.text.startsWith('It is')));
});

test('a disk that fills up between two looks loses nothing: the refused message is taken later, once', async () => {
  const home = mountSmallDisk(160);
  const flow = await new FlowHost({ home, driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  await flow.ask('family', 'help');
  const session = await flow.say('family', 'who am i');
  await flow.next('family', 1);
  const before = flow.host.stores.transcript.listForSession(session, { limit: 100 }).length;
  const ballast = join(home, 'ballast');
  // To the last byte, within the second for which a measured figure holds.
  const fill = () => writeFileSync(ballast, Buffer.alloc(freeBytes(home)), { flag: 'a' });
  fill();
  const big = 'x'.repeat(60_000);
  await expect(flow.say('family', big)).rejects.toMatchObject({ code: 'disk_full' });
  rmSync(ballast);
  await until('messages are taken again', async () => {
    try {
      await flow.say('family', 'time');
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'disk_full' });
      return false;
    }
  });
  await until('it is answered', () => flow.seen('family').some((reply) => reply.text.startsWith('It is')));
  const messages = flow.host.stores.transcript.listForSession(session, { limit: 100 });
  expect(messages.filter((message) => message.text === big)).toEqual([]);
  expect(messages.length).toBe(before + 2);
});
