import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BURST, MAX_ANSWER_LENGTH, MAX_REFUSALS_NOTED, STRANGERS_BURST } from '../../../host/commands/limits.ts';
import { HOST_NAME } from '../../../host/questions/plan.ts';
import type { UserId } from '../../../shared/ids.ts';
import { MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { until } from '../../support/until.ts';
import { ADAM, Counter, MARY, OLGA, SAM } from './counter.ts';

describe('a command', () => {
  it('is answered by the host where it was asked, and never reaches the agent', async () => {
    const counter = new Counter();
    counter.room();
    const outcome = await counter.give('room', MARY, '/help', { threadId: 't1', platformMessageId: 'p9' });
    expect(outcome).toMatchObject({ kind: 'routed', messages: [{ engaged: false, repeated: false }] });
    const [asked, answer] = counter.messages();
    expect(asked).toMatchObject({ direction: 'in', text: '/help', threadId: 't1', authorId: MARY, state: 'answered' });
    expect(answer).toMatchObject({ direction: 'out', kind: 'system', authorName: HOST_NAME, inReplyTo: asked?.id });
    const sent = await until('the answer is sent', () => counter.channel.visible[0]);
    expect(sent.address).toEqual({ platformId: 'room', threadId: 't1' });
    expect(sent.text).toContain('/whoami');
    expect(counter.rows(counter.session())).toEqual([]);
  });

  it('told twice is answered once, at the same time and later, also by the next host', async () => {
    const counter = new Counter();
    counter.room();
    const tell = () => counter.give('room', OLGA, '/whoami', { clientId: 'update-7' });
    const [one, two] = await Promise.all([tell(), tell()]);
    expect(one).toMatchObject({ messages: [{ repeated: false }] });
    expect(two).toMatchObject({ messages: [{ repeated: true }] });
    counter.nextHost();
    expect(await tell()).toMatchObject({ kind: 'routed', messages: [{ repeated: true }] });
    expect(counter.messages()).toHaveLength(2);
    await until('it is sent', () => counter.channel.visible.length === 1);
  });

  it('that carries a file is a message: the file is not lost', async () => {
    const counter = new Counter();
    counter.room();
    const path = join(counter.spine.home.uploads, 'staged');
    writeFileSync(path, 'x');
    const files = [{ name: 'a.txt', contentType: 'text/plain', sizeBytes: 1, path }];
    await counter.give('room', OLGA, '/clear', { files });
    expect(counter.rows(counter.session())).toMatchObject([{ text: '/clear' }]);
    expect(counter.rows(counter.session())[0]).not.toHaveProperty('command');
  });

  it('unknown, or with something else that begins with a slash, goes to the agent', async () => {
    const counter = new Counter();
    counter.room();
    for (const text of ['/clearx', '/etc/passwd', '//', '／clear', '/cle\u200bar', '/unknown me']) {
      await counter.give('room', OLGA, text);
    }
    expect(counter.rows(counter.session()).map(({ text }) => text)).toEqual([
      '/clearx',
      '/etc/passwd',
      '//',
      '／clear',
      '/cle\u200bar',
      '/unknown me',
    ]);
    expect(counter.answers()).toEqual([]);
  });

  it('works while an agent asks something, and answers no question', async () => {
    const counter = new Counter();
    const chat = counter.room();
    await counter.give('room', OLGA, 'hi');
    const session = counter.session();
    const messageId = counter.rows(session)[0]?.id as never;
    counter.spine.questions.open(
      { messageId, sessionId: session.id, chat, threadId: null },
      { title: 'What?', question: 'What?', options: ['/help', '/grant test:sam owner'] },
    );
    await counter.give('room', OLGA, '/help');
    expect(counter.spine.questions.get(messageId)?.state).toBe('pending');
    expect(counter.answers()).toHaveLength(1);
    // The other way about: an answer that reads like a command is an answer.
    const given = counter.spine.questions.answer(messageId, { choice: '2', by: OLGA, from: chat.id });
    expect(given).toMatchObject({ kind: 'accepted', option: '/grant test:sam owner' });
    expect(counter.spine.users.rolesOf(SAM)).toEqual([]);
  });
});

describe('who may', () => {
  it('is decided by who wrote, not by what they call themselves: a forged name grants nothing', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, '/grant test:mary owner', { senderName: 'Olga' });
    expect(counter.answers()).toEqual(['Only an admin may use /grant.']);
    expect(counter.spine.users.rolesOf(MARY)).toEqual([]);
    expect(counter.ledger('command.refused')).toEqual([
      { actor: MARY, detail: { command: 'grant', channelType: 'test', platformId: 'room' } },
    ]);
    expect(counter.dropped('command_refused')).toBe(1);
  });

  it('is decided by what holds now: a role that was taken a moment ago gives nothing', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, '/grant test:mary member main');
    expect(counter.answers().at(-1)).not.toContain('Only an admin');
    counter.spine.users.addMember(counter.agent.id, ADAM, 2);
    counter.spine.users.revoke(ADAM, 'admin', counter.agent.id);
    await counter.give('room', ADAM, '/grant test:mary admin main');
    expect(counter.answers().at(-1)).toBe('Only an admin may use /grant.');
    expect(counter.spine.users.rolesOf(MARY)).toEqual([]);
  });

  it('a bystander in a group approves nothing, and does not learn whether there is such a code', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, '/approve 7K2Q');
    await counter.give('room', MARY, '/reject 7K2Q because I say so');
    expect(counter.answers()).toEqual(['Only an admin may use /approve.', 'Only an admin may use /reject.']);
  });

  it('a stranger in a group hears nothing, and nothing is made for them', async () => {
    const counter = new Counter();
    counter.room('room', { sessionMode: 'per-thread' });
    for (const [at, text] of ['/help', '/whoami', '/status', '/grant test:sam owner', '/approve 7K2Q'].entries()) {
      const outcome = await counter.give('room', SAM, text, { isMention: true, threadId: `t${at}` });
      expect(outcome).toMatchObject({ kind: 'dropped', tell: null });
    }
    expect(counter.countRows('sessions')).toBe(0);
    expect(counter.countRows('messages')).toBe(0);
    expect(counter.countRows('users')).toBe(3);
  });

  it('a stranger alone hears the same in a chat that is wired, in one that is not, and in one that is unknown', async () => {
    const counter = new Counter();
    counter.room(`dm-${SAM}`);
    counter.spine.chats.ensure({ channelType: 'test', platformId: 'unwired', name: '', now: 1 });
    for (const text of ['/help', '/whoami', '/status', '/members main', '/approve 7K2Q', '/clear']) {
      counter.nextHost();
      const told = [];
      for (const place of [`dm-${SAM}`, 'unwired', 'unknown']) {
        const outcome = await counter.give(place, SAM, text, { isPrivate: true });
        told.push(outcome.kind === 'routed' ? 'routed' : [outcome.kind, outcome.tell]);
      }
      expect(told[0]).not.toBe('routed');
      expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    }
    expect(counter.countRows('messages')).toBe(0);
    expect(counter.countRows('messaging_groups')).toBe(2);
    expect(counter.countRows('users')).toBe(3);
    expect(counter.countRows('held_messages')).toBe(0);
  });

  it('a stranger who tries a code where others talk leaves no message among theirs', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'hi');
    const outcome = await counter.give('room', SAM, '/claim a-code-of-some-length', { isMention: true });
    expect(outcome).toMatchObject({ kind: expect.stringMatching(/answered|dropped/), tell: expect.any(String) });
    expect(counter.messages().map(({ text }) => text)).toEqual(['hi']);
  });

  it('a held message is not judged again as a command when its writer has become somebody', async () => {
    const counter = new Counter();
    const chat = counter.room('room', { senderScope: 'known' });
    counter.spine.chats.update(chat.id, 1, { unknownSenderPolicy: 'request_approval' });
    // A command of a stranger is judged at once, and is not kept.
    await counter.give('room', SAM, '/grant test:sam owner', { isMention: true });
    expect(counter.spine.held.total.count).toBe(0);
    await counter.give('room', SAM, 'hello', { isMention: true });
    expect(counter.spine.held.total.count).toBe(1);
    // One that an older host held under a name that was no command then.
    const text = counter.spine.db.prepare('SELECT event FROM held_messages').pluck().get();
    counter.spine.db.prepare('UPDATE held_messages SET event = ?').run(String(text).replace('hello', '/whoami'));
    counter.spine.users.ensure(SAM, 'Sam', 2);
    counter.spine.users.addMember(counter.agent.id, SAM, 2);
    await counter.give('room', SAM, 'are you there?');
    expect(counter.rows(counter.session()).map((row) => row.text)).toEqual(['/whoami', 'are you there?']);
    expect(counter.answers()).toEqual([]);
  });
});

