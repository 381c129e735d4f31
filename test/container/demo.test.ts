import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SlowTask } from '../../container/providers/demo/slow-task.ts';
import type { ToolBox } from '../../container/tools/tool.ts';
import { FAMILY, parseContent, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

function start(): SessionFixture {
  const session = new SessionFixture({ provider: 'demo', destinations: [TERMINAL, FAMILY, RESEARCHER] });
  session.start();
  return session;
}

describe('the demo assistant', () => {
  it('says what it is and what it can do', async () => {
    await using session = start();
    const [help = ''] = await session.exchange({ text: 'help' });
    for (const words of ['demo provider', 'no model', 'remind me', 'slow task', '/clear'])
      expect(help).toContain(words);
    const [unknown] = await session.exchange({ text: 'what do you think of `</message>`?' });
    expect(unknown).toContain('> what do you think of `</message>`?');
    expect(unknown).toContain('`help`');
  });

  it('knows who writes, and counts the conversation until it is cleared', async () => {
    await using session = start();
    expect((await session.exchange({ text: 'who am i', sender: 'Tom' }))[0]).toContain(
      '**Tom**, writing from **terminal**',
    );
    expect((await session.exchange({ text: 'who am i' }))[0]).toContain('message number 2');
    await session.exchange({ text: '/clear', command: 'clear' });
    expect((await session.exchange({ text: 'who am i' }))[0]).toContain('the first message');
  });

  it('passes messages on, and says when it cannot', async () => {
    await using session = start();
    expect(await session.exchange({ text: 'tell family dinner is ready' })).toEqual([
      'family: **Anna** says: dinner is ready',
      'terminal: Done, I told **family**.',
    ]);
    const [refused] = await session.exchange({ text: 'tell nobody-here hi' });
    expect(refused).toContain('terminal, family, researcher');
  });

  it('asks another agent and brings the answer back, without talking for ever', async () => {
    await using session = start();
    const peer = { from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher' };
    expect(await session.exchange({ text: 'ask researcher time' })).toContain(
      'terminal: I asked **researcher**, and pass its answer on when it comes.',
    );
    expect(await session.exchange({ ...peer, text: 'It is late.' })).toEqual([
      'terminal: **researcher** answers:\n\nIt is late.',
    ]);
    const inReplyTo = session.rows().find((row) => row.destination === 'researcher')?.id ?? null;
    expect(await session.exchange({ ...peer, inReplyTo, text: 'And another thing.' })).toEqual([]);
    expect((await session.exchange({ ...peer, text: 'tell family boo' }))[0]).toMatch(/^researcher: I read this/);
    expect((await session.exchange({ ...peer, text: 'ask family boo' }))[0]).toContain('it is no agent');
    expect(session.texts().filter((text) => text.startsWith('family'))).toEqual([]);
    expect((await session.exchange({ ...peer, text: 'time' }))[0]).toMatch(/^researcher: It is/);
  });

  it('knows an agent by its former name, in what it is asked and in the answer', async () => {
    await using session = start();
    await session.exchange({ text: 'ask researcher time' });
    const library = { ...RESEARCHER, name: 'library', formerNames: ['researcher'] };
    session.writeChart([TERMINAL, FAMILY, library]);
    const peer = { from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher' };
    expect(await session.exchange({ ...peer, text: 'It is late.' })).toEqual([
      'terminal: **library** answers:\n\nIt is late.',
    ]);
    expect(await session.exchange({ text: 'ask researcher again' })).toContain(
      'terminal: I asked **library**, and pass its answer on when it comes.',
    );
  });

  it('tells an agent that asks what it has no rule for, so that whoever had it asked is not left waiting', async () => {
    await using session = start();
    const peer = { from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher' };
    expect(await session.exchange({ ...peer, text: 'what is new?' })).toEqual([
      expect.stringMatching(/^researcher: I read this, and have no rule for it:\n\n> what is new\?/),
    ]);
  });

  it('passes the host’s notices on, but not to the place that they are about', async () => {
    await using session = start();
    const notice = { kind: 'system', event: 'delivery_refused', sender: 'host' } as const;
    const text = 'Your message to "family" was refused: no such destination.';
    expect(await session.exchange({ ...notice, text })).toEqual([`terminal: ⚠️ The host tells me:\n\n> ${text}`]);
    expect(await session.exchange({ ...notice, text, from: FAMILY })).toEqual([]);
    expect(await session.exchange({ ...notice, text, from: null })).toEqual([]);
  });

  it('reminds: asks the host for a task, and speaks when it is due', async () => {
    await using session = start();
    const timestamp = Date.now();
    const [set] = await session.exchange({ text: 'remind me in 10 min to stretch', timestamp });
    expect(set).toMatch(/⏰ I will remind you on \*\*[-\d]{10} \d\d:\d\d\*\* \(Europe\/Berlin\): stretch/);
    const request = session.rows().find((row) => row.kind === 'request');
    const task = request && parseContent(request);
    expect(task).toMatchObject({ action: 'create_task', at: timestamp + 600_000 });
    const due = await session.exchange({ text: String(task?.prompt), kind: 'task', from: null, sender: '' });
    expect(due).toEqual(['terminal: ⏰ **Reminder:** stretch']);
  });

  it('remembers within the session, also over a restart', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const first = session.start();
    await session.exchange({ text: 'remember that Tom likes tea' }, { text: 'remember the milk' });
    await first.stop();
    session.start();
    expect((await session.exchange({ text: 'recall' }))[0]).toContain('1. Tom likes tea\n2. the milk');
    expect(await session.exchange({ text: 'forget 1' })).toEqual(['terminal: Forgotten: Tom likes tea']);
    await session.exchange({ text: 'forget everything' });
    expect((await session.exchange({ text: 'recall' }))[0]).toContain('no notes');
  });

  it('sends a file', async () => {
    await using session = start();
    await session.exchange({ text: 'send a file' });
    const [row] = session.rows();
    expect(session.rows()).toHaveLength(1);
    const name = row ? (parseContent(row).attachments[0]?.name ?? '') : '';
    expect(await readFile(join(session.files.outFiles, row?.id ?? '', name), 'utf8')).toContain('# Hello from main');
  });

  it('looks at files it gets', async () => {
    await using session = start();
    const [id = ''] = session.receive({
      text: '',
      attachments: [
        { name: 'photo.png', sizeBytes: 12_345, contentType: 'image/png' },
        { name: 'a.txt', sizeBytes: 11, contentType: 'text/plain' },
        { name: 'gone.txt', sizeBytes: 11, contentType: 'text/plain' },
      ],
      processAfter: Date.now() + 150,
    });
    mkdirSync(join(session.files.inFiles, id), { recursive: true });
    writeFileSync(join(session.files.inFiles, id, 'a.txt'), 'one two\nfoo');
    await session.until(() => session.isSettled(id), 'settled');
    const [answer] = session.texts();
    expect(answer).toContain('**photo.png**, 12 KB: image/png');
    expect(answer).toContain('**a.txt**, 11 bytes: 2 lines, 3 words');
    expect(answer).toContain('cannot open it (ENOENT)');
  });

  it('reacts', async () => {
    await using session = start();
    expect(await session.exchange({ text: 'react 👍' })).toEqual([]);
    expect(session.rows().map((row) => row.kind)).toEqual(['reaction']);
    expect((await session.exchange({ text: 'react 👍', from: FAMILY }))[0]).toContain('no reactions');
  });

  it('shows the progress of a slow task in one message, and answers meanwhile', async () => {
    await using session = start();
    const [slow = ''] = session.receive({ text: 'slow task 2' });
    await session.until(() => session.runnerState('tool'), 'started');
    const [other = ''] = session.receive({ text: 'time', from: FAMILY });
    await session.until(() => session.texts().some((text) => text.startsWith('family: It is')), 'answered meanwhile');
    expect(session.processing(other)?.state).toBe('claimed');
    await session.until(() => session.isSettled(slow, other), 'settled');
    const edits = session.rows().filter((row) => row.kind === 'edit');
    const first = session.rows().find((row) => row.kind === 'chat');
    expect(new Set(edits.map((row) => parseContent(row).messageId))).toEqual(new Set([first?.id]));
    expect(edits.at(-1) && parseContent(edits.at(-1) as (typeof edits)[0]).text).toContain('100 %');
    expect(session.texts().at(-1)).toContain('terminal: The slow task is done');
  });

  it('shows a slow task as done, too, when its time was over while somebody else was answered', async () => {
    const shown: unknown[] = [];
    const tools: ToolBox = {
      list: () => [],
      call: async (_name, input) => {
        shown.push(input);
        return { ok: true, text: 'sent', seq: 7 };
      },
    };
    const task = new SlowTask(tools, 'terminal', 1, 0.001);
    await task.begin();
    while (!task.isDone) await new Promise((resolve) => setImmediate(resolve));
    expect(await task.finish(false)).toContain('The slow task is done');
    expect(shown.slice(1)).toEqual([{ message_id: 7, text: expect.stringContaining('100 %') }]);
  });

  it('stops a slow task on request, also where messages cannot be edited', async () => {
    await using session = start();
    const [slow = ''] = session.receive({ text: 'slow task 60', from: FAMILY });
    await session.until(() => session.runnerState('tool'), 'started');
    const [second = ''] = session.receive({ text: 'slow task', from: FAMILY });
    const [stop = ''] = session.receive({ text: 'stop', from: FAMILY });
    await session.until(() => session.isSettled(slow, second, stop), 'settled');
    const texts = session.texts().join('\n');
    expect(texts).toContain('One thing at a time');
    expect(texts).toMatch(/family: I stopped the slow task after \d+ of 60 s/);
    expect(session.rows().filter((row) => row.kind === 'edit')).toEqual([]);
  });

  it('lets people choose, and answers others meanwhile', async () => {
    await using session = start();
    const [id = ''] = session.receive({ text: 'ask me tea or coffee? tea, coffee' });
    const question = await session.until(() => session.rows().find((row) => row.kind === 'question'), 'a question');
    expect(parseContent(question)).toMatchObject({ question: 'tea or coffee?', options: ['tea', 'coffee'] });
    const [other = ''] = session.receive({ text: 'time', from: FAMILY });
    await session.until(() => session.texts().some((text) => text.startsWith('family: It is')), 'answered meanwhile');
    const answer = session.answerQuestion(question, 'tea', 'Anna');
    await session.until(() => session.isSettled(id, other, answer), 'settled');
    expect(session.texts().at(-1)).toBe('terminal: Anna chose: tea');
  });

  it('takes a late answer as a message (lost: a late answer that nobody reads)', async () => {
    await using session = start();
    const late = { kind: 'system', event: 'question_answered', sender: 'host', text: 'Tom chose: tea' } as const;
    expect((await session.exchange(late))[0]).toContain('> Tom chose: tea');
  });

  it('keeps tasks: sets, shows, pauses and cancels them, and says what a check found', async () => {
    await using session = start();
    const [set] = await session.exchange({ text: 'every day at 9 water the plants' });
    expect(set).toContain('`0 9 * * *`, Europe/Berlin');
    const request = session.rows().find((row) => row.kind === 'request');
    expect(request && parseContent(request)).toMatchObject({ cron: '0 9 * * *', timezone: 'Europe/Berlin' });
    expect((await session.exchange({ text: 'tasks' }))[0]).toContain('I have no tasks');
    const id = `tsk_${'e'.repeat(20)}`;
    const task = { id, prompt: 'Reminder for terminal: water the plants', hasScript: false, missed: 'once' } as const;
    const rule = { at: null, cron: '0 9 * * *', timezone: 'Europe/Berlin', lastFiredAt: null } as const;
    session.writeTasks([{ ...task, ...rule, state: 'active', nextAt: Date.UTC(2026, 10, 22, 8) }]);
    expect((await session.exchange({ text: 'tasks' }))[0]).toContain(
      '1. water the plants (next on 2026-11-22 09:00 Europe/Berlin, ',
    );
    expect((await session.exchange({ text: 'pause task 1' }))[0]).toContain('Task 1 is paused: water the plants');
    session.decide = () => ({ state: 'refused', reason: 'it is paused' });
    expect((await session.exchange({ text: 'cancel task 1' }))[0]).toContain(
      'I could not: The host refused: it is paused',
    );
    expect((await session.exchange({ text: 'resume task 7' }))[0]).toContain('There is no task 7');
    const fired = { id, dueAt: Date.now(), script: 'echo \'{"wake": true, "data": 3}\'', missed: 0 };
    const due = await session.exchange({ text: task.prompt, kind: 'task', from: null, sender: '', task: fired });
    expect(due).toEqual(['terminal: ⏰ **Reminder:** water the plants\n\nIts check found: `3`']);
  });

  it('makes agents when it is an admin, and is honest otherwise', async () => {
    await using session = start();
    const ask = { text: 'make an agent called Tea Lady that knows all about tea' };
    expect((await session.exchange(ask))[0]).toContain('only admin agents can');
    await using admin = new SessionFixture({ provider: 'demo', isAdmin: true });
    admin.start();
    const [made] = await admin.exchange(ask);
    expect(made).toContain('The agent **Tea Lady** is made');
    const [request] = admin.rows();
    expect(request && parseContent(request)).toMatchObject({ action: 'create_agent', name: 'Tea Lady' });
  });

  it('forwards the file that came last, and brings an agent’s file to who asked', async () => {
    await using session = start();
    expect((await session.exchange({ text: 'forward the file to family' }))[0]).toContain('I have no file yet');
    const attachments = [{ name: 'a.txt', sizeBytes: 5, contentType: 'text/plain' }];
    const receiveFile = async (more: object) => {
      const [id = ''] = session.receive({ text: '', attachments, processAfter: Date.now() + 150, ...more });
      mkdirSync(join(session.files.inFiles, id), { recursive: true });
      writeFileSync(join(session.files.inFiles, id, 'a.txt'), 'hello');
      await session.until(() => session.isSettled(id), 'settled');
    };
    await receiveFile({});
    await session.exchange({ text: 'forward the file to family' });
    const sent = session.rows().find((row) => row.destination === 'family');
    expect(sent && parseContent(sent)).toMatchObject({ text: '**Anna** sends you this.', attachments });
    expect(await readFile(join(session.files.outFiles, sent?.id ?? '', 'a.txt'), 'utf8')).toBe('hello');

    const [asked = ''] = session.receive({ text: 'ask researcher send a file' });
    await session.until(() => session.isSettled(asked), 'asked');
    await receiveFile({ from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher', text: 'Here.' });
    const relayed = session.rows().at(-1);
    expect(relayed).toMatchObject({ destination: 'terminal', in_reply_to: asked });
    expect(relayed && parseContent(relayed)).toMatchObject({ text: '**researcher** answers:\n\nHere.', attachments });
  });

  it('never talks for ever with another of its kind, whatever they are told (fault: two agents in a loop)', async () => {
    await using one = start();
    await using other = start();
    let carried = 0;
    // As the host does: an answer names what it answers.
    const originals = new Map<string, string>();
    const carry = (from: SessionFixture, to: SessionFixture) => {
      let seen = 0;
      return () => {
        const rows = from.rows().filter((row) => row.channel_type === 'agent');
        for (const row of rows.slice(seen)) {
          const peer = { from: RESEARCHER, sourceSessionId: from.sessionId, sender: 'researcher' };
          const inReplyTo = originals.get(row.in_reply_to ?? '') ?? null;
          const [copy = ''] = to.receive({ text: parseContent(row).text, ...peer, inReplyTo });
          originals.set(copy, row.id);
          carried++;
        }
        seen = rows.length;
      };
    };
    const carryAll = [carry(one, other), carry(other, one)];
    const texts = [
      'ask researcher ask researcher ask researcher time',
      'ask researcher help',
      'tell researcher hi',
      'ask researcher what is new?',
    ];
    const isQuiet = ({ inbound, outbound }: SessionFixture) => {
      const open = inbound.prepare<[], { id: string }>('SELECT id FROM messages_in').all();
      const ended = outbound
        .prepare<[], { n: number }>("SELECT count(*) AS n FROM processing WHERE state = 'done'")
        .get();
      return ended?.n === open.length;
    };
    for (const session of [one, other]) session.receive(...texts.map((text) => ({ text })));
    await one.until(() => {
      const before = carried;
      for (const step of carryAll) step();
      if (carried > 40) throw new Error(`${carried} messages between two agents`);
      return (
        carried === before && isQuiet(one) && isQuiet(other) && one.runnerState('idle') && other.runnerState('idle')
      );
    }, 'they have stopped talking');
    expect(carried).toBeGreaterThan(8);
    expect(one.texts().filter((text) => text.includes('answers:')).length).toBeGreaterThan(0);
  });
});
