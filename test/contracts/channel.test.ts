import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TerminalChannel } from '../../host/channels/terminal/channel.ts';
import { WebChannel } from '../../host/channels/web/channel.ts';
import { KeptFiles } from '../../host/channels/web/kept-files.ts';
import type { OutgoingMessage } from '../../host/delivery/channel.ts';
import type { Transcript } from '../../host/store/transcript.ts';
import { makeId } from '../../shared/ids.ts';
import { FakeChannel } from '../support/fake-channel.ts';
import { Spine } from '../support/spine.ts';
import { type ChannelUnderTest, describeChannel } from './channel-contract.ts';

type OwnChannel = new (files: KeptFiles, transcript: Pick<Transcript, 'flush'>) => WebChannel;

function makeOwn(Kind: OwnChannel): ChannelUnderTest & { channel: WebChannel; files: string; spine: Spine } {
  const spine = new Spine();
  const files = join(spine.home.channels, 'web', 'files');
  const channel = new Kind(new KeptFiles(files, spine.transcript), spine.transcript);
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, channel.type, 'chat-1');
  const session = spine.sessions.create({ agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null }, '', 1);
  return {
    channel,
    files,
    spine,
    platformId: chat.platformId,
    staging: spine.home.uploads,
    announce(message: OutgoingMessage) {
      spine.transcript.put({
        id: message.messageId,
        sessionId: session.id,
        messagingGroupId: chat.id,
        threadId: null,
        direction: 'out',
        kind: 'chat',
        authorId: agent.id,
        authorName: agent.name,
        destination: 'chat-1',
        text: message.text,
        attachments: [],
        inReplyTo: null,
        state: 'sending',
        stateReason: null,
        clientId: null,
        traceId: makeId('trace'),
        stamps: {},
        createdAt: 1,
      });
    },
    // From the database itself: what is only queued for it is not visible to anyone.
    visible: () =>
      spine.db
        .prepare<[], { id: string; text: string }>('SELECT id, text FROM messages ORDER BY position')
        .all()
        .map(({ id, text }) => ({
          text,
          files: existsSync(join(files, id)) ? readdirSync(join(files, id)).sort() : [],
        })),
  };
}

describeChannel('web', () => makeOwn(WebChannel));
describeChannel('terminal', () => makeOwn(TerminalChannel));

// The fakes of other suites keep the same contract.
for (const idempotency of ['native', 'probe', 'none'] as const) {
  describeChannel(`fake (${idempotency})`, () => {
    const spine = new Spine();
    const channel = new FakeChannel('fake', idempotency);
    const visible = () => channel.visible.map(({ text, files }) => ({ text, files }));
    return { channel, platformId: '1', staging: spine.home.uploads, announce: () => undefined, visible };
  });
}

it('the channel web asks to be tried again when the disk takes nothing, and shows nothing of the message', async () => {
  const { channel, spine, files, platformId } = makeOwn(WebChannel);
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const stuck = new WebChannel(new KeptFiles(files, spine.transcript), {
    flush: () => {
      throw full;
    },
  });
  const path = join(spine.home.uploads, 'a.txt');
  writeFileSync(path, 'x');
  const messageId = makeId('message');
  const message: OutgoingMessage = {
    messageId,
    idempotencyKey: messageId,
    address: { platformId, threadId: null },
    text: 'x',
    files: [{ name: 'a.txt', sizeBytes: 1, contentType: 'text/plain', path }],
    question: null,
    replyToPlatformId: null,
  };
  expect((await stuck.send(message)).kind).toBe('retry');
  expect((await channel.send(message)).kind).toBe('sent');
});

it('the channel web keeps all files of a message or none', async () => {
  const { channel, spine, files, platformId } = makeOwn(WebChannel);
  const messageId = makeId('message');
  const path = join(spine.home.uploads, 'a.txt');
  writeFileSync(path, 'x');
  const file = { name: 'a.txt', sizeBytes: 1, contentType: 'text/plain', path };
  const message = {
    messageId,
    idempotencyKey: messageId,
    address: { platformId, threadId: null },
    text: 'x',
    files: [file, { ...file, name: 'b.txt', path: `${path}-missing` }],
    question: null,
    replyToPlatformId: null,
  };
  await expect(channel.send(message)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(join(files, messageId))).toBe(false);
  writeFileSync(`${path}-missing`, 'y');
  expect((await channel.send(message)).kind).toBe('sent');
  expect(readdirSync(join(files, messageId)).sort()).toEqual(['a.txt', 'b.txt']);
  rmSync(join(files, messageId), { recursive: true });
});
