/** MCP servers of an agent's config, as children of a real runner: servers that behave, and all that do not. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import type { ToolDescription, ToolResult } from '../../container/tools/tool.ts';
import type { McpServer } from '../../shared/mcp-servers.ts';
import { toolSocketPath } from '../../shared/session-files.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { PROGRAM_ENVIRONMENT, parseContent, SessionFixture } from './session-fixture.ts';

const SCRIPT = fileURLToPath(new URL('../support/mcp-server.mjs', import.meta.url));
const DONE = '<message to="terminal">done</message>';

function server(way: string, more: Partial<McpServer> = {}): McpServer {
  return { name: way, command: process.execPath, args: [SCRIPT, way], env: {}, ...more };
}

/** One turn for each list of calls; collects what the tools said. */
function callIn(turns: readonly (readonly [string, unknown])[][], results: ToolResult[]): ScriptedProvider {
  const scripts = turns.map(
    (calls): Script =>
      async function* (query): AsyncGenerator<ProviderEvent> {
        for (const [name, input] of calls) results.push(await query.tools.call(name, input));
        yield { kind: 'result', text: DONE };
      },
  );
  return new ScriptedProvider(...scripts);
}

/** Calls tools of these servers in one turn; also gives what servers' tools there were. */
async function callAll(
  servers: McpServer[],
  ...calls: [string, unknown][]
): Promise<[ToolResult[], ToolDescription[]]> {
  await using session = new SessionFixture({ mcpServers: servers });
  const results: ToolResult[] = [];
  const provider = callIn([calls], results);
  await using _loop = new LoopHarness(session, provider);
  expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: done']);
  return [results, provider.queries[0]?.tools.list().filter(({ name }) => name.startsWith('mcp__')) ?? []];
}

function reports(session: SessionFixture): { name: string; problem: string | null; tools: number }[][] {
  const rows = session.rows().filter((row) => row.kind === 'request');
  return rows.map((row) => parseContent(row).servers as { name: string; problem: string | null; tools: number }[]);
}

/** One request at the runner's tool socket. */
async function talk(path: string, request: unknown): Promise<{ tools?: unknown[] }> {
  const text = await new Promise<string>((resolve, reject) => {
    let reply = '';
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      reply += chunk;
    });
    socket.once('error', reject).once('close', () => resolve(reply));
  });
  return JSON.parse(text);
}

function isAlive(pid: number): boolean {
  // A zombie is dead: its parent is this process, or the runner, and may not have looked yet.
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return stat !== '' && !/\) [ZX] /.test(stat);
}

async function findPid(session: SessionFixture, name = 'good'): Promise<number> {
  const [answer = ''] = await session.exchange({ text: `use ${name} where` });
  return Number(/"pid":(\d+)/.exec(answer)?.[1]);
}

