/**
 * Why a message went where it went: over the API and on the command line, from the ledger's entries. The faults
 * that are about records (FAULTS.md, "Who may" and "Wrong place") each have theirs here.
 */
import { describe, expect, it } from 'vitest';
import { type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { ALWAYS } from '../../support/spine.ts';
import { until } from '../../support/until.ts';
import { portolan } from '../cli/support/run.ts';

interface WhyAnswer {
  answer: string;
  steps: { text: string; sort: string; position: number }[];
  unknown: string[];
  next: string[];
  direction: string | null;
}

async function readWhy(api: ApiFixture, id: string): Promise<WhyAnswer> {
  api.spine.transcript.flush();
  const { status, json } = await api.call(`/messages/${id}/why`);
  expect(status).toBe(200);
  return json;
}

const texts = ({ steps }: WhyAnswer) => steps.map(({ text }) => text);

/** A telegram chat that the owner wired over the API, and somebody whom an admin let in. */
async function makeFamily() {
  const api = await startApi();
  const { spine } = api;
  const channel = spine.addChannel('telegram');
  const chat = spine.chats.ensure({ channelType: 'telegram', platformId: '-100', name: 'Family', now: 1 });
  const wired = await api.call('/wirings', {
    method: 'POST',
    json: { chatId: chat.id, agentId: api.agent.id, engageMode: 'always', senderScope: 'known' },
  });
  expect(wired.status).toBe(201);
  const ann = 'telegram:7' as UserId;
  const because = { approval: 'apr_00000000000000000001' };
  spine.users.admit(api.agent.id, { id: ann, displayName: 'Ann' }, { by: 'web:owner', at: spine.now(), because });
  const heard = await spine.say(chat, 'hello', { senderId: ann, senderName: 'Ann' });
  spine.transcript.flush();
  return { api, spine, channel, chat, wiringId: String(wired.json.id), ...heard };
}

describe('an incoming message', () => {
  it('is said to be a command when the host answered it itself', async () => {
    const { api, spine, chat } = await makeFamily();
    const { messageId } = await spine.say(chat, '/help', { senderId: 'telegram:7' as UserId, isMention: true });
    const why = await readWhy(api, messageId);
    expect(why.answer).toBe('It is a command: the host answered it itself, and no agent heard it.');
    expect(why.unknown).toEqual([]);
  });

  it('names the wiring that heard it, who made that, and why its sender may write', async () => {
    const { api, messageId } = await makeFamily();
    const why = await readWhy(api, messageId);
    expect(why.answer).toBe(
      'main: heard, because it listens to everything there; Ann (telegram:7) may write as a member.',
    );
    expect(why.direction).toBe('in');
    expect(why.unknown).toEqual([]);
    expect(texts(why)).toEqual([
      expect.stringMatching(/main listens in the chat “Family” \(telegram\/-100\) \(always\), by Owner \(web:owner\)/),
      'Owner (web:owner) let Ann (telegram:7) in to main (approval apr_00000000000000000001)',
      expect.stringContaining('heard, because'),
    ]);
    expect(why.steps.map(({ sort }) => sort)).toEqual(['ground', 'ground', 'decision']);
  });

  it('of somebody unknown says whether the wiring or the chat lets anybody in', async () => {
    const api = await startApi();
    const room = api.spine.addChat(api.agent, 'test', 'room');
    const { messageId } = await api.spine.say(room, 'hi');
    expect((await readWhy(api, messageId)).answer).toContain('may write as anybody: it hears everybody there');
    const hall = api.spine.addChat(api.agent, 'test', 'hall', { ...ALWAYS, senderScope: 'known' });
    api.spine.chats.update(hall.id, hall.revision, { unknownSenderPolicy: 'public' });
    const open = await api.spine.say(hall, 'hi');
    expect((await readWhy(api, open.messageId)).answer).toContain('may write as anybody: the chat is public');
  });

  it('that is older than these records says so, and what is not known', async () => {
    const { api, spine, session } = await makeFamily();
    const id = makeId('message', 1);
    spine.transcript.put({
      ...{ id, sessionId: session.id, messagingGroupId: null, threadId: null, direction: 'in', kind: 'chat' },
      ...{
        authorId: 'telegram:7',
        authorName: 'Ann',
        destination: null,
        text: 'old',
        attachments: [],
        inReplyTo: null,
      },
      ...{ state: 'answered', stateReason: null, clientId: null, traceId: makeId('trace'), stamps: {}, createdAt: 1 },
    });
    const why = await readWhy(api, id);
    expect(why.answer).toBe('main has it, and the ledger does not say why.');
    expect(why.unknown).toEqual(['It is not known which wiring heard it: the message is older than these records.']);
  });
});

describe('an outgoing message', () => {
  it('names the destination row and the rule that allowed it, who made the row, and each attempt', async () => {
    const { api, spine, channel, chat, session, paths, messageId } = await makeFamily();
    channel.script.push({ kind: 'retry', reason: 'the platform is busy', retryAfterMs: 1 });
    const place = { destination: 'family', channelType: chat.channelType, platformId: chat.platformId };
    const id = spine
      .container(paths)
      .send({ ...place, inReplyTo: messageId, content: { text: 'never in the ledger' } });
    spine.delivery.ring(session.id);
    await until('it is sent', () => channel.visible.length === 1);
    await until('it is settled', () => spine.transcript.get(id as MessageId)?.state === 'delivered');
    const why = await readWhy(api, id);
    expect(why.answer).toBe('main: delivered to “family”, attempt 2: its destination is that chat.');
    expect(texts(why)).toEqual([
      expect.stringContaining('main listens in the chat “Family”'),
      expect.stringMatching(
        /^main got the destination “family”, which is the chat “Family” .*by Owner \(web:owner\) \(with its wiring\)$/,
      ),
      'not delivered yet to “family”, attempt 1: the platform is busy',
      'delivered to “family”, attempt 2: its destination is that chat',
    ]);
    const [row] = spine.destinations.listFor(api.agent.id).filter(({ localName }) => localName === 'family');
    const entry = spine.ledger.lastAbout(id, 'delivery.');
    expect(entry?.detail).toMatchObject({
      destinationId: row?.id,
      target: chat.id,
      rule: 'chat',
      attempt: 2,
      inReplyTo: messageId,
    });
    expect(JSON.stringify(entry)).not.toContain('never in the ledger');
    expect(spine.ledger.findBreak()).toBeNull();
  });

  it('FAULTS: that names the thread of another chat is refused, and the reason and the way are kept', async () => {
    const { api, spine, channel, chat, session, paths } = await makeFamily();
    const place = {
      destination: 'family',
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: 'foreign',
    };
    const id = spine.container(paths).send({ ...place, content: { text: 'x' } });
    spine.delivery.ring(session.id);
    await until('it is refused', () => spine.ledger.countByMessage(id, 'delivery.refused') === 1);
    const why = await readWhy(api, id);
    expect(why.answer).toBe('main: refused to “family”: the thread does not belong to "family".');
    expect(spine.ledger.lastAbout(id, 'delivery.')?.detail).toMatchObject({ threadId: 'foreign', platformId: '-100' });
    expect(channel.visible).toEqual([]);
  });

  it('that was refused for want of a destination says what to type, and that works', async () => {
    const { api, spine, channel, session, paths } = await makeFamily();
    spine.chats.ensure({ channelType: 'telegram', platformId: "o'hara; rm", name: 'Odd', now: 1 });
    const place = { destination: 'odd', channelType: 'telegram', platformId: "o'hara; rm" };
    const container = spine.container(paths);
    const id = container.send({ ...place, content: { text: 'x' } });
    spine.delivery.ring(session.id);
    await until('it is refused', () => spine.ledger.countByMessage(id, 'delivery.refused') === 1);
    const why = await readWhy(api, id);
    expect(why.next).toEqual([`portolan destinations add main odd --chat 'telegram/o'\\''hara; rm'`]);
    const words = ['destinations', 'add', 'main', 'odd', '--chat', "telegram/o'hara; rm"];
    expect(await portolan(spine.home, words)).toMatchObject({ code: 0 });
    container.send({ ...place, content: { text: 'again' } });
    spine.delivery.ring(session.id);
    await until('it is sent', () => channel.visible.length === 1);
    expect((await readWhy(api, id)).next).toEqual([]);
  });

  it('FAULTS: whose destination was taken away says who took it and when, and no name leads there any more', async () => {
    const { api, spine, session, paths, chat } = await makeFamily();
    const [row] = spine.destinations.listFor(api.agent.id).filter(({ localName }) => localName === 'family');
    const removed = await api.call(`/destinations/${row?.id}`, { method: 'DELETE', headers: { 'if-match': '"1"' } });
    expect(removed.status).toBe(204);
    const place = { destination: 'family', channelType: chat.channelType, platformId: chat.platformId };
    const id = spine.container(paths).send({ ...place, content: { text: 'x' } });
    spine.delivery.ring(session.id);
    await until('it is refused', () => spine.ledger.countByMessage(id, 'delivery.refused') === 1);
    const list = await api.call(`/ledger?subject=${row?.id}`);
    expect(list.json.items.map(({ kind, actor }: { kind: string; actor: string }) => [kind, actor])).toEqual([
      ['destination.removed', 'web:owner'],
      ['destination.created', 'web:owner'],
    ]);
  });

  it('that a person has sent again, or gives up, keeps whose doing it was', async () => {
    const { api, spine, channel, chat, session, paths } = await makeFamily();
    channel.script.push({ kind: 'rejected', reason: 'too long for the platform' });
    const place = { destination: 'family', channelType: chat.channelType, platformId: chat.platformId };
    const id = spine.container(paths).send({ ...place, content: { text: 'x' } }) as MessageId;
    spine.delivery.ring(session.id);
    await until('it has failed', () => spine.transcript.get(id)?.state === 'failed');
    expect((await readWhy(api, id)).next).toEqual([`portolan resend ${id}`, `portolan drop ${id}`]);
    expect(await spine.delivery.resend(session, id, 'web:owner')).toBe('queued');
    await until('it is sent', () => spine.transcript.get(id)?.state === 'delivered');
    const why = await readWhy(api, id);
    expect(texts(why).slice(-3)).toEqual([
      'failed to “family”, attempt 1: too long for the platform',
      'Owner (web:owner) had it sent once more',
      'delivered to “family”, attempt 1: its destination is that chat',
    ]);
  });

  it('of nobody is unknown', async () => {
    const api = await startApi();
    expect(await api.call('/messages/msg_00000000000000000000/why')).toMatchObject({ status: 404 });
    expect(await api.call('/messages/nonsense/why')).toMatchObject({ status: 400 });
  });
});

describe('a request', () => {
  it('is found by its id, though it is no message of a chat', async () => {
    const { api, spine, session, paths } = await makeFamily();
    const content = { action: 'create_task', prompt: 'water', schedule: { kind: 'cron', expression: 'nonsense' } };
    const id = spine.container(paths).send({ kind: 'request', content });
    spine.delivery.ring(session.id);
    await until('it is answered', () => spine.ledger.lastAbout(id, 'delivery.') !== null);
    const why = await readWhy(api, id);
    expect(why.direction).toBeNull();
    expect(why.answer).toMatch(/^main: refused/);
  });
});

describe('the ledger over the API and on the command line', () => {
  it('FAULTS: changes of who listens and of who may write are recorded with who made them', async () => {
    const { api, chat, wiringId } = await makeFamily();
    const change = (path: string, json: object) =>
      api.call(path, { method: 'PATCH', headers: { 'if-match': '"1"' }, json });
    expect((await change(`/wirings/${wiringId}`, { engageMode: 'mention' })).status).toBe(200);
    expect((await change(`/chats/${chat.id}`, { unknownSenderPolicy: 'public' })).status).toBe(200);
    const { json } = await api.call('/ledger?limit=2');
    expect(json.items).toMatchObject([
      {
        kind: 'chat.changed',
        actor: 'web:owner',
        subject: chat.id,
        detail: { policyBefore: 'strict', policy: 'public' },
      },
      { kind: 'wiring.changed', actor: 'web:owner', subject: wiringId, detail: { engageMode: 'mention' } },
    ]);
    expect(json.items[0].words).toBe('strangers: strict became public, by Owner (web:owner)');
    // One that is refused because it changed meanwhile changes nothing, and says nothing.
    expect((await change(`/chats/${chat.id}`, { unknownSenderPolicy: 'strict' })).status).toBe(412);
    expect((await api.call('/ledger?limit=1')).json.items[0].kind).toBe('chat.changed');
  });

  it('says its head, and checks itself from any link on', async () => {
    const { api, spine } = await makeFamily();
    spine.transcript.flush();
    const head = (await api.call('/ledger/head')).json;
    expect(head).toEqual(spine.ledger.head());
    const first = (await api.call('/ledger?limit=200')).json.items.at(-1);
    expect((await api.call('/ledger/verify')).json).toEqual({
      entries: head.position,
      head,
      brokenAt: null,
      next: null,
    });
    const after = await api.call(`/ledger/verify?after=${first.position}:${first.hash}`);
    expect(after.json).toMatchObject({ entries: head.position - 1, brokenAt: null });
    const forged = await api.call(`/ledger/verify?after=${first.position}:${'f'.repeat(64)}`);
    expect(forged.json).toMatchObject({ entries: 0, brokenAt: first.position });
    spine.db.exec('DROP TRIGGER ledger_is_never_changed');
    spine.db.exec(`UPDATE ledger SET actor = 'web:mallory' WHERE position = 2`);
    expect((await api.call('/ledger/verify')).json).toMatchObject({ brokenAt: 2, next: null });
  });

  it('is checked in turns with all else, however long it is', async () => {
    const { api, spine } = await makeFamily();
    const entry = { kind: 'some.thing', sessionId: null, messageId: null, actor: null, detail: {} };
    spine.ledger.appendAll(
      Array.from({ length: 30_000 }, () => entry),
      1,
    );
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    const part = (await api.call('/ledger/verify')).json;
    clearInterval(counter);
    expect(part).toMatchObject({ entries: 25_000, brokenAt: null });
    expect(turns).toBeGreaterThan(20);
    const rest = (await api.call(`/ledger/verify?after=${part.next}`)).json;
    expect(rest).toMatchObject({ head: { position: spine.ledger.head().position }, next: null });
  });

  it.each([
    ['/ledger?kind=delivery', 'a kind like'],
    ['/ledger?cursor=x', 'nextCursor'],
    ['/ledger?since=yesterday', 'whole number'],
    ['/ledger?colour=red', ''],
    ['/ledger/verify?after=12', '<position>:<hash>'],
  ])('%s is refused with what was expected', async (path, expected) => {
    const api = await startApi();
    const { status, text } = await api.call(path);
    expect(status).toBe(400);
    expect(text).toContain(expected);
  });

  it('is listed, explained and checked on the command line', async () => {
    const { api, spine, messageId } = await makeFamily();
    spine.transcript.flush();
    const list = await portolan(spine.home, ['ledger', '--kind', 'wiring.', '--since', '1h'], { columns: 160 });
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toMatch(/wiring\.created +main listens in the chat “Family”/);
    expect(await portolan(spine.home, ['ledger', 'list', '--until', '2020-01-01'])).toMatchObject({
      out: expect.stringContaining('no such entry'),
    });
    expect(await portolan(spine.home, ['ledger', 'list', '--since', 'soon'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('2026-11-21'),
    });
    const why = await portolan(spine.home, ['ledger', 'why', messageId]);
    expect(why.out).toContain(`Times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`);
    expect(why.out).toContain('may write as a member');
    const json = await portolan(spine.home, ['ledger', 'why', messageId, '--json']);
    expect(JSON.parse(json.out)).toEqual(await readWhy(api, messageId));
    const held = await portolan(spine.home, ['ledger', 'verify']);
    expect(held).toMatchObject({ code: 0, out: expect.stringContaining('The chain holds') });
    const head = spine.ledger.head();
    const since = await portolan(spine.home, [
      'ledger',
      'verify',
      '--since',
      `${head.position}:${head.hash}`,
      '--json',
    ]);
    expect(JSON.parse(since.out)).toMatchObject({ ok: true, entries: 0 });
    expect(await portolan(spine.home, ['ledger', 'verify', '--expect', 'abc'])).toMatchObject({ code: 2 });
    spine.db.exec('DROP TRIGGER ledger_is_never_cut; DELETE FROM ledger WHERE position = 1');
    const broken = await portolan(spine.home, ['ledger', 'verify']);
    expect(broken).toMatchObject({ code: 6, out: expect.stringContaining('entry 1 is missing') });
  });
});
