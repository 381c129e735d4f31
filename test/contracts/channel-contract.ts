/** What every channel keeps, whatever platform is behind it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Channel, OutgoingFile, OutgoingMessage } from '../../host/delivery/channel.ts';
import { makeId } from '../../shared/ids.ts';

export interface ChannelUnderTest {
  channel: Channel;
  /** A place on its platform that exists. */
  platformId: string;
  /** A folder for the files of outgoing messages, as delivery stages them. */
  staging: string;
  /** Before a send, as delivery does: the message is in the transcript. */
  announce(message: OutgoingMessage): void;
  /** What people see there now, in order, doubles included. */
  visible(): { text: string; files: string[] }[];
}

export function describeChannel(name: string, make: () => ChannelUnderTest): void {
  describe(`the channel ${name}`, () => {
    function compose(test: ChannelUnderTest, text: string, files: OutgoingFile[] = []): OutgoingMessage {
      const messageId = makeId('message');
      const address = { platformId: test.platformId, threadId: null };
      const message = {
        messageId,
        idempotencyKey: messageId,
        address,
        text,
        question: null,
        files,
        replyToPlatformId: null,
      };
      test.announce(message);
      return message;
    }

    function stage(test: ChannelUnderTest, names: string[]): OutgoingFile[] {
      const folder = join(test.staging, makeId('upload'));
      mkdirSync(folder, { recursive: true });
      return names.map((fileName) => {
        const path = join(folder, fileName);
        writeFileSync(path, `content of ${fileName}`);
        return { name: fileName, sizeBytes: 11 + fileName.length, contentType: 'text/plain', path };
      });
    }

    const signal = () => AbortSignal.timeout(10_000);

    it('has what it says it can do', () => {
      const { channel } = make();
      if (channel.abilities.canEdit) expect(channel.edit).toBeTypeOf('function');
      if (channel.abilities.canReact) expect(channel.react).toBeTypeOf('function');
      if (channel.abilities.typing !== null) expect(channel.setTyping).toBeTypeOf('function');
      if (channel.abilities.idempotency === 'probe') expect(channel.probe).toBeTypeOf('function');
    });

    it('shows what was sent once the send resolves, in order', async () => {
      const test = make();
      for (const text of ['one', 'two & <b>three</b>', 'зв’язок 🚢\nsecond line']) {
        const outcome = await test.channel.send(compose(test, text), signal());
        expect(outcome.kind).toBe('sent');
        expect(test.visible().at(-1)?.text).toBe(text);
      }
      expect(test.visible()).toHaveLength(3);
    });

    it('keeps files of its own: the staged ones may go when the send resolves', async () => {
      const test = make();
      const files = stage(test, ['report.txt', 'Übersicht (2).md']);
      expect((await test.channel.send(compose(test, 'see', files), signal())).kind).toBe('sent');
      for (const file of files) rmSync(file.path);
      expect(test.visible()).toEqual([{ text: 'see', files: ['report.txt', 'Übersicht (2).md'] }]);
    });

    it('shows a message that is sent again with the same key once, or says that it cannot', async () => {
      const test = make();
      const { idempotency } = test.channel.abilities;
      const message = compose(test, 'once', stage(test, ['a.txt']));
      if (idempotency === 'probe') {
        expect(await test.channel.probe?.(message.address, message.idempotencyKey, signal())).toEqual({
          kind: 'missing',
        });
      }
      const first = await test.channel.send(message, signal());
      if (idempotency === 'native') expect(await test.channel.send(message, signal())).toEqual(first);
      if (idempotency === 'probe') {
        const found = await test.channel.probe?.(message.address, message.idempotencyKey, signal());
        expect(found?.kind).toBe('present');
      }
      expect(test.visible()).toEqual([{ text: 'once', files: ['a.txt'] }]);
    });

    it('names what it sent, when it can edit, so that it can be found again', async () => {
      const test = make();
      if (!test.channel.abilities.canEdit) return;
      const message = compose(test, 'first');
      const outcome = await test.channel.send(message, signal());
      if (outcome.kind !== 'sent' || outcome.platformMessageId === null) throw new Error('no platform id');
      const edited = await test.channel.edit?.(message.address, outcome.platformMessageId, 'second', signal());
      expect(edited?.kind).toBe('sent');
    });
  });
}
