/**
 * An agent that thinks with Claude, whole: the real Claude Agent SDK in its own image, in a real container without a
 * network, through the real gateway, to a server that speaks Anthropic's API. The test is the model.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { InboundFile } from '../../host/routing/inbound.ts';
import type { Session } from '../../host/store/sessions.ts';
import type { UserId } from '../../shared/ids.ts';
import { programsWith } from '../contracts/provider-case.ts';
import { claudeImage } from '../support/claude-image.ts';
import { FlowHost, type Reply } from '../support/flow-host.ts';
import type { ModelAnswer, ModelServer, ModelUsage, RecordedRequest } from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { makeTempHome } from '../support/temp-home.ts';
import { until } from '../support/until.ts';

const docker = new Docker();
const CHAT = 'family';
/** A turn starts a program of 370 MB, on a machine that may be busy, from a disk that may be slow: 60 s were too few. */
const TURN_MS = 180_000;
/** The smallest picture: one transparent point. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

/** Whoever needs the image first builds it: not in the time of a test. */
beforeAll(async () => void (await claudeImage()), 300_000);

let server: ModelServer;
afterEach(async () => {
  // A request that the API would not take is a mistake of ours, whatever came of it.
  expect(server.wrong.map(({ problem }) => problem)).toEqual([]);
  await server[Symbol.asyncDispose]();
});

class ClaudeFlow extends FlowHost {
  override async ask(platformId: string, text: string, files: InboundFile[] = []): Promise<Reply> {
    return super.ask(platformId, text, files, TURN_MS);
  }

