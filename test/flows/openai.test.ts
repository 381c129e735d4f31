/**
 * An agent on the provider `openai`, whole: the real SDK in a real container without a network, through the real
 * gateway, to servers that speak OpenAI's and Anthropic's API. The test is the model.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, describe, expect, test } from 'vitest';
import type { Session } from '../../host/store/sessions.ts';
import type { UserId } from '../../shared/ids.ts';
import type { ModelApi } from '../../shared/providers.ts';
import { programsWith } from '../contracts/provider-case.ts';
import { FlowHost } from '../support/flow-host.ts';
import type {
  ModelAnswer,
  ModelServer,
  ModelUsage,
  RecordedRequest,
  ServerRules,
} from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import { makeTempHome } from '../support/temp-home.ts';
import { until } from '../support/until.ts';

const CHAT = 'family';
const MODEL = 'test-model';
/** The smallest picture: one transparent point. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const docker = new Docker();

let server: ModelServer;
afterEach(async () => {
  // A request that the API would not take is a mistake of ours, whatever came of it.
  expect(server.wrong.map(({ problem }) => problem)).toEqual([]);
  await server[Symbol.asyncDispose]();
});

class OpenAiFlow extends FlowHost {
  /** Calls the API as the owner does. */
  async call(method: 'POST' | 'PUT', path: string, body: unknown, revision?: number): Promise<void> {
    const token = readFileSync(this.host.paths.apiToken, 'utf8').trim();
    const match = revision === undefined ? {} : { 'if-match': `"${revision}"` };
    const response = await fetch(`http://127.0.0.1:${this.host.port}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...match },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  /** What an owner does: a service on this machine, its key, and the agent's provider. */
  async think(api: ModelApi, key: string): Promise<void> {
    const url = api === 'openai' ? `${server.url}/v1` : server.url;
    await this.call('POST', '/services', { name: 'lab', url, api, private: true });
    await this.call('PUT', '/secrets/lab', { value: key });
    await this.choose(MODEL);
  }

  async choose(model: string): Promise<void> {
    const choice = { provider: 'openai', service: 'lab', model };
    await this.call('PUT', `/agents/${this.agent.id}/provider`, choice, this.agent.config.revision);
  }

  folder(): string {
    return join(this.host.paths.groups, this.agent.folder);
  }

  /** What Ann's messages have used; what was read from a cache is counted apart. */
  usage() {
    const days = { firstDay: '2000-01-01', lastDay: '9999-12-31' };
    const rows = this.host.stores.modelCalls.list('person', { ...days, agents: null, sessionId: null, people: null });
    return rows.find(({ key }) => key === 'test:ann') ?? null;
  }

  egress(): string[] {
    return this.host.stores.egressLog.page({}, 200).map(({ host, path }) => `${host}${path ?? ''}`);
  }
}

async function setUp({
  api = 'openai' as ModelApi,
  key = null as string | null,
  rules = {} as Partial<ServerRules>,
} = {}): Promise<OpenAiFlow> {
  server = await (api === 'openai' ? startOpenAiServer : startAnthropic)({ rules: { models: [MODEL], ...rules } });
  const flow = new OpenAiFlow();
  await flow.startForTest();
  flow.wire(flow.agent, CHAT);
  flow.host.stores.users.ensure('test:ann' as UserId, 'Ann', Date.now());
  flow.host.stores.users.grant('test:ann' as UserId, 'admin', flow.agent.id, 'web:owner' as UserId, Date.now());
  await flow.think(api, key ?? server.key);
  return flow;
}

const block = (text: string) => `<message to="${CHAT}">${text}</message>`;
const says = (text: string, usage?: ModelUsage): ModelAnswer => ({
  kind: 'text',
  text: block(text),
  ...(usage ? { usage } : {}),
});
const bash = (command: string): ModelAnswer => ({ kind: 'tools', calls: [{ name: 'bash', input: { command } }] });
/** Seconds that no other program sleeps. */
const makeWord = () => `8${randomInt(1_000_000, 9_999_999)}`;
const carries = ({ text }: RecordedRequest, words: string) => text.includes(words);

async function killContainer(session: Session): Promise<void> {
  const found = await docker.listContainers({ filters: { label: [`portolan.session=${session.id}`] } });
  await docker.getContainer(found[0]?.Id ?? 'none').kill();
}

describe.each<ModelApi>(['openai', 'anthropic'])(
  'an agent on openai, through the API of %s',
  { timeout: 180_000 },
  (api) => {
    test('uses its own tools and ours, remembers, and asks for nothing outside but its model', async () => {
      const flow = await setUp({ api });
      server.answer(says('Hello, Ann.'));
      expect((await flow.ask(CHAT, 'hello')).text).toBe('Hello, Ann.');
      writeFileSync(join(flow.folder(), 'AGENTS.md'), 'You like the colour INSTRUCTED-GREEN.\n');
      server.answer(
        { kind: 'tools', calls: [{ name: 'write_file', input: { path: 'note.txt', content: 'milk\n' } }] },
        bash('echo "and $((6*7)) eggs" >> note.txt; id -u; env; cat /proc/self/environ | tr "\\0" "\\n"'),
        { kind: 'tools', calls: [{ name: 'read_file', input: { path: 'note.txt' } }] },
        { kind: 'tools', calls: [{ name: 'send_message', input: { to: CHAT, text: 'on it' } }] },
        says('The list is written.', { input: 1_000, output: 50, cached: 600 }),
      );
      await flow.say(CHAT, 'write a list');
      expect((await flow.next(CHAT, 1)).text).toBe('on it');
      expect((await flow.next(CHAT, 2)).text).toBe('The list is written.');
      expect(readFileSync(join(flow.folder(), 'note.txt'), 'utf8')).toBe('milk\nand 42 eggs\n');
      const first = server.requests[1];
      const last = server.requests.at(-1);
      if (first === undefined || last === undefined) throw new Error('the model was not asked');
      expect(first.text).toContain('INSTRUCTED-GREEN');
      expect(first.text).toContain('You can send to');
      expect(carries(last, '42 eggs')).toBe(true);
      // I7: no key where programs look.
      expect(carries(last, server.key)).toBe(false);

      server.answer((request) => says(carries(request, 'The list is written') ? 'Milk and eggs.' : 'I forgot.'));
      expect((await flow.ask(CHAT, 'what was on it?')).text).toBe('Milk and eggs.');
      await until('every call is counted', () => flow.usage()?.calls === server.told.length);
      const sum = (pick: (usage: ModelUsage) => number) => server.told.reduce((total, usage) => total + pick(usage), 0);
      expect(flow.usage()).toMatchObject({
        inputTokens: sum(({ input, cached = 0 }) => input - cached),
        cacheReadTokens: sum(({ cached = 0 }) => cached),
        outputTokens: sum(({ output }) => output),
      });
      const path = api === 'openai' ? '/v1/chat/completions' : '/v1/messages';
      expect([...new Set(flow.egress())]).toEqual([`127.0.0.1${path}`]);
    });

    test('goes on in a new container after its own was killed, and knows what it had done', async () => {
      const flow = await setUp({ api });
      server.answer(says('Nice to meet you, Ann.'));
      expect((await flow.ask(CHAT, 'I am called Ann')).text).toBe('Nice to meet you, Ann.');
      const word = makeWord();
      server.answer(bash('echo once >> done.txt'), bash(`sleep ${word}`));
      const session = await flow.say(CHAT, 'do something long');
      await until('it works', () => programsWith(word).length > 0);
      server.answer((request) => says(carries(request, 'I am called Ann') ? 'Done, Ann.' : 'Who are you?'));
      await killContainer(session);
      expect((await flow.next(CHAT, 1)).text).toBe('Done, Ann.');
      const again = server.requests.at(-1);
      expect(again?.text).toContain('echo once');
      expect(again?.text).toContain('Interrupted');
      expect(again?.text.match(/do something long/g)).toHaveLength(1);
      expect(readFileSync(join(flow.folder(), 'done.txt'), 'utf8')).toBe('once\n');
    });

    test('shows what people attach, as far as models can see it', async () => {
      const flow = await setUp({ api });
      const path = join(makeTempHome().home, 'dot.png');
      writeFileSync(path, PNG);
      server.answer((request) => says(carries(request, PNG.toString('base64')) ? 'A single point.' : 'I see nothing.'));
      const file = { name: 'dot.png', contentType: 'image/png', sizeBytes: PNG.length, path };
      expect((await flow.ask(CHAT, 'what is this?', [file])).text).toBe('A single point.');
      // What was shown stays in view.
      expect((await flow.ask(CHAT, 'are you sure?')).text).toBe('A single point.');
    });
  },
);

describe('an agent on openai', { timeout: 180_000 }, () => {
  test('is asked again after 429, 529 and a broken stream, and the person hears the answer alone', async () => {
    const flow = await setUp();
    // A chat for each, so that their waits of 5 s are side by side.
    const failures: Record<string, ModelAnswer> = {
      limited: { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
      overloaded: { kind: 'status', status: 529 },
      torn: { kind: 'broken', text: '<message to="torn">half of</message>' },
    };
    const chats = Object.keys(failures);
    for (const chat of chats) flow.wire(flow.agent, chat);
    server.answer((request) => {
      const chat = chats.find((name) => carries(request, `hello from ${name}`)) ?? '';
      const failure = failures[chat];
      delete failures[chat];
      return failure ?? { kind: 'text', text: `<message to="${chat}">Here I am.</message>` };
    });
    const answers = await Promise.all(chats.map((chat) => flow.ask(chat, `hello from ${chat}`)));
    expect(answers.map(({ text }) => text)).toEqual(chats.map(() => 'Here I am.'));
    for (const chat of chats) expect(flow.seen(chat)).toHaveLength(1);
    expect(server.requests).toHaveLength(2 * chats.length);
  });

  test('takes a message into the running turn, and answers both', async () => {
    const flow = await setUp();
    server.answer((request) => {
      if (carries(request, 'and butter')) return says('Milk and butter.');
      return bash('until [ -e gate ]; do sleep 0.1; done');
    });
    const session = await flow.say(CHAT, 'buy milk');
    await until('its tool runs', () => server.requests.length === 1);
    await flow.say(CHAT, 'and butter');
    await until('the turn has it', () => flow.countClaims(session) === 2);
    writeFileSync(join(flow.folder(), 'gate'), '');
    expect((await flow.next(CHAT, 0)).text).toBe('Milk and butter.');
    expect(server.requests).toHaveLength(2);
    expect((await flow.ask(CHAT, 'thanks')).text).toBe('Milk and butter.');
    expect(flow.seen(CHAT)).toHaveLength(2);
  });

  test('stops when a person says so, and leaves no program behind', async () => {
    const flow = await setUp();
    const word = makeWord();
    server.answer(bash(`setsid sleep ${word} & sleep ${word}`));
    await flow.say(CHAT, 'wait for me');
    await until('its programs run', () => programsWith(word).length === 2);
    expect((await flow.ask(CHAT, '/stop')).text).toMatch(/^Stopped/);
    await until('they are gone', () => programsWith(word).length === 0);
    server.answer(says('Here again.'));
    expect((await flow.ask(CHAT, 'are you there?')).text).toBe('Here again.');
  });

  test('makes its conversation shorter on /compact, and by itself when the model takes no more', async () => {
    const flow = await setUp({ rules: { contextTokens: 20_000 } });
    server.answer(says('A cat called Miezi, noted, with all that there is to say of her.'));
    await flow.ask(CHAT, 'my cat is called Miezi, she is black, and five years old');
    server.answer({ kind: 'text', text: 'SUMMARY: the cat Miezi' });
    expect((await flow.ask(CHAT, '/compact')).text).toMatch(/^Compacted/);
    const told = { inWords: 0 };
    server.answer((request) => {
      if (carries(request, 'Write the notes.')) return { kind: 'text', text: 'SUMMARY: the cat, and numbers' };
      if (carries(request, 'how is my cat called?'))
        return says(carries(request, 'SUMMARY: the cat') ? 'Miezi.' : 'What cat?');
      return told.inWords++ < 4 ? bash('seq 1 3000') : says('Counted.');
    });
    expect((await flow.ask(CHAT, 'count')).text).toBe('Counted.');
    expect((await flow.ask(CHAT, 'how is my cat called?')).text).toBe('Miezi.');
    expect(server.requests.at(-1)?.text).not.toContain('five years old');
  });

  test('is heard when it is slow, and while it is silent the person may stop it', async () => {
    const flow = await setUp();
    server.answer({ kind: 'slow', text: block('Slowly, but surely.'), gapMs: 200 }, { kind: 'silent', text: 'Well' });
    expect((await flow.ask(CHAT, 'hello')).text).toBe('Slowly, but surely.');
    await flow.say(CHAT, 'and now?');
    await until('the model is asked', () => server.requests.length === 2);
    expect((await flow.ask(CHAT, '/stop')).text).toMatch(/^Stopped/);
    await server.requests[1]?.closed;
  });

  test.each([
    ['a key that is refused', { key: 'not-the-key' }, null, /lab does not take the key/],
    ['a model that is not there', {}, 'lama', /lab has no model lama.*portolan provider set main openai --model/],
  ])('with %s tells it in plain words, once, without a second try', async (_what, options, model, words) => {
    const flow = await setUp(options);
    if (model !== null) await flow.choose(model);
    const { text } = await flow.ask(CHAT, 'hello');
    expect(text).toMatch(words);
    expect(text).not.toContain('not-the-key');
    await until('the log has it', () => flow.egress().length > 0);
    expect(flow.egress()).toHaveLength(1);
    expect(flow.seen(CHAT)).toHaveLength(1);
  });

  test('goes on with its conversation when the host begins anew', async () => {
    const flow = await setUp();
    server.answer(says('Once.'));
    await flow.ask(CHAT, 'hello');
    await flow.stop();
    await flow.start();
    server.answer((request) => says(carries(request, 'Once.') ? 'I remember.' : 'Who?'));
    expect((await flow.ask(CHAT, 'and?')).text).toBe('I remember.');
    expect(flow.seen(CHAT).map(({ text }) => text)).toEqual(['Once.', 'I remember.']);
  });
});