describe('a server that comes up', () => {
  it('brings its tools with their schemas into the box, and they work', async () => {
    const [results, tools] = await callAll(
      [server('good', { name: 'notes', args: [SCRIPT, 'good', 'two words'], env: { UNITS: 'metric' } })],
      ['mcp__notes__echo', { text: 'hello' }],
      ['mcp__notes__where', {}],
      ['mcp__notes__structured', {}],
      ['mcp__notes__fail', {}],
    );
    expect(results[0]).toEqual({ ok: true, text: 'hello' });
    expect(tools.find((tool) => tool.name === 'mcp__notes__echo')).toMatchObject({
      description: 'Does echo.',
      inputSchema: { type: 'object' },
    });
    const where = JSON.parse(results[1]?.text ?? '');
    expect(where.args).toEqual(['good', 'two words']);
    expect(where.cwd).toMatch(/\/agent$/);
    expect(Object.keys(where.env).sort()).toEqual([...PROGRAM_ENVIRONMENT, 'UNITS'].sort());
    expect(where.env).toMatchObject({ TZ: 'Europe/Berlin', UNITS: 'metric', HOME: expect.stringMatching(/\/state$/) });
    expect(results[2]).toEqual({ ok: true, text: '{"answer":42}' });
    expect(results[3]).toEqual({ ok: false, text: 'no such note' });
  });

  it('has its results bounded, and pictures are noted', async () => {
    const [[big, picture, nonsense]] = await callAll(
      [server('good')],
      ['mcp__good__big', {}],
      ['mcp__good__picture', {}],
      ['mcp__good__nonsense', {}],
    );
    expect(Buffer.byteLength(big?.text ?? '')).toBeLessThan(66_000);
    expect(big?.text).toMatch(/ä\n\(cut off here: the whole result has 400000 bytes\)$/);
    expect(picture?.text).toBe(
      '(image, image/png, 3000 bytes: not shown)\na picture\n(a link: file:///notes.txt)\nin the file\n(something that cannot be read)',
    );
    expect(nonsense).toMatchObject({ ok: false, text: expect.stringContaining('does not follow the protocol') });
  });

  it('gets an object as input, of a bounded size, and only names that it has', async () => {
    const [results] = await callAll(
      [server('good')],
      ['mcp__good__echo', 'text'],
      ['mcp__good__echo', [1]],
      ['mcp__good__echo', { text: 'x'.repeat(600_000) }],
      ['mcp__good__toString', {}],
      ['mcp__other__echo', {}],
    );
    expect(results.map((result) => result.ok)).toEqual([false, false, false, false, false]);
    expect(results[0]?.text).toContain('its input is a JSON object');
    expect(results[2]?.text).toContain('longer than 524288 bytes');
    expect(results[3]?.text).toContain('There is no tool mcp__good__toString. Use one of: send_message');
  });

  it('may have odd tools: those that cannot be offered are left out, names are made fit', async () => {
    const [, tools] = await callAll([server('odd-tools')]);
    expect(tools.map(({ name }) => name)).toEqual(['mcp__odd-tools__dots_and_spaces', 'mcp__odd-tools__a']);
    expect(tools[1]?.description.length).toBeLessThan(2_010);
  });

  it('may print greetings, ask for what it was not offered, and get more tools', async () => {
    await using session = new SessionFixture({ mcpServers: [server('greeting')] });
    const results: ToolResult[] = [];
    const provider = callIn([[['mcp__greeting__ask', {}]], [['mcp__greeting__grow', {}]], []], results);
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'one' });
    const isListed = () =>
      provider.queries
        .at(-1)
        ?.tools.list()
        .some(({ name }) => name === 'mcp__greeting__grown');
    // Listed again at a later turn, if that was too soon.
    while (!isListed()) await session.exchange({ text: 'and now?' });
    expect(results.map((result) => result.text)).toEqual(['asked', 'ok']);
  });

  it('is there for programs beside the runner too, as long as a turn runs', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good')] });
    session.start();
    const [id = ''] = session.receive({ text: 'slow task 60' });
    await session.until(() => session.runnerState('tool'), 'a turn runs');
    const path = toolSocketPath(session.sessionId);
    const listed = await talk(path, { op: 'list' });
    expect(listed.tools).toContainEqual({
      name: 'mcp__good__echo',
      description: 'Does echo.',
      inputSchema: { type: 'object', properties: {} },
    });
    const called = await talk(path, { op: 'call', name: 'mcp__good__echo', input: { text: 'beside' } });
    expect(called).toEqual({ kind: 'result', ok: true, text: 'beside' });
    const [stop = ''] = session.receive({ text: 'stop' });
    await session.until(() => session.isSettled(id, stop), 'settled');
    expect(await talk(path, { op: 'call', name: 'mcp__good__echo', input: {} })).toMatchObject({
      ok: false,
      text: expect.stringContaining('No turn is running'),
    });
  });

  it('is started once, before the first turn and not before, and reported once', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good'), server('odd-tools')] });
    const runner = session.start();
    await session.until(() => session.runnerState('idle'), 'idle');
    expect(runner.stderr).not.toContain('an MCP server');
    const pid = await findPid(session);
    expect(await findPid(session)).toBe(pid);
    expect(reports(session)).toEqual([
      [
        { name: 'good', problem: null, tools: 15 },
        { name: 'odd-tools', problem: null, tools: 2 },
      ],
    ]);
    expect((await session.exchange({ text: 'mcp tools' }))[0]).toContain('**good** brings:\n\n- `echo`: Does echo.');
    expect((await session.exchange({ text: 'use good echo {"text": "a `b`"}' }))[0]).toContain('a `b`');
    expect(runner.stderr.match(/an MCP server is up/g)).toHaveLength(2);
  });

  it('ends with the runner: when it is stopped, also a stubborn one, and with what it forked', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good'), server('stubborn')] });
    const runner = session.start();
    const pids = [await findPid(session), await findPid(session, 'stubborn')];
    const file = join(session.root, 'forked');
    await session.exchange({ text: `use good fork {"file": "${file}"}` });
    pids.push(Number(readFileSync(file, 'utf8')));
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    const stoppedAt = performance.now();
    expect(await runner.stop()).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
    await session.until(() => !pids.some(isAlive), 'all of them are gone');
  });

  it('ends when its runner is killed, because its input ends', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good')] });
    const runner = session.start();
    const pid = await findPid(session);
    await runner.kill();
    await session.until(() => !isAlive(pid), 'it is gone');
  });
});

