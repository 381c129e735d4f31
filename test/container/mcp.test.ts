/** The agent's tools over MCP: the SDK's own client, a runner as a child process and one in a real container. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';
import { deriveAgentGroupId } from '../../shared/ids.ts';
import { RUNNER_ENV, toolSocketPath } from '../../shared/session-files.ts';
import { FAMILY, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

const MCP = fileURLToPath(new URL('../../dist/mcp.mjs', import.meta.url));
/** The uid of the image, for whom the container's side of the folder is. */
const AGENT_UID = 10001;

const CHART = [TERMINAL, FAMILY, RESEARCHER];

/** How a program beside the runner is started. */
interface Place extends AsyncDisposable {
  session: SessionFixture;
  command: string;
  args: string[];
  env: Record<string, string>;
}

function startProcess(session: SessionFixture): Place {
  session.start();
  return {
    session,
    command: process.execPath,
    args: [MCP],
    env: { PATH: process.env.PATH ?? '', [RUNNER_ENV.in]: session.folders.in },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function startContainer(session: SessionFixture): Place {
  const { in: inFolder, out, state, agent } = session.folders;
  for (const path of [out, state, agent, ...readdirSync(out).map((name) => join(out, name))]) {
    chownSync(path, AGENT_UID, AGENT_UID);
  }
  const mount = (from: string, name: string) => ['-v', `${from}:/workspace/${name}`];
  const id = execFileSync('docker', [
    ...['run', '--detach', '--rm', '--init', '--network', 'none', '--read-only', '--cap-drop', 'ALL'],
    ...['--tmpfs', `/tmp:rw,size=16m,uid=${AGENT_UID},gid=${AGENT_UID}`, '-v', `${inFolder}:/workspace/in:ro`],
    ...[...mount(out, 'out'), ...mount(state, 'state'), ...mount(agent, 'agent'), process.env.PORTOLAN_IMAGE ?? ''],
  ])
    .toString()
    .trim();
  return {
    session,
    command: 'docker',
    args: ['exec', '-i', id, 'node', '/app/mcp.mjs'],
    env: { PATH: process.env.PATH ?? '' },
    async [Symbol.asyncDispose]() {
      execFileSync('docker', ['kill', id], { stdio: 'ignore' });
      await session[Symbol.asyncDispose]();
    },
  };
}

/** A client that is connected to a new server of its own. */
async function connectClient({ command, args, env }: Place): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command, args, env }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** Something for the turn to do while the tools are called. Returns the message that it answers. */
async function beginTurn(session: SessionFixture): Promise<string> {
  const [id = ''] = session.receive({ text: 'slow task 60' });
  await session.until(() => session.runnerState('tool'), 'a turn runs');
  return id;
}

async function call(client: Client, name: string, input: Record<string, unknown>): Promise<[boolean, string]> {
  const { isError, content } = await client.callTool({ name, arguments: input });
  const [first] = content as { text: string }[];
  return [isError !== true, first?.text ?? ''];
}

const TASK = `tsk_${'d'.repeat(20)}`;
const QUESTION = { title: 'Colour', question: 'Which?', options: ['red', 'blue'] };

/** What each is called with, what it says, and whether it can be done here. */
const CALLS: Readonly<Record<string, [Record<string, unknown>, RegExp, boolean?]>> = {
  send_message: [{ to: 'family', text: 'hello' }, /^Sent as message \d+/],
  send_file: [{ to: 'family', path: 'report.txt', text: 'see' }, /^Sent report\.txt/],
  edit_message: [{ message_id: 3, text: 'better' }, /^Edited message 3/],
  add_reaction: [{ message_id: 2, emoji: '👍' }, /^Reacted to message 2/],
  ask_user_question: [{ ...QUESTION, timeout_s: 60 }, /^Tom chose: red/],
  list_destinations: [{}, /researcher: Researcher \(agent\)/],
  create_agent: [{ name: 'Writer', instructions: 'Write.' }, /write to it as `writer`/],
  create_task: [{ prompt: 'p', cron: '0 9 * * *' }, /^Task tsk_\w{20} is set/],
  list_tasks: [{}, /^You have no tasks/],
  update_task: [{ task_id: TASK, prompt: 'q' }, /is changed/],
  pause_task: [{ task_id: TASK }, /is paused/],
  resume_task: [{ task_id: TASK }, /runs again/],
  cancel_task: [{ task_id: TASK }, /is cancelled/],
  install_packages: [{ apt: ['cowsay'], reason: 'fun' }, /^Submitted/],
  add_mcp_server: [{ name: 'notes', command: 'node', reason: 'fun' }, /^Submitted/],
  remove_mcp_server: [{ name: 'old', reason: 'fun' }, /no MCP server "old"/, false],
  request_rebuild: [{ reason: 'fun' }, /^Submitted/],
  request_access: [{ host: 'api.example.com', reason: 'fun' }, /^Submitted/],
  restart: [{}, /starts afresh/],
};

/** The host of these tests: carries every request out, and answers questions with the first option. */
function playHost(session: SessionFixture): void {
  session.decide = (row) => {
    const writer = { ...RESEARCHER, name: 'writer', agentGroupId: deriveAgentGroupId(session.sessionId, row.id) };
    if (row.content.includes('create_agent')) session.writeChart([...CHART, writer]);
    return { state: 'delivered' };
  };
}

describe.each([
  ['a child process', startProcess],
  ['a real container', startContainer],
])('the tools of a runner in %s, over MCP', (_name, start) => {
  it('are listed with their schemas, and every one of them works and answers the message of the turn', async () => {
    await using place = start(new SessionFixture({ provider: 'demo', destinations: CHART, isAdmin: true }));
    const { session } = place;
    playHost(session);
    writeFileSync(join(session.folders.agent, 'report.txt'), 'report', { mode: 0o644 });
    const id = await beginTurn(session);
    await using client = await connectClient(place);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name).sort()).toEqual(Object.keys(CALLS).sort());
    for (const tool of tools) {
      expect(tool.description).toMatch(/^[^\n]{10,120}$/);
      expect(tool.inputSchema).toMatchObject({ type: 'object' });
    }
    expect(tools.find((tool) => tool.name === 'send_message')?.inputSchema.required).toEqual(['to', 'text']);
    const asked = session
      .until(() => session.rows().find((row) => row.kind === 'question'), 'asked')
      .then((row) => {
        session.answerQuestion(row, 'red');
      });
    for (const [name, [input, words, canBeDone = true]] of Object.entries(CALLS)) {
      const [isOk, text] = await call(client, name, input);
      expect([name, isOk, text]).toEqual([name, canBeDone, expect.stringMatching(words)]);
    }
    await asked;
    expect(session.rows().length).toBeGreaterThanOrEqual(11);
    expect(new Set(session.rows().map((row) => row.in_reply_to))).toEqual(new Set([id]));
  });

  it('are for admins what they are not for others', async () => {
    await using place = start(new SessionFixture({ provider: 'demo', destinations: CHART }));
    await beginTurn(place.session);
    await using client = await connectClient(place);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).not.toContain('create_agent');
    const [isOk, text] = await call(client, 'create_agent', { name: 'a', instructions: 'b' });
    expect(isOk).toBe(false);
    expect(text).toContain('There is no tool create_agent');
  });

  it('are listed without a turn, and a call then says what is missing', async () => {
    await using place = start(new SessionFixture({ provider: 'demo', destinations: CHART }));
    await place.session.until(() => place.session.runnerState('idle'), 'idle');
    await using client = await connectClient(place);
    expect((await client.listTools()).tools.length).toBeGreaterThan(5);
    const [isOk, text] = await call(client, 'send_message', { to: 'terminal', text: 'x' });
    expect([isOk, text]).toEqual([false, expect.stringContaining('No turn is running')]);
    expect(place.session.rows()).toEqual([]);
  });

  it('stand a hostile client: each line is answered clearly, and nothing breaks', async () => {
    await using place = start(new SessionFixture({ provider: 'demo', destinations: CHART }));
    const { session } = place;
    await beginTurn(session);
    await using raw = new RawClient(place);
    const tools = (name: string, input: unknown) => ({ method: 'tools/call', params: { name, arguments: input } });
    expect(await raw.say('{"half')).toMatchObject({ id: null, error: { code: -32700 } });
    expect(await raw.say('\0\xff garbage')).toMatchObject({ error: { code: -32700 } });
    expect(await raw.say('['.repeat(100_000))).toMatchObject({ error: { code: -32700 } });
    expect(await raw.say('{"id": 7, "hello": 1}')).toMatchObject({ id: 7, error: { code: -32600 } });
    expect(await raw.say('x'.repeat(10_000_000))).toMatchObject({
      error: { message: expect.stringContaining('bytes') },
    });
    expect(await raw.ask({ method: 'no/such' })).toMatchObject({ error: { code: -32601 } });
    expect(await raw.ask({ method: 'tools/call', params: { name: 7 } })).toHaveProperty('error');
    const wrong: [string, unknown, string][] = [
      ['no_such_tool', {}, 'There is no tool no_such_tool'],
      ['__proto__', {}, 'There is no tool'],
      ['send_message', { to: 7, text: null }, 'was not called: to:'],
      ['send_message', {}, 'was not called'],
      ['send_file', { to: 'terminal', path: '/etc/passwd' }, 'outside your working folder'],
      ['edit_message', { message_id: -1, text: 'x' }, 'was not called'],
    ];
    for (const [name, input, words] of wrong) {
      const reply = await raw.ask(tools(name, input));
      expect(reply).toMatchObject({ result: { isError: true, content: [{ text: expect.stringContaining(words) }] } });
    }
    const sent = await raw.ask(tools('send_message', { to: 'terminal', text: 'still here' }));
    expect(sent).toMatchObject({ result: { isError: false } });
    expect(session.texts().at(-1)).toBe('terminal: still here');
  });
});

