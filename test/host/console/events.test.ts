import { describe, expect, it } from 'vitest';
import { MAX_EVENT_READERS, MAX_REPLAY } from '../../../host/console/api/limits.ts';
import type { Session } from '../../../host/store/sessions.ts';
import { makeId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { openEvents } from '../../support/event-reader.ts';
import { until } from '../../support/until.ts';

function say(api: ApiFixture, session: Session, text: string) {
  return api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text } });
}

/** Straight into the transcript, as delivery does. */
function put(api: ApiFixture, session: Session, text: string, more: object = {}) {
  const id = makeId('message');
  api.spine.transcript.put({
    id,
    sessionId: session.id,
    messagingGroupId: session.messagingGroupId,
    threadId: null,
    direction: 'out',
    kind: 'chat',
    authorId: session.agentGroupId,
    authorName: 'main',
    destination: 'web',
    text,
    attachments: [],
    inReplyTo: null,
    state: 'queued',
    stateReason: null,
    clientId: null,
    traceId: makeId('trace'),
    stamps: {},
    createdAt: 1,
    ...more,
  });
  return id;
}

describe('the event stream', () => {
  it('starts with the revision that holds, then tells messages and sessions as they change', async () => {
    const api = await startApi();
    const session = api.openSession();
    const events = await openEvents(api);
    const ready = await events.next('ready');
    expect([ready.data, ready.id]).toEqual([{ revision: 0 }, '0']);
    const said = await say(api, session, 'hi\nthere');
    const message = await events.next('message');
    expect(message.data).toEqual(said.json);
    expect(message.id).toBe(String(said.json.revision));
    expect((await events.next('session')).data).toMatchObject({ id: session.id, lastMessage: { text: 'hi\nthere' } });
  });

  it('resumes after the last revision seen: each change once, newest form, in order', async () => {
    const api = await startApi();
    const session = api.openSession();
    const first = put(api, session, 'one');
    const second = put(api, session, 'two');
    api.spine.transcript.flush();
    const last = api.spine.transcript.revision;
    const third = put(api, session, 'three');
    api.spine.transcript.change(first, { state: 'sending' });
    api.spine.transcript.change(first, { state: 'delivered' });
    api.spine.transcript.flush();
    const events = await openEvents(api, '', last);
    const told = [await events.next('message'), await events.next('message')];
    expect(told.map((one) => [one.data.id, one.data.state])).toEqual([
      [third, 'queued'],
      [first, 'delivered'],
    ]);
    api.spine.transcript.change(second, { state: 'delivered' });
    expect((await events.next('message')).data.id).toBe(second);
    const ids = events.events.filter((one) => one.event === 'message').map((one) => Number(one.id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(events.events.some((one) => one.event === 'ready')).toBe(false);
  });

  it('loses and doubles nothing over many reconnects in the middle of a burst', async () => {
    const api = await startApi();
    const session = api.openSession();
    const seen = new Map<string | undefined, number>();
    let last = 0;
    const made: string[] = [];
    for (let round = 0; round < 20; round++) {
      const events = await openEvents(api, '', last);
      const burst = Array.from({ length: 5 }, (_, at) => put(api, session, `${round}-${at}`));
      made.push(...burst);
      // Leaves after two of them, without having seen the others.
      for (let at = 0; at < 2; at++) await events.next('message');
      events.close();
      for (const one of events.events) {
        if (one.event !== 'message' || Number(one.id) <= last) continue;
        seen.set(one.data.id, (seen.get(one.data.id) ?? 0) + 1);
        last = Number(one.id);
      }
    }
    const events = await openEvents(api, `?after=${last}`);
    put(api, session, 'end');
    await until('the last message', () => events.events.some((one) => one.data.text === 'end'));
    for (const one of events.events) {
      if (one.event === 'message') seen.set(one.data.id, (seen.get(one.data.id) ?? 0) + 1);
    }
    for (const id of made) expect([id, seen.get(id)]).toEqual([id, 1]);
  });

  it('tells changes of one flush in order of revision', async () => {
    const api = await startApi();
    const session = api.openSession();
    const first = put(api, session, 'one');
    api.spine.transcript.flush();
    const events = await openEvents(api);
    await events.next('ready');
    api.spine.transcript.change(first, { state: 'sending' });
    const second = put(api, session, 'two');
    api.spine.transcript.change(first, { state: 'delivered' });
    expect((await events.next('message')).data.id).toBe(second);
    expect((await events.next('message')).data).toMatchObject({ id: first, state: 'delivered' });
  });

  it('sends a reader that is too far behind, or ahead, to fetch again', async () => {
    const api = await startApi();
    const session = api.openSession();
    for (let at = 0; at <= MAX_REPLAY; at++) put(api, session, 'x');
    api.spine.transcript.flush();
    const { revision } = api.spine.transcript;
    const behind = await openEvents(api, '', 0);
    expect(await behind.next('reset')).toMatchObject({ data: { revision }, id: String(revision) });
    const ahead = await openEvents(api, '', revision + 1);
    expect((await ahead.next('reset')).data).toEqual({ revision });
    const newest = put(api, session, 'new');
    expect((await behind.next('message')).data.id).toBe(newest);
  });

  it('tells one conversation alone when asked to', async () => {
    const api = await startApi();
    const [one, two] = [api.openSession('a'), api.openSession('b')];
    const events = await openEvents(api, `?session=${one.id}`);
    await events.next('ready');
    put(api, two, 'not for you');
    // Another agent's message into this session's chat is part of the conversation.
    const guest = put(api, two, 'a guest', { messagingGroupId: one.messagingGroupId });
    const own = put(api, one, 'own');
    expect((await events.next('message')).data.id).toBe(guest);
    expect((await events.next('message')).data.id).toBe(own);
    const session = await events.next('session');
    expect(session.data.id).toBe(one.id);
    expect((await openEvents(api, '?session=ses_00000000000000000000')).status).toBe(404);
  });

  it('shows typing from the moment a message is read until it is answered', async () => {
    const api = await startApi();
    const session = api.openSession();
    const events = await openEvents(api);
    const { id } = (await say(api, session, 'hi')).json;
    api.spine.transcript.change(id, { state: 'read' });
    expect((await events.next('typing')).data).toEqual({ sessionId: session.id, typing: true });
    expect((await api.call(`/sessions/${session.id}`)).json.typing).toBe(true);
    api.spine.transcript.change(id, { state: 'answered' });
    expect((await events.next('typing')).data).toEqual({ sessionId: session.id, typing: false });
  });

  it('tells of a change of title or state, and of reading', async () => {
    const api = await startApi();
    const session = api.openSession('old');
    const events = await openEvents(api);
    await events.next('ready');
    await api.call(`/sessions/${session.id}`, {
      method: 'PATCH',
      json: { title: 'new' },
      headers: { 'if-match': `"${session.revision}"` },
    });
    expect((await events.next('session')).data.title).toBe('new');
  });

  it('cuts a reader that takes nothing, and goes on for the others', { timeout: 30_000 }, async () => {
    const api = await startApi();
    const session = api.openSession();
    const [slow, fast] = [await openEvents(api), await openEvents(api)];
    await Promise.all([slow.next('ready'), fast.next('ready')]);
    expect(api.feed.readers).toBe(1);
    slow.stall();
    const text = 'x'.repeat(60_000);
    let sent = 0;
    // More than the socket's own buffers and the bound together.
    while (sent < 250) {
      const id = put(api, session, text);
      api.spine.transcript.flush();
      sent++;
      await until('the fast reader', () => fast.events.some((one) => one.data.id === id));
    }
    const seen = Number(slow.events.at(-1)?.id ?? 0);
    slow.resume();
    await until('the slow reader is cut', () => slow.ended);
    const resumed = await openEvents(api, '', seen);
    expect(['message', 'reset']).toContain((await until('any event', () => resumed.events[0])).event);
  });

  it('has room for so many readers, and names the limit', async () => {
    const api = await startApi();
    const readers = await Promise.all(Array.from({ length: MAX_EVENT_READERS }, () => openEvents(api)));
    const refused = await api.call('/events');
    expect([refused.status, refused.json.error.code]).toEqual([503, 'too_many_readers']);
    for (const reader of readers) reader.close();
    await until('the readers are forgotten', () => api.feed.readers === 0);
    expect((await openEvents(api)).status).toBe(200);
  });

  it('ends when the host stops', async () => {
    const api = await startApi();
    const events = await openEvents(api);
    await events.next('ready');
    await api.stop();
    await until('the stream ends', () => events.ended);
  });
});
