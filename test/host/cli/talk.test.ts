import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { saveReceivedFile } from '../../../host/cli/chat/files.ts';
import { createHostApi } from '../../../host/cli/client/api.ts';
import { followEvents, type LiveEvent } from '../../../host/cli/client/live.ts';
import type { Message } from '../../../host/cli/client/types.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';
import { FakeHost } from './support/fake-host.ts';
import { portolan } from './support/run.ts';

describe('portolan send', () => {
  it('posts once and prints the id of the message', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const { code, out } = await portolan(paths, ['send', 'main', 'hello', 'there']);
    expect(code).toBe(0);
    expect(host.messages.map(({ text }) => text)).toEqual(['hello there']);
    expect(out.trim()).toBe(host.messages[0]?.id);
  });

  it('with --wait prints the replies to this message, and nothing else of the session', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    host.onPosted = (message) => {
      host.addMessage(session, { direction: 'out', text: 'of somebody else' });
      host.change(message, { state: 'read' });
      host.addMessage(session, { direction: 'out', text: '**one**', inReplyTo: message.id });
      const late = host.addMessage(session, { direction: 'out', text: 'two', inReplyTo: message.id, state: 'queued' });
      host.change(message, { state: 'answered' });
      setImmediate(() => host.change(late, { state: 'delivered' }));
    };
    const { code, out } = await portolan(paths, ['send', session.id.slice(-8), 'hi', '--wait']);
    expect(code).toBe(0);
    expect(out).toBe('**one**\ntwo\n');
  });

  it('with --wait prints what an edited reply says in the end, also when its last edit comes a moment late', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => {
      const reply = host.reply(message, '0 %');
      setImmediate(async () => {
        host.change(reply, { text: '50 %', editedAt: 1 });
        // In turns, not in time: what the command waits for is short, and a busy machine shortens it.
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        host.change(reply, { text: '100 %', editedAt: 2 });
      });
    };
    const { code, out } = await portolan(paths, ['send', 'main', 'slow', '--wait']);
    expect([code, out]).toEqual([0, '100 %\n']);
  });

  it('in lines shows a question that waits for a person, takes the next line as its answer, and prints what follows', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const open = { title: '', question: 'Tea?', options: ['yes', 'no'], state: 'pending' as const };
    const unanswered = { answer: null, answeredBy: null, answeredAt: null, approvalId: null, outcome: null };
    const question = { ...open, ...unanswered, expiresAt: 1 };
    const asked: Message[] = [];
    host.onPosted = (message) => {
      const [first] = asked;
      asked.push(message);
      host.change(message, { state: first === undefined ? 'read' : 'answered' });
      const inReplyTo = (first ?? message).id;
      if (first === undefined) host.addMessage(session, { direction: 'out', text: 'Tea?', inReplyTo, question });
      else host.addMessage(session, { direction: 'out', text: 'So be it.', inReplyTo });
    };
    const ended = await portolan(paths, ['chat', '--session', session.id], { stdin: 'ask me\n1\n' });
    expect([ended.code, ended.out, ended.err]).toEqual([0, 'Tea?\nSo be it.\n', '']);
  });

  it('with --wait --json prints one document with the message and its replies', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => host.reply(message, 'pong');
    const { out } = await portolan(paths, ['send', 'main', 'ping', '--wait', '--json']);
    expect(JSON.parse(out)).toMatchObject({ message: { state: 'answered' }, replies: [{ text: 'pong' }] });
  });

  it.each([
    [{ state: 'failed' as const, stateReason: 'tried 5 times' }, 1, 'failed: tried 5 times'],
    [{ state: 'refused' as const, stateReason: 'no wiring' }, 5, 'was refused: no wiring'],
  ])('tells when the message ends as %j', async (end, exitCode, told) => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => host.change(message, end);
    const { code, out, err } = await portolan(paths, ['send', 'main', 'x', '--wait']);
    expect(code).toBe(exitCode);
    expect(out).toBe('');
    expect(err).toContain(told);
  });

  it('gives up after --timeout, naming the trace to look at', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const { code, err } = await portolan(paths, ['send', 'main', 'x', '--wait', '--timeout', '1']);
    expect(code).toBe(1);
    expect(err).toContain(`portolan --home ${paths.home} trace ${host.messages[0]?.id}`);
  });

  it('ends at once when it is interrupted', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const interrupted = new AbortController();
    host.onPosted = () => interrupted.abort();
    const { code, err } = await portolan(paths, ['send', 'main', 'x', '--wait'], { interrupted: interrupted.signal });
    expect(code).toBe(1);
    expect(err).toContain('Interrupted');
  });

  it('reads stdin without text, and sends files', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    writeFileSync(join(paths.home, 'plan ü.txt'), 'the plan');
    const { code, err } = await portolan(paths, ['send', 'main', '--file', 'plan ü.txt', '--', '-'], {
      stdin: 'look\n',
    });
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(host.messages[0]).toMatchObject({ text: 'look', attachments: [{ name: 'plan ü.txt', sizeBytes: 8 }] });
    expect(String(host.files.get(`${host.messages[0]?.id}/plan ü.txt`))).toBe('the plan');
  });

  it('refuses what the host would refuse before anything is sent', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.addSession(host.agents[0] ?? host.addAgent('x'), {
      channelType: 'slack',
      writable: false,
      id: 'ses_0mb2k9x0q17h3kq0v9z1c' as never,
    });
    const long = await portolan(paths, ['send', 'main'], { stdin: 'x'.repeat(70_000) });
    expect(long).toMatchObject({ code: 2, err: expect.stringContaining('at most 65536 bytes') });
    const folder = await portolan(paths, ['send', 'main', 'x', '--file', '.']);
    expect(folder).toMatchObject({ code: 2, err: expect.stringContaining('a file, not a folder') });
    const missing = await portolan(paths, ['send', 'main', 'x', '--file', 'nowhere.txt']);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('nowhere.txt') });
    const nobody = await portolan(paths, ['send', 'mian', 'x']);
    expect(nobody).toMatchObject({ code: 4, err: expect.stringContaining('an agent (main)') });
    const foreign = await portolan(paths, ['send', host.sessions[0]?.id ?? '', 'x']);
    expect(foreign).toMatchObject({ code: 5, err: expect.stringContaining('belongs to a slack chat') });
    expect(host.messages).toEqual([]);
  });
});

