import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
    await session.exchange({ text: '/clear' });
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
    expect(await session.exchange({ ...peer, text: 'unasked' })).toEqual([]);
    await session.exchange({ text: 'ask researcher time' });
    expect(await session.exchange({ ...peer, text: 'It is late.' })).toEqual([
      'terminal: **researcher** answers:\n\nIt is late.',
    ]);
    expect(await session.exchange({ ...peer, text: 'tell family boo' })).toHaveLength(1);
    expect(session.texts().filter((text) => text.startsWith('family'))).toEqual([]);
    expect((await session.exchange({ ...peer, text: 'time' }))[0]).toMatch(/^researcher: It is/);
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
    expect(set).toContain('⏰ I will remind you');
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

  it('stops a slow task on request, also where messages cannot be edited', async () => {
    await using session = start();
    const [slow = ''] = session.receive({ text: 'slow task 60', from: FAMILY });
    await session.until(() => session.runnerState('tool'), 'started');
    const [second = ''] = session.receive({ text: 'slow task', from: FAMILY });
    const [stop = ''] = session.receive({ text: 'stop', from: FAMILY });
    await session.until(() => session.isSettled(slow, second, stop), 'settled');
    const texts = session.texts().join('\n');
    expect(texts).toContain('One slow task at a time');
    expect(texts).toMatch(/family: I stopped the slow task after \d+ of 60 s/);
    expect(session.rows().filter((row) => row.kind === 'edit')).toEqual([]);
  });
});
