import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../host/cli/program.ts';
import { type HomePaths, projectRoot } from '../../../host/config/home.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';
import { FakeHost } from './support/fake-host.ts';
import { emulateScreen } from './support/screen-emulator.ts';

const COLUMNS = 60;
const ENTER = '\r';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** A person at a terminal: types, and sees. */
class Person {
  readonly stdin = new PassThrough();
  readonly ended: Promise<number>;
  #output = '';

  constructor(paths: HomePaths, words: string[] = ['chat']) {
    const stdout = Object.assign(new PassThrough().setEncoding('utf8'), { columns: COLUMNS, rows: 40 });
    stdout.on('data', (text: string) => {
      this.#output += text;
    });
    const leaving = new AbortController();
    this.ended = runCli(words, {
      stdin: this.stdin,
      stdout,
      stderr: stdout,
      isInteractive: true,
      isStdinInteractive: true,
      useColour: true,
      columns: () => COLUMNS,
      rows: () => 40,
      env: { PORTOLAN_HOME: paths.home, TERM: 'xterm-256color' },
      cwd: paths.home,
      interrupted: leaving.signal,
      now: Date.now,
    });
    onTestFinished(async () => {
      leaving.abort();
      await this.ended;
    });
  }

  get screen(): string[] {
    return emulateScreen(this.#output, COLUMNS);
  }

  type(text: string): void {
    this.stdin.write(text);
  }

  /** Waits until this many lines of the screen have the text. */
  sees(text: string, times = 1): Promise<true> {
    const count = () => this.screen.filter((line) => line.includes(text)).length;
    return until(`the screen to show ${times} × "${text}"`, () => count() === times).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.screen.join('\n')}`);
    }) as Promise<true>;
  }
}

describe('the chat in a terminal', () => {
  it('shows the last messages, then what is typed and what is answered, each exactly once', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    for (let number = 1; number <= 25; number++)
      host.addMessage(session, { text: `old ${number}.`, state: 'answered' });
    host.onPosted = (message) => host.reply(message, 'I am **well**');
    const person = new Person(paths);
    await person.sees('old 25.');
    expect(person.screen.join('\n')).not.toContain('old 5.');
    expect(person.screen.join('\n')).toContain('old 6.');
    person.type(`how are you?${ENTER}`);
    await person.sees('I am well');
    await person.sees('how are you?');
    expect(person.screen.at(-1)).toBe('›');
    person.type(CTRL_D);
    expect(await person.ended).toBe(0);
  });

  it('keeps the line being typed, and its cursor, under what comes in', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const person = new Person(paths);
    await person.sees('›');
    const long = 'a line so long that it wraps around the edge of the screen, twice, which is why it goes on and on';
    person.type(long);
    await person.sees('on and on');
    host.addMessage(session, { direction: 'out', text: 'news' });
    await person.sees('news');
    host.addMessage(session, { direction: 'out', text: 'more news' });
    await person.sees('more news');
    const shown = person.screen.join('').split('› ').at(-1);
    expect(shown).toBe(long);
    person.type(`!${ENTER}`);
    await until('the message', () => host.messages.find(({ text }) => text === `${long}!`));
    await person.sees('a line so long');
  });

  it('says when the agent types and what became of the own message', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const person = new Person(paths);
    await person.sees('›');
    person.type(`x${ENTER}`);
    await person.sees('sent ✓');
    const [message] = host.messages;
    if (message === undefined) throw new Error('nothing was posted');
    host.change(message, { state: 'read' });
    await person.sees('read ✓✓');
    host.change(message, { state: 'failed', stateReason: 'tried 5 times' });
    await person.sees('✗ Your message failed: tried 5 times');
  });

  it('takes pasted lines as one message', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const person = new Person(paths);
    await person.sees('›');
    person.type(`one${ENTER}two${ENTER}three${ENTER}`);
    await until('the message', () => host.messages[0]);
    expect(host.messages.map(({ text }) => text)).toEqual(['one\ntwo\nthree']);
  });

  it('rewrites a message that changes while it is the last, and shows it anew when it is not', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const person = new Person(paths);
    await person.sees('›');
    const progress = host.addMessage(session, { direction: 'out', text: 'at 0 %' });
    await person.sees('at 0 %');
    host.change(progress, { text: 'at 50 %', editedAt: Date.now() });
    await person.sees('at 50 %');
    await person.sees('at 0 %', 0);
    host.addMessage(session, { direction: 'out', text: 'between' });
    await person.sees('between');
    host.change(progress, { text: 'at 100 %' });
    await person.sees('at 100 %');
    await person.sees('at 50 %', 1);
  });

  it('loses and doubles nothing over a restart of the host, and sends what was typed meanwhile once', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const person = new Person(paths);
    await person.sees('›');
    host.addMessage(session, { direction: 'out', text: 'before' });
    await person.sees('before');
    await host.stop();
    await person.sees('not connected');
    person.type(`typed meanwhile${ENTER}`);
    await person.sees('sending…');
    host.addMessage(session, { direction: 'out', text: 'missed' });
    await host.listen();
    await person.sees('missed');
    await person.sees('typed meanwhile');
    await person.sees('before');
    expect(host.messages.filter(({ text }) => text === 'typed meanwhile')).toHaveLength(1);
    await person.sees('not connected', 0);
  });

  it('attaches and saves files', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    writeFileSync(join(paths.home, 'plan.txt'), 'the plan');
    const person = new Person(paths);
    await person.sees('›');
    person.type(`/attach plan.txt${ENTER}`);
    await person.sees('📎 plan.txt');
    person.type(`here it is${ENTER}`);
    await until('the message', () => host.messages[0]?.attachments.length === 1);
    const reply = host.addMessage(session, {
      direction: 'out',
      attachments: [{ name: '../evil.txt', sizeBytes: 3, contentType: 'text/plain', url: '/', isKept: true }],
    });
    host.files.set(`${reply.id}/../evil.txt`, Buffer.from('abc'));
    await person.sees('/save 2');
    person.type(`/save 2${ENTER}`);
    await person.sees('saved');
    expect(readFileSync(join(paths.home, '_evil.txt'), 'utf8')).toBe('abc');
    person.type(`/save 9${ENTER}`);
    await person.sees('No file is shown with number 9');
    person.type(`/attach nowhere.txt${ENTER}`);
    await person.sees('There is no file');
  });

  it('leaves at Ctrl+C on an empty line, and only clears one that is not', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const person = new Person(paths);
    await person.sees('›');
    person.type('secret thoughts');
    await person.sees('secret thoughts');
    person.type(CTRL_C);
    await person.sees('secret thoughts', 0);
    person.type(CTRL_C);
    expect(await person.ended).toBe(0);
    expect(host.messages).toEqual([]);
  });

  it('shows another person of the same session by name, and nothing that could steer the terminal', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const person = new Person(paths);
    await person.sees('›');
    host.addMessage(session, { author: { id: 'u', name: 'Ana\u001b[2J' }, text: 'hi \u001b]0;owned\u0007 there' });
    await person.sees('hi ]0;owned there');
    await person.sees('Ana[2J');
  });
});

describe('the built program', () => {
  it('chats over a real pseudo-terminal, and leaves with 0', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    host.onPosted = (message) => host.reply(message, `echo of ${message.text}`);
    const child = spawn('script', ['-qec', 'node "$PORTOLAN_CLI" chat', '/dev/null'], {
      env: {
        ...process.env,
        PORTOLAN_CLI: join(projectRoot(), 'dist/cli.mjs'),
        PORTOLAN_HOME: paths.home,
        TERM: 'xterm',
      },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const closed = once(child, 'close');
    await until('the prompt', () => output.includes('›'));
    child.stdin.write('hello\r');
    await until('the reply', () => output.includes('echo of hello'));
    child.stdin.write(CTRL_D);
    const [code] = await closed;
    expect(code).toBe(0);
  });

  it('is one file: it shows its help without any package beside it', async () => {
    const home = makeTempHome();
    const alone = join(home.home, 'cli.mjs');
    writeFileSync(alone, readFileSync(join(projectRoot(), 'dist/cli.mjs')));
    const child = spawn(process.execPath, [alone, '--help'], { cwd: home.home });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(output).toContain('portolan doctor');
  });
});
