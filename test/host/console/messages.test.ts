import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readUpload } from '../../../host/console/api/uploads.ts';
import { makeId } from '../../../shared/ids.ts';
import { MAX_FILE_BYTES, MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { ApiFixture, BEARER, startApi } from '../../support/api-server.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');

interface Part {
  name: string;
  filename?: string;
  content: string | Buffer;
  type?: string;
}

/** Built by hand, so that names go out exactly as given. */
function makeForm(parts: Part[], end = '--B--\r\n'): { headers: Record<string, string>; body: Buffer } {
  const chunks = parts.flatMap(({ name, filename, content, type }) => [
    Buffer.from(
      `--B\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}` +
        `${type === undefined ? '' : `\r\nContent-Type: ${type}`}\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
    body: Buffer.concat([...chunks, Buffer.from(end)]),
  };
}

function staged(api: ApiFixture): string[] {
  return readdirSync(api.spine.home.uploads);
}

function countMessages(api: ApiFixture): number {
  api.spine.transcript.flush();
  return Number(api.spine.db.prepare('SELECT count(*) FROM messages').pluck().get());
}

describe('saying something', () => {
  it('answers with the message once it is committed, and wakes the agent', async () => {
    const api = await startApi();
    const session = api.openSession();
    const answer = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: ' hi \n' } });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      sessionId: session.id,
      direction: 'in',
      kind: 'chat',
      author: { id: 'web:owner', name: 'Owner' },
      text: ' hi \n',
      state: 'queued',
    });
    expect(api.spine.woken).toEqual([session.id]);
    const row = api.spine.inboxes.read(api.spine.session(session.id), (tables) => tables.getRoute(answer.json.id));
    expect(row).toMatchObject({ channelType: 'web' });
    expect((await api.call(`/messages/${answer.json.id}`)).json).toEqual(answer.json);
  });

  it('makes one message of many posts with the same clientId', async () => {
    const api = await startApi();
    const session = api.openSession();
    const json = { text: 'once', clientId: 'client-0001' };
    const path = `/sessions/${session.id}/messages`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.call(path, { method: 'POST', json })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map((answer) => answer.json.id)).size).toBe(1);
    expect(countMessages(api)).toBe(1);
    const other = await api.call(`/sessions/${api.openSession().id}/messages`, { method: 'POST', json });
    expect(other.status).toBe(201);
  });

  it('takes the longest text that is allowed, also when JSON doubles its length', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const text = '\u0001'.repeat(MAX_TEXT_BYTES);
    const answer = await api.call(path, { method: 'POST', json: { text } });
    expect([answer.status, answer.json.text.length]).toEqual([201, MAX_TEXT_BYTES]);
  });

  it('refuses messages to chats of other platforms', async () => {
    const api = await startApi();
    const chat = api.spine.addChat(api.agent, 'telegram', '-1');
    const { session } = await api.spine.say(chat, 'hello');
    const path = `/sessions/${session.id}/messages`;
    const answer = await api.call(path, { method: 'POST', json: { text: 'hi' } });
    expect([answer.status, answer.json.error.code]).toEqual([409, 'not_writable']);
    expect((await api.call(`/sessions/${session.id}`)).json.writable).toBe(false);
  });

  it('says so when no agent listens any more', async () => {
    const api = await startApi();
    const session = api.openSession();
    const [wiring] = (await api.call('/wirings')).json.items;
    await api.call(`/wirings/${wiring.id}`, { method: 'DELETE', headers: { 'if-match': '"1"' } });
    const answer = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hi' } });
    expect([answer.status, answer.json.error.code]).toEqual([409, 'unwired']);
    expect((await api.call('/dropped')).json.items).toMatchObject([
      { channelType: 'web', reason: 'unwired', why: 'No agent listens in this chat.', count: 1 },
    ]);
  });
});

describe('files beside a message', () => {
  it('go to the agent under safe names with the type of their bytes, and nothing stays staged', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const names = ['../../etc/passwd', '.bashrc', 'a\u202egnp.exe', 'cafe\u0301.txt', 'C:\\x\\y.png', 'y.png', '...'];
    const files = names.map((filename) => ({ name: 'file', filename, content: PNG, type: 'text/html' }));
    const form = makeForm([{ name: 'text', content: 'see' }, { name: 'clientId', content: 'client-0001' }, ...files]);
    const answer = await api.call(path, { method: 'POST', ...form });
    expect(answer.status).toBe(201);
    const { attachments } = answer.json;
    expect(attachments.map((one: { name: string }) => one.name)).toEqual([
      'passwd',
      'bashrc',
      'agnp.exe',
      'caf\u00e9.txt',
      'y.png',
      '2-y.png',
      'file',
    ]);
    for (const { contentType, sizeBytes } of attachments) {
      expect([contentType, sizeBytes]).toEqual(['image/png', PNG.length]);
    }
    expect(staged(api)).toEqual([]);
    const file = await api.call(`/${attachments[5].url.slice('/api/v1/'.length)}`);
    expect([file.status, file.body.equals(PNG), file.headers['content-type']]).toEqual([200, true, 'image/png']);
    expect(file.headers['content-disposition']).toContain('inline');
    // The same clientId again, files and all, is the same message.
    expect((await api.call(path, { method: 'POST', ...form })).status).toBe(200);
    expect(countMessages(api)).toBe(1);
  });

  it('may stand without text, yet not nothing at all', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const file = { name: 'file', filename: 'empty.bin', content: '' };
    const answer = await api.call(path, { method: 'POST', ...makeForm([file]) });
    expect([answer.status, answer.json.text]).toEqual([201, '']);
    const download = await api.call(`/${answer.json.attachments[0].url.slice('/api/v1/'.length)}`);
    expect([download.status, download.body.length]).toEqual([200, 0]);
    const nothing = await api.call(path, { method: 'POST', ...makeForm([{ name: 'text', content: ' ' }]) });
    expect(nothing.status).toBe(400);
  });

  it('are handed out so that no browser runs them', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    for (const [filename, content] of [
      ['page.html', '<script>alert(1)</script>'],
      ['image.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
      ['fake.png', '<script>alert(1)</script>'],
    ] as const) {
      const form = makeForm([{ name: 'file', filename, content, type: 'image/png' }]);
      const { url } = (await api.call(path, { method: 'POST', ...form })).json.attachments[0];
      const { headers } = await api.call(`/${url.slice('/api/v1/'.length)}`);
      expect(headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
      });
      expect(headers['content-disposition']).toMatch(/^attachment; /);
    }
  });

  it('cannot write headers with their names', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const form = makeForm([{ name: 'file', filename: "a; x='y'%0d%0aSet-Cookie: z\\\", ü.txt", content: 'x' }]);
    const { url } = (await api.call(path, { method: 'POST', ...form })).json.attachments[0];
    const { headers } = await api.call(`/${url.slice('/api/v1/'.length)}`);
    expect(headers['set-cookie']).toBeUndefined();
    expect(headers['content-disposition']).toMatch(
      /^attachment; filename="[A-Za-z0-9 ._-]*"; filename\*=UTF-8''[\w.%~!-]*$/,
    );
  });

  it('are found by exact name alone, whatever path the address tries', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const form = makeForm([{ name: 'file', filename: 'a.txt', content: 'x' }]);
    const { id } = (await api.call(path, { method: 'POST', ...form })).json;
    const names = ['..%2f..%2finbound.db', '..%2Fa.txt', '%2e%2e%2fa.txt', 'a.txt%00', 'A.TXT', '.', '..%5ca.txt', 'b'];
    for (const name of names) {
      expect([name, (await api.call(`/messages/${id}/files/${name}`)).status]).toEqual([name, 404]);
    }
    expect((await api.call(`/messages/${id}/files/../../../../etc/passwd`)).status).toBe(404);
  });

  it('are refused when one is too large, and nothing of it stays', { timeout: 30_000 }, async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const file = (size: number) => ({ name: 'file', filename: 'big', content: Buffer.alloc(size, 7) });
    const fits = await api.call(path, { method: 'POST', ...makeForm([file(MAX_FILE_BYTES)]) });
    expect(fits.status).toBe(201);
    const form = makeForm([{ name: 'file', filename: 'small', content: 'x' }, file(MAX_FILE_BYTES + 1)]);
    const answer = await api.call(path, { method: 'POST', ...form });
    expect([answer.status, answer.json.error.code]).toEqual([413, 'file_too_large']);
    expect([staged(api), countMessages(api)]).toEqual([[], 1]);
  });

  it('are refused when they are too many, or the form is not as expected', async () => {
    const api = await startApi();
    const path = `/sessions/${api.openSession().id}/messages`;
    const file = { name: 'file', filename: 'a', content: 'x' };
    const forms: [ReturnType<typeof makeForm>, number, string][] = [
      [makeForm(Array(11).fill(file)), 413, 'too_many_files'],
      [
        makeForm([
          { name: 'text', content: 'x' },
          { name: 'text', content: 'y' },
        ]),
        400,
        'bad_form',
      ],
      [
        makeForm([
          { name: 'text', content: 'x' },
          { name: '__proto__', content: 'y' },
        ]),
        400,
        'bad_form',
      ],
      [makeForm([{ name: 'upload', filename: 'a', content: 'x' }]), 400, 'bad_form'],
      [
        makeForm([
          { name: 'text', content: 'x' },
          { name: 'clientId', content: 'a b' },
        ]),
        400,
        'bad_input',
      ],
      [makeForm([{ name: 'text', content: 'x'.repeat(MAX_TEXT_BYTES + 1) }]), 413, 'too_large'],
      [makeForm([file], ''), 400, 'bad_form'],
      [{ headers: { 'content-type': 'multipart/form-data; x=y' }, body: Buffer.from('x') }, 415, 'wrong_content_type'],
      [{ headers: { 'content-type': 'multipart/form-data; boundary=B' }, body: Buffer.from('junk') }, 400, 'bad_form'],
      [{ headers: { 'content-type': 'multipart/form-data; boundary=B' }, body: Buffer.alloc(0) }, 400, 'bad_form'],
    ];
    for (const [at, [form, status, code]] of forms.entries()) {
      const answer = await api.call(path, { method: 'POST', ...form });
      expect([at, answer.status, answer.json.error.code]).toEqual([at, status, code]);
    }
    expect([staged(api), countMessages(api)]).toEqual([[], 0]);
  });

  it('leave nothing behind when the sender goes away in the middle', async () => {
    const api = await startApi();
    const { id } = api.openSession();
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      `POST /api/v1/sessions/${id}/messages HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\n` +
        `Authorization: Bearer ${BEARER}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000000\r\n\r\n` +
        `--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(200_000)}`,
    );
    await until('the upload is staged', () => staged(api).length > 0);
    socket.destroy();
    await until('the upload is removed', () => staged(api).length === 0);
    expect(countMessages(api)).toBe(0);
  });

  it.each(['half of it', 'all of it'])(
    'of a sender who left before it was read, having sent %s, are not waited for',
    async (sent) => {
      const { uploads } = makeTempHome();
      const form = makeForm([{ name: 'file', filename: 'a', content: 'x' }]);
      const half = sent === 'half of it' ? form.body.length / 2 : form.body.length;
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const reading = new Promise<unknown>((resolve, reject) => {
        server.once('request', (request) => {
          request.once('close', () => readUpload(request, uploads).then(resolve, reject));
          client.destroy();
        });
      });
      const { port } = server.address() as AddressInfo;
      const headers = { ...form.headers, 'content-length': form.body.length };
      const client = httpRequest({ host: '127.0.0.1', port, method: 'POST', headers });
      client.on('error', () => undefined);
      client.write(form.body.subarray(0, half));
      await expect(reading).rejects.toMatchObject({ code: 'cut_off' });
      expect(readdirSync(uploads)).toEqual([]);
      await new Promise((resolve) => server.close(resolve));
    },
  );

  it('that a killed host left staged are removed by the next one, and nothing else is', async () => {
    const api = new ApiFixture();
    const { uploads } = api.spine.home;
    await mkdir(join(uploads, makeId('upload')));
    await mkdir(join(uploads, 'out-msg_00000000000000000abc'));
    await api.start();
    expect(staged(api)).toEqual(['out-msg_00000000000000000abc']);
  });

  it('of an agent are handed out from the host’s copy, and a missing copy is named', async () => {
    const api = await startApi();
    const session = api.openSession();
    const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hi' } });
    const id = 'msg_00000000000000000abc' as never;
    api.spine.transcript.put({
      ...tellReply(session, said.json),
      id,
      attachments: [
        { name: '../report.txt', sizeBytes: 5, contentType: 'text/html' },
        { name: 'gone.txt', sizeBytes: 5, contentType: 'text/plain' },
      ],
    });
    const folder = join(api.parts.sentFiles, id);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'report.txt'), 'hello');
    const { attachments } = (await api.call(`/messages/${id}`)).json;
    expect(attachments[0]).toMatchObject({ name: 'report.txt', url: `/api/v1/messages/${id}/files/report.txt` });
    expect((await api.call(`/messages/${id}/files/report.txt`)).text).toBe('hello');
    expect((await api.call(`/messages/${id}/files/gone.txt`)).status).toBe(410);
    expect(existsSync(join(folder, 'gone.txt'))).toBe(false);
  });
});

describe('a conversation', () => {
  it('is read in pages from either end, each message once', async () => {
    const api = await startApi();
    const session = api.openSession();
    const path = `/sessions/${session.id}/messages`;
    const ids: string[] = [];
    for (let at = 0; at < 7; at++)
      ids.push((await api.call(path, { method: 'POST', json: { text: `${at}` } })).json.id);
    const back: string[] = [];
    let before: string | null = '';
    while (before !== null) {
      const page: { items: { id: string }[]; nextCursor: string | null } = (
        await api.call(`${path}?limit=3${before === '' ? '' : `&before=${before}`}`)
      ).json;
      back.unshift(...page.items.map((message) => message.id));
      before = page.nextCursor;
    }
    expect(back).toEqual(ids);
    const forward = await api.call(`${path}?after=0&limit=7`);
    expect([forward.json.items.map((one: { id: string }) => one.id), forward.json.nextCursor]).toEqual([ids, null]);
  });

  it('counts what is unread up to the reader’s mark, which never moves back or ahead of the newest', async () => {
    const api = await startApi();
    const session = api.openSession();
    const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hi' } });
    const reply = (n: number) => {
      const id = `msg_0000000000000000000${n}` as never;
      api.spine.transcript.put({ ...tellReply(session, said.json), id });
      return api.spine.transcript.get(id)?.position ?? 0;
    };
    const [first] = [reply(1), reply(2)];
    const unread = async () => (await api.call(`/sessions/${session.id}`)).json.unread;
    const mark = (position: number) => api.call(`/sessions/${session.id}/read`, { method: 'PUT', json: { position } });
    expect(await unread()).toBe(2);
    await mark(first);
    expect(await unread()).toBe(1);
    await mark(0);
    expect(await unread()).toBe(1);
    await mark(Number.MAX_SAFE_INTEGER);
    expect(await unread()).toBe(0);
    reply(3);
    expect(await unread()).toBe(1);
  });

  it('shows a message’s path and its answers’ paths, stage by stage', async () => {
    const api = await startApi();
    const session = api.openSession();
    const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hi' } });
    const id = 'msg_00000000000000000abc' as never;
    api.spine.transcript.put({ ...tellReply(session, said.json), id, stamps: { read: 9e12, sent: 9e12 + 1.5 } });
    const trace = (await api.call(`/messages/${said.json.id}/trace`)).json;
    expect(trace.stages.map((one: { stage: string }) => one.stage)).toEqual([
      'received',
      'routed',
      'committed',
      'woken',
    ]);
    expect(trace.stages[0].sincePreviousMs).toBeNull();
    expect(trace.replies).toMatchObject([{ id, stages: expect.any(Array) }]);
    expect(trace.replies[0].stages.at(-1)).toMatchObject({ stage: 'sent', sincePreviousMs: 1.5 });
  });

  it('lets a person settle a delivery that failed, and no other', async () => {
    const api = await startApi();
    const session = api.openSession();
    const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hi' } });
    const id = 'msg_00000000000000000abc' as never;
    api.spine.transcript.put({ ...tellReply(session, said.json), id, state: 'unknown' });
    expect((await api.call(`/messages/${id}/resend`, { method: 'POST' })).status).toBe(200);
    expect((await api.call(`/messages/${id}/drop`, { method: 'POST', json: {} })).status).toBe(200);
    expect(api.settled).toEqual([id, id]);
    const answer = await api.call(`/messages/${said.json.id}/resend`, { method: 'POST' });
    expect([answer.status, answer.json.error.code]).toEqual([409, 'not_settleable']);
  });
});

function tellReply(session: ReturnType<ApiFixture['openSession']>, message: { id: string; traceId: string }) {
  return {
    sessionId: session.id,
    messagingGroupId: session.messagingGroupId,
    threadId: null,
    direction: 'out' as const,
    kind: 'chat' as const,
    authorId: session.agentGroupId,
    authorName: 'main',
    destination: 'web',
    text: 'an answer',
    attachments: [],
    inReplyTo: message.id as never,
    state: 'delivered' as const,
    stateReason: null,
    clientId: null,
    traceId: message.traceId as never,
    stamps: {},
    createdAt: 1,
  };
}