describe('a server that does not come up', () => {
  const broken: [string, McpServer, RegExp][] = [
    ['crash', server('crash'), /it ended with exit code 3; it says: cannot read notes\.db: no such file/],
    ['missing', server('x', { command: 'no-such-program' }), /there is no program "no-such-program" in the container/],
    ['not executable', server('x', { command: '/etc/passwd' }), /"\/etc\/passwd" may not be run/],
    ['old', server('old-version'), /protocol version is not supported: 1999-01-01/],
    ['lines', server('flood-lines'), /it floods its output/],
    ['line', server('flood-line'), /it printed a line of more than 8388608 bytes/],
    ['log', server('flood-log'), /it floods its log/],
    ['garbage', server('garbage'), /it did not come up within 10 s; it printed what is no MCP message: Welcome to/],
    ['hang', server('hang'), /it did not come up within 10 s/],
  ];

  it('is left out, one like the other: the turn goes on, the agent and the host are told why', async () => {
    const servers = broken.map(([, spec], index) => ({ ...spec, name: `s${index}` }));
    await using session = new SessionFixture({ mcpServers: [server('good'), ...servers] });
    const results: ToolResult[] = [];
    const provider = callIn([[['mcp__good__echo', { text: 'still here' }]]], results);
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: done']);
    expect(results).toEqual([{ ok: true, text: 'still here' }]);
    const [report = []] = reports(session);
    expect(report.map(({ name }) => name)).toEqual(['good', ...servers.map(({ name }) => name)]);
    const addendum = provider.queries[0]?.addendum ?? '';
    expect(addendum).toContain('These MCP servers of yours are down');
    for (const [index, [, , words]] of broken.entries()) {
      expect(report[index + 1]?.problem).toMatch(words);
      expect(addendum.split('\n').find((line) => line.startsWith(`- \`s${index}\``))).toMatch(words);
    }
    expect(addendum).not.toContain('`good`');
    expect(reports(session)).toHaveLength(1);
  });

  it('is tried again in a later turn, and reported once more when it is up', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('second-time')] });
    session.start();
    await session.exchange({ text: 'time' });
    expect(reports(session)).toMatchObject([[{ problem: expect.stringContaining('exit code 5'), tools: 0 }]]);
    expect((await session.exchange({ text: 'use second-time echo {"text": "x"}' }))[0]).toContain('There is no tool');
    const isUp = async () =>
      (await session.exchange({ text: 'use second-time echo {"text": "up"}' }))[0]?.includes('says');
    while (!(await isUp()));
    await session.exchange({ text: 'time' });
    expect(reports(session)).toHaveLength(2);
    expect(reports(session)[1]).toMatchObject([{ problem: null, tools: 15 }]);
  });
});

describe('a server that breaks in the middle', () => {
  it.each([
    ['die', /mcp__good__die failed: it ended with exit code 4; it says: out of paper/],
    ['close', /mcp__good__close failed: it closed its output/],
    ['rant', /mcp__good__rant failed: it floods its output/],
    ['wall', /mcp__good__wall failed: it printed a line of more than/],
  ])('by %s ends that call with words, and the turn goes on', async (tool, words) => {
    const [results] = await callAll([server('good')], [`mcp__good__${tool}`, {}], ['mcp__good__echo', { text: 'x' }]);
    expect(results[0]).toEqual({ ok: false, text: expect.stringMatching(words) });
    expect(results[1]).toEqual({ ok: false, text: expect.stringMatching(/good is down: it .* again in 1 s/) });
  });

  it('is started again by the next call after a pause, and its tools stay listed meanwhile', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good')] });
    session.start();
    const pid = await findPid(session);
    expect((await session.exchange({ text: 'use good die' }))[0]).toContain('out of paper');
    expect((await session.exchange({ text: 'mcp tools' }))[0]).toContain('- `echo`');
    let next = Number.NaN;
    while (!(next > 0)) next = await findPid(session);
    expect(next).not.toBe(pid);
  });

  it('by never answering holds no turn: its time is declared, and a person’s stop ends the wait', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good')] });
    session.start();
    const [id = ''] = session.receive({ text: 'use good mute' });
    const tool = await session.until(() => session.runnerState('tool'), 'declared');
    expect(tool).toMatchObject({ tool: 'mcp__good__mute', timeoutMs: 305_000 });
    const [stop = ''] = session.receive({ text: 'stop' });
    await session.until(() => session.isSettled(id, stop), 'settled');
    expect(session.runnerState('tool')).toBeNull();
    expect((await session.exchange({ text: 'use good echo {"text": "well"}' }))[0]).toContain('well');
  });

  it('by never answering a call that nobody awaits leaves nothing open behind the turn', async () => {
    await using session = new SessionFixture({ mcpServers: [server('good')] });
    const late: Promise<ToolResult>[] = [];
    const provider = new ScriptedProvider(async function* (query): AsyncGenerator<ProviderEvent> {
      late.push(query.tools.call('mcp__good__mute', {}));
      yield { kind: 'result', text: DONE };
    });
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: done']);
    expect(await Promise.all(late)).toEqual([{ ok: false, text: expect.stringMatching(/^The turn is over/) }]);
  });

  it('by never answering does not keep the runner from stopping', async () => {
    await using session = new SessionFixture({ provider: 'demo', mcpServers: [server('good'), server('hang')] });
    const runner = session.start();
    const [id = ''] = session.receive({ text: 'time' });
    await session.until(() => runner.stderr.includes('an MCP server is up'), 'one is up, the other hangs');
    expect(session.processing(id)?.state).toBe('claimed');
    expect(await runner.stop()).toBe(0);
    expect(session.processing(id)).toBeNull();
  });
});
