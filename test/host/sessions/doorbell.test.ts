/** Doorbells both ways: what rings, what does not, and what a container may not make of its own. */
import { closeSync, openSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Doorbells } from '../../../host/sessions/doorbell.ts';
import { createSessionFolder } from '../../../host/sessions/folder.ts';
import { Inboxes } from '../../../host/sessions/inbox.ts';
import { makeId } from '../../../shared/ids.ts';
import { sessionPaths } from '../../../shared/session-files.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';

const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

function makeSession() {
  const { home } = makeTempHome();
  const ref = { id: makeId('session'), agentGroupId: makeId('agentGroup') };
  const paths = sessionPaths(home, ref.agentGroupId, ref.id);
  createSessionFolder(paths, user);
  const rung: string[] = [];
  const doorbells = new Doorbells((id) => rung.push(id));
  onTestFinished(() => doorbells[Symbol.dispose]());
  return { home, ref, paths, rung, doorbells };
}

const touch = (path: string) => utimesSync(path, new Date(), new Date());

test('a touch of the container’s doorbell rings for its session', async () => {
  const { ref, paths, rung, doorbells } = makeSession();
  doorbells.watch(ref.id, paths.out);
  touch(paths.outDoorbell);
  await until('it rings', () => rung.includes(ref.id));
});

test('nothing else in the container’s folder rings', async () => {
  const { ref, paths, rung, doorbells } = makeSession();
  doorbells.watch(ref.id, paths.out);
  writeFileSync(join(paths.out, 'other'), 'x');
  touch(paths.heartbeat);
  const other = makeSession();
  other.doorbells.watch(other.ref.id, other.paths.out);
  touch(other.paths.outDoorbell);
  // Events come in order: the later one is here, so the earlier ones have passed.
  await until('the other rings', () => other.rung.length > 0);
  expect(rung).toEqual([]);
});

test('a doorbell that is a link is not watched, and costs only its own session', async () => {
  const { home, ref, paths, rung, doorbells } = makeSession();
  const secret = join(home, 'secret');
  writeFileSync(secret, '');
  rmSync(paths.outDoorbell);
  symlinkSync(secret, paths.outDoorbell);
  doorbells.watch(ref.id, paths.out);
  const other = makeSession();
  doorbells.watch(other.ref.id, other.paths.out);
  touch(secret);
  touch(other.paths.outDoorbell);
  await until('the other rings', () => rung.includes(other.ref.id));
  expect(rung).not.toContain(ref.id);
});

test('a doorbell put back in place of a link is watched at the next start', async () => {
  const { ref, paths, rung, doorbells } = makeSession();
  rmSync(paths.outDoorbell);
  doorbells.watch(ref.id, paths.out);
  writeFileSync(paths.outDoorbell, '');
  doorbells.watch(ref.id, paths.out);
  touch(paths.outDoorbell);
  await until('it rings', () => rung.includes(ref.id));
});

test('a storm of events costs a bounded number of rings, and whoever was drowned out is rung', async () => {
  const storming = makeSession();
  const other = sessionPaths(storming.home, makeId('agentGroup'), makeId('session'));
  createSessionFolder(other, user);
  const otherId = makeId('session');
  const { ref, paths, rung, doorbells } = storming;
  doorbells.watch(ref.id, paths.out);
  doorbells.watch(otherId, other.out);
  // Of two kinds by turns, so that the kernel makes none of them one.
  const bell = openSync(paths.outDoorbell, 'r+');
  const touches = 20_000;
  for (let at = 0; at < touches; at++) {
    touch(paths.outDoorbell);
    writeSync(bell, 'x', 0);
    if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  closeSync(bell);
  expect(rung.filter((id) => id === ref.id).length).toBeLessThan(touches / 20);
  await until('whoever was drowned out is rung', () => rung.includes(otherId));
});

test('after a storm the doorbell is heard again', async () => {
  const { ref, paths, rung, doorbells } = makeSession();
  doorbells.watch(ref.id, paths.out);
  for (let at = 0; at < 2_000; at++) {
    touch(paths.outDoorbell);
    writeFileSync(paths.outDoorbell, 'x');
  }
  await until('it rings for the storm', () => rung.length > 0);
  await until('it rings at the end of its rest', () => rung.length > 1);
  const before = rung.length;
  touch(paths.outDoorbell);
  await until('it rings again', () => rung.length > before);
});

test('the runner is rung for rows it should take, and not for what became of its own', async () => {
  const { home, ref, paths } = makeSession();
  using inboxes = new Inboxes(home, () => undefined);
  utimesSync(paths.inDoorbell, 0, 0);
  const lastRing = () => statSync(paths.inDoorbell).mtimeMs;
  const id = makeId('message');
  await inboxes.commit(ref, (tables) =>
    tables.putDelivery({
      messageOutId: id,
      seq: 1,
      state: 'delivered',
      attempts: 1,
      nextAttemptAt: null,
      idempotencyKey: id,
      platformMessageId: null,
      reason: null,
      updatedAt: 1,
    }),
  );
  expect(lastRing()).toBe(0);
  await inboxes.commit(ref, (tables) =>
    tables.append([
      {
        id: makeId('message'),
        kind: 'chat',
        timestamp: 1,
        processAfter: null,
        trigger: true,
        onWake: false,
        channelType: 'web',
        platformId: 'p',
        threadId: null,
        senderId: null,
        sourceSessionId: null,
        inReplyTo: null,
        hop: 0,
        traceId: makeId('trace'),
        content: '{"text":"hello"}',
      },
    ]),
  );
  expect(lastRing()).toBeGreaterThan(0);
});