describe('the tool socket', () => {
  it('is for its owner alone, and goes with the runner', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const path = toolSocketPath(session.sessionId);
    const runner = session.start();
    await session.until(() => existsSync(path), 'the socket');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await runner.stop();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    expect(Buffer.byteLength(path)).toBeLessThan(108);
  });

  it('is taken over from a runner that was killed', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const runner = session.start();
    const path = toolSocketPath(session.sessionId);
    await session.until(() => existsSync(path), 'the socket');
    await runner.kill();
    expect(existsSync(path)).toBe(true);
    const place = startProcess(session);
    await beginTurn(session);
    await using client = await connectClient(place);
    expect((await call(client, 'list_tasks', {}))[0]).toBe(true);
  });

  it.each([
    ['garbage', 'hello\n', /this is no request/],
    ['a call without a name', '{"op":"call"}\n', /this is no request/],
    ['JSON nested deep', `${'['.repeat(50_000)}\n`, /this is no request/],
    ['a line without an end', 'x'.repeat(10_000_000), /at most \d+ bytes/],
    ['an input that is no object', '{"op":"call","name":"send_message","input":[1]}\n', /No turn is running/],
    ['two requests', '{"op":"list"}\n{"op":"list"}\n', /^\{"kind":"tools".*\}\n$/],
  ])('answers %s, and goes on', async (_name, text, words) => {
    await using session = new SessionFixture({ provider: 'demo' });
    session.start();
    const path = toolSocketPath(session.sessionId);
    await session.until(() => existsSync(path), 'the socket');
    expect(await talk(path, text)).toMatch(words);
    expect(await talk(path, '{"op":"list"}\n')).toContain('send_message');
    expect(await session.exchange({ text: 'time' })).toHaveLength(1);
  });

  it('is not blocked by connections that say nothing, beyond their number', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    session.start();
    const path = toolSocketPath(session.sessionId);
    await session.until(() => existsSync(path), 'the socket');
    const silent = Array.from({ length: 40 }, () => connect(path).on('error', () => undefined));
    await Promise.all(silent.map(async (socket) => await new Promise((resolve) => socket.once('connect', resolve))));
    expect(await session.exchange({ text: 'time' })).toHaveLength(1);
    for (const socket of silent) socket.destroy();
    let listed = '';
    const list = async () => {
      listed = await talk(path, '{"op":"list"}\n');
    };
    await session.until(() => {
      void list();
      return listed.includes('send_message');
    }, 'listed');
  });
});

async function talk(path: string, text: string): Promise<string> {
  for (;;) {
    const reply = await tryToTalk(path, text);
    if (reply !== null) return reply;
  }
}

/** Null: the socket is bound, and nobody listens yet. */
async function tryToTalk(path: string, text: string): Promise<string | null> {
  return await new Promise<string | null>((resolve) => {
    let reply = '';
    const socket = connect(path, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      reply += chunk;
    });
    // The other side may close while it is still being written to.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(null);
    });
    socket.once('close', () => resolve(reply));
  });
}

/** Speaks lines, good and bad. */
class RawClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #replies: ((line: string) => void)[] = [];
  #nextId = 100;

  constructor({ command, args, env }: Place) {
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    if (!this.#child.stdout) throw new Error('a child with pipes has them');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#replies.shift()?.(line));
  }

  /** Sends a line as it is; every one of them is answered with one. */
  async say(line: string): Promise<Record<string, unknown>> {
    const reply = new Promise<string>((resolve) => this.#replies.push(resolve));
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse(await reply);
  }

  async ask(request: Record<string, unknown>): Promise<Record<string, unknown>> {
    return await this.say(JSON.stringify({ jsonrpc: '2.0', id: this.#nextId++, ...request }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
  }
}