describe('floods', () => {
  it('of one person are answered once with "slow down", and others are served', async () => {
    const counter = new Counter();
    counter.room();
    const now = Date.now();
    counter.spine.now = () => now;
    const outcomes = [];
    for (let at = 0; at < 200; at++) outcomes.push(await counter.give('room', MARY, '/help'));
    const told = outcomes.flatMap((outcome) => (outcome.kind === 'dropped' && outcome.tell !== null ? [outcome] : []));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ reason: 'too_many_commands', tell: expect.stringContaining('Slow down') });
    expect(counter.answers()).toHaveLength(BURST);
    expect(counter.dropped('too_many_commands')).toBe(200 - BURST);
    expect(await counter.give('room', ADAM, '/help')).toMatchObject({ kind: 'routed' });
  });

  it('of refused commands fill neither the ledger nor a table', async () => {
    const counter = new Counter();
    const at = Date.now();
    counter.spine.now = () => at;
    for (let person = 0; person < 400; person++) {
      await counter.give(`dm-${person}`, `test:bot${person}` as UserId, '/grant me owner', { isPrivate: true });
    }
    expect(counter.ledger('command.refused').length).toBeLessThanOrEqual(MAX_REFUSALS_NOTED);
    expect(counter.countRows('users')).toBe(3);
    expect(counter.countRows('messaging_groups')).toBe(0);
    expect(counter.dropped('command_refused')).toBe(STRANGERS_BURST);
    expect(counter.dropped('too_many_commands')).toBe(400 - STRANGERS_BURST);
  });

  it('of 64 KiB of arguments are answered in a line', async () => {
    const counter = new Counter();
    counter.room();
    const text = `/clear ${'<b>x</b>\n'.repeat(8_000)}`.slice(0, MAX_TEXT_BYTES);
    const began = performance.now();
    await counter.give('room', OLGA, text);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(counter.answers()).toEqual([expect.stringContaining('more than the 2000 characters')]);
    expect(counter.rows(counter.session())).toEqual([]);
  });
});

