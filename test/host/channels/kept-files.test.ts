import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeptFiles } from '../../../host/channels/web/kept-files.ts';
import { planPruning } from '../../../host/channels/web/plan-pruning.ts';
import type { OutgoingMessage } from '../../../host/delivery/channel.ts';
import { type MessageId, makeId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const DAY_MS = 24 * 3_600_000;

test('what is left of a pruning is young and fits, and nothing older was left for something younger', () => {
  const folder = fc.record({ id: fc.uuid(), sizeBytes: fc.nat(100), keptAt: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(folder), fc.nat(500), fc.nat(1_000), (made, maxBytes, maxAgeMs) => {
      const folders = made as unknown as Parameters<typeof planPruning>[0];
      const { remove, bytesLeft } = planPruning(folders, { maxBytes, maxAgeMs }, 1_000);
      const left = folders.filter((one) => !remove.includes(one));
      expect(bytesLeft).toBe(left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      expect(bytesLeft).toBeLessThanOrEqual(maxBytes);
      expect(left.every(({ keptAt }) => 1_000 - keptAt <= maxAgeMs)).toBe(true);
      const newestRemoved = Math.max(...remove.map(({ keptAt }) => keptAt));
      expect(left.every(({ keptAt }) => keptAt >= newestRemoved)).toBe(true);
    }),
  );
});

test('nothing goes while all fits', () => {
  const kept = [{ id: makeId('message'), sizeBytes: 10, keptAt: 0 }];
  expect(planPruning(kept, { maxBytes: 10, maxAgeMs: 1_000 }, 1_000)).toEqual({ remove: [], bytesLeft: 10 });
});

/** A delivered message with one file of ten bytes, kept some days ago. */
function keep(spine: Spine, folder: string, days: number): MessageId {
  const agent = spine.agents.findByName('main') ?? spine.addAgent();
  const chat = spine.addChat(agent, 'web', 'chat');
  const key = { agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null };
  const session = spine.sessions.find(key) ?? spine.sessions.create(key, '', 1);
  const id = makeId('message');
  spine.transcript.put({
    ...{ id, sessionId: session.id, messagingGroupId: chat.id, threadId: null, direction: 'out', kind: 'chat' },
    ...{ authorId: agent.id, authorName: 'main', destination: 'chat', text: '', inReplyTo: null, state: 'delivered' },
    attachments: [{ name: 'a.txt', sizeBytes: 10, contentType: 'text/plain' }],
    ...{ stateReason: null, clientId: null, traceId: makeId('trace'), stamps: {}, createdAt: 1 },
  });
  mkdirSync(join(folder, id), { recursive: true });
  writeFileSync(join(folder, id, 'a.txt'), '0123456789');
  const at = new Date(Date.now() - days * DAY_MS);
  utimesSync(join(folder, id), at, at);
  return id;
}

test('files beyond age and size go, oldest first, and their messages say that they are gone', async () => {
  const spine = new Spine();
  const folder = join(spine.home.channels, 'web', 'files');
  const [ancient, old, recent, newest] = [400, 30, 20, 10].map((days) => keep(spine, folder, days));
  mkdirSync(join(folder, 'notes-of-a-person'));
  const files = new KeptFiles(folder, spine.transcript, { maxBytes: 20, maxAgeMs: 365 * DAY_MS });
  await files.prune(Date.now());
  expect(readdirSync(folder).sort()).toEqual([newest, 'notes-of-a-person'].sort());
  const isGone = (id: MessageId | undefined) => spine.transcript.get(id as MessageId)?.attachments[0]?.gone === true;
  expect([ancient, old, recent, newest].map(isGone)).toEqual([true, true, true, false]);
});

test('a message that is too much prunes at once, and one too many times is not counted twice', async () => {
  const spine = new Spine();
  const folder = join(spine.home.channels, 'web', 'files');
  const old = keep(spine, folder, 2);
  const files = new KeptFiles(folder, spine.transcript, { maxBytes: 25, maxAgeMs: 365 * DAY_MS });
  await files.prune(Date.now());
  const path = join(spine.home.uploads, 'b.txt');
  writeFileSync(path, '0123456789');
  const send = (messageId: MessageId) =>
    files.keep({
      ...{ messageId, idempotencyKey: messageId, address: { platformId: 'chat', threadId: null }, text: '' },
      ...{
        files: [{ name: 'b.txt', sizeBytes: 10, contentType: 'text/plain', path }],
        replyToPlatformId: null,
        question: null,
      },
    } satisfies OutgoingMessage);
  const first = makeId('message');
  await send(first);
  await send(first);
  expect(existsSync(join(folder, old))).toBe(true);
  await send(makeId('message'));
  await until('the oldest is gone', () => !existsSync(join(folder, old)));
  expect(existsSync(join(folder, first))).toBe(true);
});

test('what a cut-off copy left goes after a day', async () => {
  const spine = new Spine();
  const folder = join(spine.home.channels, 'web', 'files');
  const partial = join(folder, `${makeId('message')}.partial`);
  const fresh = join(folder, `${makeId('message')}.partial`);
  for (const path of [partial, fresh]) mkdirSync(path, { recursive: true });
  utimesSync(partial, new Date(0), new Date(0));
  await new KeptFiles(folder, spine.transcript).prune(Date.now());
  expect([partial, fresh].map((path) => existsSync(path))).toEqual([false, true]);
});

test('closed, it has kept what was being kept', async () => {
  const spine = new Spine();
  const folder = join(spine.home.channels, 'web', 'files');
  const path = join(spine.home.uploads, 'b.txt');
  writeFileSync(path, '0123456789');
  const files = new KeptFiles(folder, spine.transcript);
  const messageId = makeId('message');
  const message: OutgoingMessage = {
    ...{ messageId, idempotencyKey: messageId, address: { platformId: 'chat', threadId: null }, text: '' },
    ...{ files: [{ name: 'b.txt', sizeBytes: 10, contentType: 'text/plain', path }] },
    ...{ replyToPlatformId: null, question: null },
  };
  const keeping = files.keep(message);
  await files[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([messageId]);
  await keeping;
});