describe('portolan chat in a pipe', () => {
  it('sends each line, waits for its reply, prints it plain and ends', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => host.reply(message, `you said ${message.text}`);
    const { code, out } = await portolan(paths, ['chat'], { stdin: 'one\n\ntwo\n/help\n/quit\nthree\n' });
    expect(code).toBe(0);
    // The host answers /help, whoever asks.
    expect(out).toBe('you said one\nyou said two\nyou said /help\n');
  });

  it('goes on in a session, and prints one document with --json', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'), { channelType: 'web' });
    host.onPosted = (message) => host.reply(message, 'yes');
    const { out } = await portolan(paths, ['chat', '--session', session.id, '--json'], { stdin: 'a\nb\n' });
    expect(JSON.parse(out).exchanges).toHaveLength(2);
    expect(
      host.messages.filter(({ direction }) => direction === 'in').every(({ sessionId }) => sessionId === session.id),
    ).toBe(true);
  });

  it('says when nobody replied, instead of nothing', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => host.change(message, { state: 'answered' });
    const { code, err } = await portolan(paths, ['chat'], { stdin: 'a\n' });
    expect(code).toBe(0);
    expect(err).toContain('did not reply');
  });
});

describe('a lost connection', () => {
  it('costs no reply: the host sends what changed meanwhile', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => {
      setImmediate(async () => {
        host.cutStreams();
        await until('the stream to be gone', () => host.readers === 0);
        host.reply(message, 'while you were away');
      });
    };
    const { code, out, err } = await portolan(paths, ['send', 'main', 'x', '--wait']);
    expect(code).toBe(0);
    expect(out).toBe('while you were away\n');
    expect(err).toContain('Connection lost');
  });

  it('to a host that starts anew is taken up again where it was, with each message exactly once', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const ending = new AbortController();
    const events: LiveEvent[] = [];
    const following = (async () => {
      for await (const event of followEvents(createHostApi(paths.socket), {
        sessionId: session.id,
        signal: ending.signal,
      })) {
        events.push(event);
      }
    })();
    const texts = () => events.flatMap((event) => (event.kind === 'message' ? [event.message.text] : []));
    await until('the first connection', () => events.some(({ kind }) => kind === 'connected'));
    host.addMessage(session, { text: 'one' });
    await until('the first message', () => texts().length === 1);
    await host.stop();
    await until('the loss', () => events.some(({ kind }) => kind === 'lost'));
    host.addMessage(session, { text: 'two' });
    host.addMessage(session, { text: 'three' });
    await host.listen();
    await until('what was missed', () => texts().length >= 3);
    host.addMessage(session, { text: 'four' });
    await until('what came after', () => texts().length >= 4);
    expect(texts()).toEqual(['one', 'two', 'three', 'four']);
    ending.abort();
    await following;
  });

  it('between commit and answer of a post makes no second message when it is sent again', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const api = createHostApi(paths.socket);
    host.failNextPostAfterCommit = true;
    const message = { text: 'once', clientId: 'c1' };
    await expect(api.sendMessage(session.id, message)).rejects.toMatchObject({ code: 'host_gone' });
    await host.listen();
    const again = await api.sendMessage(session.id, message);
    expect(host.messages.map(({ id }) => id)).toEqual([again.id]);
  });
});

describe('a received file', () => {
  it('is saved under a harmless name in the folder, never over another', async () => {
    const { home } = makeTempHome();
    const folder = join(home, 'saved');
    const save = (name: string, target: string | null = null) =>
      saveReceivedFile(name, Buffer.from(name), target, folder).then((path) => path.slice(folder.length + 1));
    expect(await save('../../etc/passwd')).toBe('_.._etc_passwd');
    expect(await save('.bashrc')).toBe('bashrc');
    expect(await save('-rf')).toBe('rf');
    expect(await save('...')).toBe('file');
    expect(await save('a.txt')).toBe('a.txt');
    expect(await save('a.txt')).toBe('a-2.txt');
    await expect(save('x', 'a.txt')).rejects.toMatchObject({ code: 'file_exists' });
    expect(readdirSync(folder)).toHaveLength(6);
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a.txt');
  });
});