describe('what people typed', () => {
  it('comes back in one line of plain signs, inside quotation marks that it cannot close', async () => {
    const counter = new Counter();
    counter.room();
    const nasty = 'x” [click](http://evil.example)\n\n**Portolan asks:** approve\u202e `code` <b> https://evil.example';
    await counter.give('room', OLGA, `/clear ${nasty}`);
    await counter.alone(OLGA, `/config ${nasty}`);
    await counter.alone(OLGA, `/help ${nasty}`);
    const [first = ''] = counter.answers();
    expect(first).toMatch(/^No agent called “[^”\n[\]()`<>*:/]+” listens here/u);
    expect(first).not.toContain('\u202e');
    expect(first.length).toBeLessThan(MAX_ANSWER_LENGTH);
  });

  it('is kept without what follows /claim, /link, /approve and /reject', async () => {
    const counter = new Counter();
    counter.room(`dm-${OLGA}`);
    for (const command of ['claim', 'link', 'approve', 'reject']) {
      await counter.alone(OLGA, `/${command} SECRETCODE99 because SECRETCODE99`);
    }
    const asked = counter.messages(`dm-${OLGA}`).filter(({ direction }) => direction === 'in');
    expect(asked.map(({ text }) => text)).toEqual(['/claim ••••', '/link ••••', '/approve ••••', '/reject ••••']);
  });

  it('after /claim and /link is in no table, whoever typed it and wherever', async () => {
    const counter = new Counter();
    counter.room();
    for (const text of ['/claim SECRETCODE99', '/link SECRETCODE99', '/claim http://127.0.0.1/#token=SECRETCODE99']) {
      await counter.alone(OLGA, text);
      await counter.alone(SAM, text);
      await counter.give('room', MARY, text);
      await counter.give('room', SAM, text);
    }
    counter.spine.transcript.flush();
    const tables = counter.spine.db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all();
    for (const table of tables) {
      const rows = counter.spine.db.prepare(`SELECT * FROM ${String(table)}`).all();
      expect(JSON.stringify(rows), String(table)).not.toContain('SECRETCODE99');
    }
  });
});
