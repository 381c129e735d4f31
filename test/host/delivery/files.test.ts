import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

test('what is shown of a sent file is the host’s own finding: name, size and type', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const name = '\u202e.evil.png';
  const id = container.send({
    ...{ destination: 'room', channelType: 'test', platformId: 'room', deliverAfter: Date.now() + 50 },
    content: { text: 'a picture', attachments: [{ name, sizeBytes: 1, contentType: 'image/png' }] },
  });
  mkdirSync(join(paths.outFiles, id));
  writeFileSync(join(paths.outFiles, id, name), '<!doctype html><script>alert(1)</script>');
  spine.delivery.ring(session.id);
  await until('it is delivered', () => spine.transcript.get(id as never)?.state === 'delivered');
  expect(spine.transcript.get(id as never)?.attachments).toEqual([
    { name: 'evil.png', sizeBytes: 40, contentType: 'text/plain' },
  ]);
  expect(channel.visible[0]?.files).toEqual(['evil.png']);
});

test('the host’s copies of sent files are there while a send is tried again, and gone once it has ended', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push({ kind: 'retry', reason: 'busy', retryAfterMs: null });
  const container = spine.container(paths);
  const id = container.send({
    ...{ destination: 'room', channelType: 'test', platformId: 'room', deliverAfter: Date.now() + 50 },
    content: { text: '', attachments: [{ name: 'a.txt', sizeBytes: 1, contentType: '' }] },
  });
  mkdirSync(join(paths.outFiles, id));
  writeFileSync(join(paths.outFiles, id, 'a.txt'), 'x');
  spine.delivery.ring(session.id);
  await until('the first attempt', () => channel.calls === 1);
  expect(existsSync(join(spine.home.uploads, `out-${id}`, 'a.txt'))).toBe(true);
  await until('it is delivered', () => spine.transcript.get(id as never)?.state === 'delivered');
  await until('nothing is left', () => readdirSync(spine.home.uploads).length === 0);
});
