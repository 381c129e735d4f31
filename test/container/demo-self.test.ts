/** The demo provider's rules about its own container: a real runner, real programs, and a host that answers. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseIntent } from '../../container/providers/demo/intents.ts';
import { splitWords } from '../../container/providers/demo/self-intents.ts';
import { FAMILY, PROGRAM_ENVIRONMENT, parseContent, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

/** A folder of programs on the runner's PATH. */
function start(options: ConstructorParameters<typeof SessionFixture>[0] = {}): SessionFixture & { programs: string } {
  const session = new SessionFixture({ provider: 'demo', destinations: [TERMINAL, FAMILY, RESEARCHER], ...options });
  const programs = join(session.root, 'bin');
  mkdirSync(programs);
  session.start({ PATH: `${programs}:${process.env.PATH}`, SECRET_OF_THE_RUNNER: 'x' });
  return Object.assign(session, { programs });
}

function putProgram(session: { programs: string }, name: string, script: string): void {
  const path = join(session.programs, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

describe('what a message asks of the agent’s own container', () => {
  const self = (intent: object) => ({ kind: 'self', intent });
  it.each<[string, object]>([
    ['install apt cowsay', self({ kind: 'install', apt: ['cowsay'], npm: [], reason: null })],
    [
      'install npm cowsay because I like cows.',
      self({ kind: 'install', apt: [], npm: ['cowsay'], reason: 'I like cows.' }),
    ],
    [
      'Install apt cowsay, figlet and npm left-pad@1.3.0 because of fun',
      self({ kind: 'install', apt: ['cowsay', 'figlet'], npm: ['left-pad@1.3.0'], reason: 'of fun' }),
    ],
    ['install npm npm', self({ kind: 'install', apt: [], npm: ['npm'], reason: null })],
    ['install cowsay', self({ kind: 'install-unclear' })],
    ['install apt', self({ kind: 'install-unclear' })],
    ['run cowsay', self({ kind: 'run', program: 'cowsay', args: [] })],
    ['run cowsay -f "two words" $(id)', self({ kind: 'run', program: 'cowsay', args: ['-f', 'two words', '$(id)'] })],
    ['run ../../bin/sh', { kind: 'unknown' }],
    ['run a slow task', { kind: 'slow-task', seconds: 10 }],
    [
      'add mcp server notes: UNITS=metric node "my notes.mjs" --x because I lose things',
      self({
        kind: 'add-server',
        server: { name: 'notes', command: 'node', args: ['my notes.mjs', '--x'], env: { UNITS: 'metric' } },
        reason: 'I lose things',
      }),
    ],
    ['add mcp server notes', self({ kind: 'add-server-unclear' })],
    ['add mcp server notes: A=b', self({ kind: 'add-server-unclear' })],
    ['remove mcp server notes', self({ kind: 'remove-server', name: 'notes', reason: null })],
    ['remove the MCP server notes because no', self({ kind: 'remove-server', name: 'notes', reason: 'no' })],
    ['mcp tools', self({ kind: 'server-tools' })],
    [
      'use notes add {"text": "milk"}',
      self({ kind: 'use-tool', server: 'notes', tool: 'add', json: '{"text": "milk"}' }),
    ],
    ['use notes list', self({ kind: 'use-tool', server: 'notes', tool: 'list', json: '{}' })],
    ['rebuild because of the news', self({ kind: 'rebuild', reason: 'of the news' })],
    ['restart', self({ kind: 'restart' })],
    ['restarting is fun', { kind: 'unknown' }],
    ['the mcp tools are nice', { kind: 'unknown' }],
  ])('%j', (text, intent) => {
    expect(parseIntent(text, 'main', 0)).toEqual(intent);
  });

  it('is found in no time in 64 KB of anything', () => {
    const words = [
      'install apt ',
      'and npm ',
      'add mcp server a',
      'add mcp server a: B=c ',
      'use a b {',
      'run a "',
      'because ',
    ];
    const startedAt = performance.now();
    for (const word of words) parseIntent(word.repeat(65_536 / word.length), 'main', 0);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('has words by blanks and quotes, and no other meaning', () => {
    expect(splitWords(`a "b c" 'd "e' f"g h"i "" \t x; rm -rf $HOME`)).toEqual([
      'a',
      'b c',
      'd "e',
      'fg hi',
      '',
      'x;',
      'rm',
      '-rf',
      '$HOME',
    ]);
    expect(splitWords('"open to the end')).toEqual(['open to the end']);
  });
});

describe('the demo assistant, about its own container', () => {
  it('asks an admin for a program, and says so to the person', async () => {
    await using session = start();
    session.decide = () => ({ state: 'delivered', reason: 'an admin was asked; the code is 7K2Q' });
    expect(await session.exchange({ text: 'install apt cowsay' })).toEqual([
      'terminal: 📮 I asked the host, and it says: an admin was asked; the code is 7K2Q. What an admin decides I will tell you here.',
    ]);
    const [request] = session.rows();
    expect(request && parseContent(request)).toEqual({
      action: 'install_packages',
      apt: ['cowsay'],
      npm: [],
      reason: 'Anna wrote in terminal: install apt cowsay',
    });
    const [wrong] = await session.exchange({ text: 'install apt Cow$ay because fun' });
    expect(wrong).toContain('I could not: install_packages was not called: apt.0 "Cow$ay": a Debian package name');
    session.decide = () => ({ state: 'refused', reason: 'that was rejected an hour ago' });
    expect((await session.exchange({ text: 'rebuild because why not' }))[0]).toContain('rejected an hour ago');
  });

  it('asks for MCP servers and restarts through the tools alone', async () => {
    await using session = start();
    await session.exchange({ text: 'add mcp server notes: A=b node notes.mjs "x y"' });
    await session.exchange({ text: 'restart' });
    const asked = session
      .rows()
      .filter((row) => row.kind === 'request')
      .map(parseContent);
    expect(asked).toMatchObject([
      {
        action: 'add_mcp_server',
        server: { name: 'notes', command: 'node', args: ['notes.mjs', 'x y'], env: { A: 'b' } },
      },
      { action: 'restart', note: 'Anna wrote in terminal: restart' },
    ]);
    expect((await session.exchange({ text: 'mcp tools' }))[0]).toContain('I have no MCP server');
    expect((await session.exchange({ text: 'remove mcp server notes' }))[0]).toContain(
      'You have no MCP server "notes"',
    );
  });

  it('runs a program of its container without a shell, with nothing of the runner’s environment', async () => {
    await using session = start();
    putProgram(session, 'hello', 'echo "hello $1"; pwd; env | grep -c SECRET_OF_THE_RUNNER; echo oops >&2');
    const [answer] = await session.exchange({ text: 'run hello "$(id) `id`"' });
    expect(answer).toBe(
      `terminal: \`hello\` says:\n\n\`\`\`\nhello $(id) \`id\`\n${session.folders.agent}\n0\noops\n\`\`\``,
    );
    expect((await session.exchange({ text: 'run no-such-program x' }))[0]).toBe(
      'terminal: I have no program `no-such-program`. Install it with `install apt no-such-program` or `install npm no-such-program`: an admin is asked.',
    );
    putProgram(session, 'bad', `printf '\\033[31mred\\033[0m \`\`\`'; exit 3`);
    expect((await session.exchange({ text: 'run bad' }))[0]).toBe(
      'terminal: `bad` ended with exit code 3.\n\n````\nred ```\n````',
    );
  });

  it.each([
    'curl: (56) CONNECT tunnel failed, response 403',
    'TypeError: fetch failed: Proxy response (403) !== 200 when HTTP Tunneling',
    '{"type":"error","error":{"type":"not_allowed","message":"no"}}',
  ])('says how to ask when the gateway did not let a program out: %s', async (said) => {
    await using session = start();
    putProgram(session, 'out', `echo '${said}'; exit 1`);
    const [answer] = await session.exchange({ text: 'run out' });
    expect(answer).toContain('`ask for access to <host> because …`');
    putProgram(session, 'fine', 'echo "HTTP 403 Forbidden"');
    expect((await session.exchange({ text: 'run fine' }))[0]).not.toContain('ask for access');
  });

  it('gives programs the way out, and nothing secret', async () => {
    await using session = start();
    putProgram(session, 'out', 'env | cut -d= -f1 | sort | tr "\\n" " "; echo "$https_proxy"');
    const [answer = ''] = await session.exchange({ text: 'run out' });
    const [, names = ''] = /```\n([^`]*)http:\/\/127\.0\.0\.1:\d+\n```/.exec(answer) ?? [];
    const ofTheShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    const given = names.split(' ').filter((name) => name !== '' && !ofTheShell.includes(name));
    expect(given.sort()).toEqual([...PROGRAM_ENVIRONMENT].sort());
  });

  it('ends a program that floods, and one that a person stops, with all that it started', async () => {
    await using session = start();
    putProgram(session, 'flood', 'yes moo');
    const [flooded = ''] = await session.exchange({ text: 'run flood' });
    expect(flooded).toContain('printed too much, so I ended it');
    expect(flooded.length).toBeLessThan(4_000);
    const pidFile = join(session.root, 'pid');
    putProgram(session, 'hang', `sleep 600 & echo $! > ${pidFile}; wait`);
    const [hang = ''] = session.receive({ text: 'run hang' });
    await session.until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim() !== '', 'it runs');
    const [other = ''] = session.receive({ text: 'time', from: FAMILY });
    await session.until(() => session.texts().some((text) => text.startsWith('family: It is')), 'answered meanwhile');
    const [stop = ''] = session.receive({ text: 'stop' });
    await session.until(() => session.isSettled(hang, other, stop), 'settled');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    await session.until(() => !existsSync(`/proc/${pid}`), 'what it started is gone');
  });

  it.each([
    ['approval_applied', '✅ It was approved'],
    ['approval_rejected', '❌ It was rejected'],
    ['approval_expired', '⌛ Nobody decided in time'],
    ['approval_failed', '⚠️ It was approved, but did not work'],
    ['approval_superseded', '🔁 The request was replaced'],
  ])(
    'tells who asked, in the thread where it was asked, of %s; what a program printed is no markup',
    async (event, words) => {
      await using session = start();
      const notice = { kind: 'system', event, sender: 'host', from: FAMILY, threadId: 'thr' } as const;
      expect(await session.exchange({ ...notice, text: 'cowsay by Tom\nE: no such package' })).toEqual([
        `family: ${words}:\n\n> cowsay by Tom\n\n\`\`\`\nE: no such package\n\`\`\``,
      ]);
      expect(session.rows()[0]?.thread_id).toBe('thr');
      expect(await session.exchange({ ...notice, text: 'x', from: null })).toEqual([]);
      expect(await session.exchange({ ...notice, text: 'x', from: RESEARCHER, sourceSessionId: 'ses_x' })).toEqual([]);
    },
  );

  it('is back after a restart, where it was asked for', async () => {
    await using session = start();
    const text = 'Your container was started afresh, as you asked.';
    const notice = { kind: 'system', event: 'restarted', sender: 'host', from: FAMILY } as const;
    expect(await session.exchange({ ...notice, text })).toEqual([
      `family: 🔄 I am back, in a fresh container:\n\n> ${text}`,
    ]);
  });

  it('asks for nothing and runs nothing for another agent', async () => {
    await using session = start();
    putProgram(session, 'hello', `touch ${join(session.root, 'ran')}`);
    const peer = { from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher' };
    for (const text of ['install apt cowsay', 'run hello', 'restart', 'add mcp server a: b', 'rebuild', 'use a b']) {
      await session.exchange({ ...peer, text });
    }
    expect(session.rows().filter((row) => row.kind === 'request')).toEqual([]);
    expect(existsSync(join(session.root, 'ran'))).toBe(false);
  });
});