  /** Calls the API as the owner does. */
  async call(method: 'POST' | 'PUT', path: string, body: unknown, revision?: number): Promise<void> {
    const token = readFileSync(this.host.paths.apiToken, 'utf8').trim();
    const response = await fetch(`http://127.0.0.1:${this.host.port}/api/v1${path}`, {
      method,
      headers: {
        ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(revision === undefined ? {} : { 'if-match': `"${revision}"` }),
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  /** What people do: a service, its key, and the agent's provider. */
  async think(key = server.key): Promise<void> {
    await this.call('POST', '/services', { name: 'model-lab', url: server.url, api: 'anthropic', private: true });
    await this.call('PUT', '/secrets/model-lab', { value: key });
    const choice = { provider: 'claude', service: 'model-lab', model: 'claude-test', effort: 'low' };
    await this.call('PUT', `/agents/${this.agent.id}/provider`, choice, this.agent.config.revision);
  }

  folder(): string {
    return join(this.host.paths.groups, this.agent.folder);
  }

  /** What Ann's messages have used. */
  usage(): { calls: number } {
    const days = { firstDay: '2000-01-01', lastDay: '9999-12-31' };
    const rows = this.host.stores.modelCalls.list('person', { ...days, agents: null, sessionId: null, people: null });
    return rows.find(({ key }) => key === 'test:ann') ?? { calls: 0 };
  }

  /** Hosts and paths that were asked for outside, and what became of them. */
  egress(): { where: string; outcome: string }[] {
    return this.host.stores.egressLog
      .page({}, 200)
      .map(({ host, path, outcome }) => ({ where: `${host}${path ?? ''}`, outcome }));
  }
}

async function setUp(key?: string): Promise<ClaudeFlow> {
  server = await startAnthropic({ rules: { models: ['claude-test'] } });
  const flow = new ClaudeFlow();
  await flow.startForTest();
  flow.wire(flow.agent, CHAT);
  flow.host.stores.users.ensure('test:ann' as UserId, 'Ann', Date.now());
  flow.host.stores.users.grant('test:ann' as UserId, 'admin', flow.agent.id, 'web:owner' as UserId, Date.now());
  await flow.think(key ?? server.key);
  return flow;
}

const block = (text: string) => `<message to="${CHAT}">${text}</message>`;
const says = (text: string, usage?: ModelUsage): ModelAnswer =>
  usage === undefined ? { kind: 'text', text: block(text) } : { kind: 'text', text: block(text), usage };
const bash = (command: string): ModelAnswer => ({ kind: 'tools', calls: [{ name: 'Bash', input: { command } }] });
/** Seconds that no other program sleeps. */
const makeWord = () => `7${randomInt(1_000_000, 9_999_999)}`;
const carries = ({ text }: RecordedRequest, words: string) => text.includes(words);

/** The containers of a session that run now. */
async function containerOf(session: Session): Promise<Docker.Container> {
  const found = await docker.listContainers({ filters: { label: [`portolan.session=${session.id}`] } });
  return docker.getContainer(found[0]?.Id ?? 'none');
}

/** Runs a program in a session's container; its output. */
async function look(session: Session, command: string): Promise<string> {
  const run = await (await containerOf(session)).exec({ Cmd: ['sh', '-c', command], AttachStdout: true });
  const stream = await run.start({});
  let output = '';
  for await (const chunk of stream) output += (chunk as Buffer).toString('utf8');
  return output;
}

describe('an agent on claude', { timeout: 600_000 }, () => {
  test('uses its own tools and ours, remembers, and asks for nothing outside but its model', async () => {
    const flow = await setUp();
    server.answer(says('Hello, Ann.'));
    const session = await flow.say(CHAT, 'hello');
    expect((await flow.next(CHAT, 0, TURN_MS)).text).toBe('Hello, Ann.');
    writeFileSync(join(flow.folder(), 'AGENTS.md'), 'You like the colour INSTRUCTED-GREEN.\n');
    const send = { name: 'mcp__portolan__send_message', input: { to: CHAT, text: 'on it' } };
    server.answer(
      {
        kind: 'tools',
        calls: [{ name: 'Write', input: { file_path: '/workspace/agent/note.txt', content: 'milk\n' } }],
      },
      bash('echo "and $((6*7)) eggs" >> note.txt; id -u; env'),
      { kind: 'tools', calls: [{ name: 'Read', input: { file_path: '/workspace/agent/note.txt' } }] },
      { kind: 'tools', calls: [send] },
      says('The list is written.', { input: 1_000, output: 50, cached: 600, cacheWritten: 100 }),
    );
    await flow.say(CHAT, 'write a list');
    expect((await flow.next(CHAT, 1, TURN_MS)).text).toBe('on it');
    expect((await flow.next(CHAT, 2, TURN_MS)).text).toBe('The list is written.');
    expect(readFileSync(join(flow.folder(), 'note.txt'), 'utf8')).toBe('milk\nand 42 eggs\n');
    const first = server.requests[1];
    const last = server.requests.at(-1);
    if (first === undefined || last === undefined) throw new Error('the model was not asked');
    expect(first.text).toContain('INSTRUCTED-GREEN');
    expect(first.text).toContain('You can send to');
    expect(first.body).toMatchObject({ model: 'claude-test', output_config: { effort: 'low' }, stream: true });
    expect(carries(last, '42 eggs')).toBe(true);
    // I7: what its programs see holds the placeholder alone.
    expect(carries(last, 'added-by-the-gateway')).toBe(true);
    expect(carries(last, server.key)).toBe(false);

    server.answer((request) => says(carries(request, 'The list is written') ? 'Milk and eggs.' : 'I forgot.'));
    expect((await flow.ask(CHAT, 'what was on it?')).text).toBe('Milk and eggs.');
    await until('every call is counted', () => flow.usage().calls === server.told.length);
    const sum = (pick: (usage: ModelUsage) => number) => server.told.reduce((total, usage) => total + pick(usage), 0);
    const cached = {
      cacheReadTokens: sum((usage) => usage.cached ?? 0),
      cacheWriteTokens: sum((usage) => usage.cacheWritten ?? 0),
    };
    const uncached = sum(({ input }) => input) - cached.cacheReadTokens - cached.cacheWriteTokens;
    expect(flow.usage()).toMatchObject({ ...cached, inputTokens: uncached, outputTokens: sum(({ output }) => output) });
    const outside = flow.egress();
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.filter(({ where }) => !/^127\.0\.0\.1\/v1\/messages(\?|$)/.test(where))).toEqual([]);
    const listPrograms = () => look(session, 'cat /proc/[0-9]*/cmdline');
    expect(await listPrograms()).toContain('runner.mjs');
    await until('its program has ended with its turn', async () => !(await listPrograms()).includes('/opt/claude'));
  });

  test('goes on in a new container after its own was killed, and reads nothing of the try that was cut off', async () => {
    const flow = await setUp();
    server.answer(says('Nice to meet you, Ann.'));
    expect((await flow.ask(CHAT, 'I am called Ann')).text).toBe('Nice to meet you, Ann.');
    const word = makeWord();
    server.answer(bash(`echo HALF-$((1+1)); sleep ${word}`));
    const session = await flow.say(CHAT, 'do something long');
    await until('it works', () => programsWith(word).length > 0, TURN_MS);
    server.answer((request) => says(carries(request, 'I am called Ann') ? 'Done, Ann.' : 'Who are you?'));
    await (await containerOf(session)).kill();
    expect((await flow.next(CHAT, 1, TURN_MS)).text).toBe('Done, Ann.');
    const again = server.requests.at(-1);
    expect(again?.text).not.toContain('HALF-');
    expect(again?.text.match(/do something long/g)).toHaveLength(1);
  });

  test('takes a message into the running turn, and answers both', async () => {
    const flow = await setUp();
    server.answer((request) => {
      if (carries(request, 'and butter')) return says('Milk and butter.');
      return bash('until [ -e gate ]; do sleep 0.1; done');
    });
    const session = await flow.say(CHAT, 'buy milk');
    await until('its tool runs', async () => server.requests.length === 1, TURN_MS);
    await flow.say(CHAT, 'and butter');
    await until('the turn has it', () => flow.countClaims(session) === 2, TURN_MS);
    writeFileSync(join(flow.folder(), 'gate'), '');
    expect((await flow.next(CHAT, 0, TURN_MS)).text).toBe('Milk and butter.');
    const ofFirst = server.requests.length;
    expect((await flow.ask(CHAT, 'thanks')).text).toBe('Milk and butter.');
    // One more for this: the other message had no turn of its own.
    expect(server.requests).toHaveLength(ofFirst + 1);
    expect(flow.seen(CHAT)).toHaveLength(2);
  });

  test('stops when a person says so, and leaves no program behind', async () => {
    const flow = await setUp();
    const word = makeWord();
    server.answer(bash(`setsid sleep ${word} & sleep ${word}`));
    await flow.say(CHAT, 'wait for me');
    await until('its programs run', () => programsWith(word).length === 2, TURN_MS);
    const { text } = await flow.ask(CHAT, '/stop');
    expect(text).toMatch(/^Stopped/);
    await until('they are gone', () => programsWith(word).length === 0, TURN_MS);
    server.answer(says('Here again.'));
    expect((await flow.ask(CHAT, 'are you there?')).text).toBe('Here again.');
  });

  test('shows what people attach, as far as models can see it', async () => {
    const flow = await setUp();
    const folder = makeTempHome().home;
    const path = join(folder, 'dot.png');
    writeFileSync(path, PNG);
    server.answer((request) => says(/"type":"image"/.test(request.text) ? 'A single point.' : 'I see nothing.'));
    const file = { name: 'dot.png', contentType: 'image/png', sizeBytes: PNG.length, path };
    expect((await flow.ask(CHAT, 'what is this?', [file])).text).toBe('A single point.');
    expect(server.requests[0]?.text).toContain(PNG.toString('base64'));
  });

  test('makes its conversation shorter on /compact, and goes on in what is left', async () => {
    const flow = await setUp();
    server.answer(says('A cat called Miezi, noted.'));
    await flow.ask(CHAT, 'my cat is called Miezi');
    server.answer({ kind: 'text', text: '<summary>SUMMARY: the cat Miezi</summary>' });
    expect((await flow.ask(CHAT, '/compact')).text).toMatch(/^Compacted/);
    server.answer((request) => says(carries(request, 'SUMMARY: the cat') ? 'Miezi.' : 'What cat?'));
    expect((await flow.ask(CHAT, 'how is my cat called?')).text).toBe('Miezi.');
    expect(server.requests.at(-1)?.text).not.toContain('A cat called Miezi, noted');
  });
});

describe('a model that fails', { timeout: 600_000 }, () => {
  test('is asked again after 429, 529 and a broken stream, and the person hears the answer alone', async () => {
    const flow = await setUp();
    server.answer(
      { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
      { kind: 'status', status: 529 },
      { kind: 'broken', text: block('half of') },
      says('Here I am.'),
    );
    expect((await flow.ask(CHAT, 'hello')).text).toBe('Here I am.');
    expect(server.requests).toHaveLength(4);
  });

  test('and refuses the key is told in plain words, once, without a second try', async () => {
    const flow = await setUp('not-the-key');
    const { text } = await flow.ask(CHAT, 'hello');
    expect(text).toMatch(/model-lab does not take the key/);
    expect(text).not.toContain('not-the-key');
    expect(server.requests).toHaveLength(0);
    await until('the log has it', () => flow.egress().length > 0);
    expect(flow.egress()).toHaveLength(1);
  });
});
