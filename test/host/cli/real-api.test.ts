/** The command line against the real API server, its routing and its store: both must mean the same. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MessageId } from '../../../shared/ids.ts';
import { makeId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { portolan, type Run, type RunOptions } from './support/run.ts';

function run(api: ApiFixture, words: string[], options?: RunOptions): Promise<Run> {
  return portolan(api.spine.home, words, options);
}

/** Plays the agent: what comes in is answered in the transcript, as delivery would tell it. */
function answerWith(api: ApiFixture, text: string): void {
  const { transcript } = api.spine;
  transcript.onFlush((messages) => {
    for (const message of messages) {
      if (message.direction !== 'in' || message.state !== 'queued') continue;
      transcript.change(message.id, { state: 'read' });
      transcript.put({
        ...message,
        id: makeId('message'),
        direction: 'out',
        authorId: null,
        authorName: 'main',
        destination: 'terminal',
        text: `${text} ${message.text}`,
        attachments: [],
        inReplyTo: message.id,
        state: 'delivered',
        clientId: null,
        stamps: { received: 1_000, sent: 1_012.5 },
      });
      transcript.change(message.id, { state: 'answered' });
    }
  });
}

describe('against the real API', () => {
  it('every list and status is understood, as a table and as one JSON document', async () => {
    const api = await startApi();
    api.openSession('Trip to Lisbon');
    for (const words of [
      ['status'],
      ['agents'],
      ['chats'],
      ['wirings'],
      ['destinations', 'main'],
      ['dropped'],
      ['sessions'],
    ]) {
      const table = await run(api, words, { columns: 100 });
      expect(table, words[0]).toMatchObject({ code: 0, err: '' });
      const json = await run(api, [...words, '--json']);
      expect(JSON.parse(json.out), words[0]).toBeTypeOf('object');
    }
    expect((await run(api, ['sessions', '--agent', 'main'])).out).toContain('Trip to Lisbon');
    expect((await run(api, ['wirings'])).out).toMatch(/Trip to Lisbon +main +always/);
  });

  it('send finds the one terminal chat of the agent again, and prints the reply', async () => {
    const api = await startApi();
    answerWith(api, 'you said');
    expect(await run(api, ['send', 'main', 'one', '--wait'])).toMatchObject({ code: 0, out: 'you said one\n' });
    expect(await run(api, ['send', 'main', 'two', '--wait'])).toMatchObject({ code: 0, out: 'you said two\n' });
    const { items } = JSON.parse((await run(api, ['sessions', '--json'])).out);
    expect(items.filter((session: { channelType: string }) => session.channelType === 'terminal')).toHaveLength(1);
    expect(items[0].unread).toBe(0);
  });

  it('a piped chat goes on in a session, with a file', async () => {
    const api = await startApi();
    answerWith(api, 'got');
    const session = api.openSession();
    writeFileSync(join(api.spine.home.home, 'plan.txt'), 'the plan');
    const { out, code } = await run(api, ['chat', '--session', session.id], {
      stdin: '/attach plan.txt\nlook\nagain\n',
    });
    expect({ out, code }).toEqual({ out: 'got look\ngot again\n', code: 0 });
    const { items } = JSON.parse((await run(api, ['sessions', '--json'])).out);
    expect(items[0].id).toBe(session.id);
  });

  it('trace shows the path of the reply', async () => {
    const api = await startApi();
    answerWith(api, 'x');
    await run(api, ['send', 'main', 'hi', '--wait']);
    const { code, out } = await run(api, ['trace', 'last']);
    expect(code).toBe(0);
    expect(out).toMatch(/sent +12\.5 ms/);
  });

  it('release, restart-session, url and stop reach the host', async () => {
    const api = await startApi();
    const session = api.openSession();
    api.spine.sessions.setQuarantine(session.id, 'outbound.db is not what it was', api.spine.now());
    expect((await run(api, ['sessions', '--state', 'quarantined'])).out).toContain('outbound.db is not what it was');
    expect(await run(api, ['release', session.id.slice(-6)])).toMatchObject({ code: 0 });
    expect(api.released).toEqual([session.id]);
    expect(await run(api, ['restart-session', session.id])).toMatchObject({ code: 0 });
    expect(api.stopped).toEqual([session.id]);
    expect((await run(api, ['url'])).out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=\S+\n$/);
    // This fixture goes on after a shutdown, as a host that hangs would.
    const stop = await run(api, ['stop', '--timeout', '1']);
    expect(stop).toMatchObject({ code: 1, err: expect.stringContaining('still runs after 1 s') });
    expect(api.shutdowns).toBe(1);
  });

  it('resend and drop settle what may not have arrived, and are refused for what did', async () => {
    const api = await startApi();
    answerWith(api, 'x');
    const { replies } = JSON.parse((await run(api, ['send', 'main', 'hi', '--wait', '--json'])).out);
    const id: MessageId = replies[0].id;
    expect(await run(api, ['resend', id])).toMatchObject({ code: 5 });
    api.spine.transcript.change(id, { state: 'unknown', stateReason: 'the connection broke' });
    expect(await run(api, ['resend', id.slice(-8)])).toMatchObject({ code: 0 });
    expect(await run(api, ['drop', id])).toMatchObject({ code: 0 });
    expect(api.settled).toEqual([id, id]);
  });

  it.each([
    [['send', 'ses_00000000000000000000', 'x'], 4, 'no such session'],
    [['trace', 'msg_00000000000000000000'], 4, 'no such message'],
    [['destinations', 'nobody'], 4, 'one of main'],
    [['release', 'ses_00000000000000000000'], 4, 'no such session'],
  ])('%j ends with %i, in words', async (words, code, told) => {
    const ended = await run(await startApi(), words);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(told);
  });

  it('an answer of the agent that is refused is told, and ends with 5', async () => {
    const api = await startApi();
    const { transcript } = api.spine;
    const answered = new Set<MessageId>();
    transcript.onFlush((messages) => {
      for (const message of messages) {
        if (message.direction !== 'in' || answered.has(message.id)) continue;
        answered.add(message.id);
        transcript.change(message.id, { state: 'refused', stateReason: 'nobody listens here' });
      }
    });
    const ended = await run(api, ['send', 'main', 'x', '--wait']);
    expect(ended).toMatchObject({ code: 5, out: '', err: expect.stringContaining('nobody listens here') });
  });
});
