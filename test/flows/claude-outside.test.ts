/**
 * What an agent on claude has beyond its container: pages, where a rule lets it, agents below it, and the words of the
 * gateway where it says no. The real SDK in a real container without a network; all of it is counted at the message.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { homePaths } from '../../host/config/home.ts';
import type { MessageId } from '../../shared/ids.ts';
import { portolan } from '../host/cli/support/run.ts';
import { type Authority, makeAuthority } from '../support/certificates.ts';
import { claudeImage } from '../support/claude-image.ts';
import { FlowHost } from '../support/flow-host.ts';
import type { ModelAnswer, ModelUsage, RecordedRequest } from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { until } from '../support/until.ts';

const CHAT = 'family';
const NAME = 'pages.example.com';
/** A turn starts a program of 370 MB, on a machine that may be busy. */
const TURN_MS = 180_000;

/** Whoever needs the image first builds it: not in the time of a test. */
beforeAll(async () => void (await claudeImage()), 300_000);

/** A server of one page; what it was asked. */
async function servePage(authority: Authority) {
  const asked: string[] = [];
  const server = https.createServer(authority.issue([NAME]), ({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>THE-PAGE</h1><p>Two and two.</p>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, place: `${NAME}:${(server.address() as AddressInfo).port}` };
}

async function setUp() {
  const server = await startAnthropic({ rules: { models: ['claude-test'] } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  // Every name leads to this machine, which rules of owners alone allow.
  const flow = await new FlowHost({}, { resolve: async () => ['127.0.0.1'] }).startForTest();
  flow.wire(flow.agent, CHAT);
  const run = async (words: string, stdin?: string) => {
    const { code, err } = await portolan(homePaths(flow.home), words.split(' '), stdin === undefined ? {} : { stdin });
    expect(code, err).toBe(0);
  };
  await run(`services add lab --url ${server.url} --api anthropic --private`);
  await run('secrets set lab', `${server.key}\n`);
  await run('secrets assign lab --service lab');
  await run('provider set main claude --service lab --model claude-test --yes');
  return { server, flow, run };
}

/** Its programs believe this authority: as an agent arranges it for itself, in its own folder. */
function believe(flow: FlowHost, { cert }: Authority): void {
  const folder = join(flow.host.paths.groups, flow.agent.folder);
  mkdirSync(join(folder, '.claude'), { recursive: true });
  writeFileSync(join(folder, 'authority.pem'), cert);
  const env = { NODE_EXTRA_CA_CERTS: '/workspace/agent/authority.pem' };
  writeFileSync(join(folder, '.claude', 'settings.json'), JSON.stringify({ env }));
}

const say = (text: string, usage: ModelUsage): ModelAnswer => ({ kind: 'text', text, usage });
const use = (name: string, input: object, usage: ModelUsage): ModelAnswer => ({
  ...{ kind: 'tools', usage },
  calls: [{ name, input }],
});
const addressed = (text: string) => `<message to="${CHAT}">${text}</message>`;
const lastOf = ({ body }: RecordedRequest) => JSON.stringify((body as { messages: unknown[] }).messages.at(-1));

test('reads pages where a rule lets it, asks agents below it, and is told what to do where it may not', {
  timeout: 600_000,
}, async () => {
  const { server, flow, run } = await setUp();
  const authority = makeAuthority('An authority of this test');
  const page = await servePage(authority);
  believe(flow, authority);
  const fetchPage = { url: `https://${page.place}/sums`, prompt: 'What does it say?' };
  const below = { description: 'add', prompt: 'Add what is on the page.', subagent_type: 'general-purpose' };
  server.answer(
    use('WebFetch', fetchPage, { input: 1_000, output: 1 }),
    async () => {
      await run(`access allow main ${page.place} --private`);
      return use('WebFetch', fetchPage, { input: 200, output: 20 });
    },
    // A call of its own, for a small model where there is one, shortens the page.
    say('SHORT-PAGE', { input: 30, output: 3, cached: 7 }),
    use('Agent', below, { input: 4_000, output: 4 }),
    say('FOUND-FOUR', { input: 50_000, output: 500 }),
    say(addressed('Four.'), { input: 600_000, output: 60 }),
  );
  expect((await flow.ask(CHAT, 'what does the page come to?', [], TURN_MS)).text).toBe('Four.');
  expect(page.asked).toEqual(['GET /sums']);
  const tunnels = () => flow.host.stores.egressLog.page({}, 200).filter(({ kind }) => kind === 'connect');
  await until('both tries are in the log', () => tunnels().length === 2);
  expect(tunnels().map(({ outcome }) => outcome)).toEqual(['allowed', 'refused']);
  const [first, ...heard] = server.requests;
  // A program that is not let out hears little: what that means, and what to do, it was told before.
  expect(first?.text).toContain('request_access');
  const [refused, shown, fetched, asked, found] = heard.map(lastOf);
  expect(refused).toMatch(/refused/);
  expect(shown).toContain('THE-PAGE');
  expect(fetched).toContain('SHORT-PAGE');
  expect(asked).not.toContain('SHORT-PAGE');
  expect(heard[3]?.text).toContain('Add what is on the page.');
  expect(found).toContain('FOUND-FOUR');
  expect(server.wrong).toEqual([]);

  // All of it at the message of the person, the page's and the other agent's share included.
  const counted = await until('every call is counted', () => {
    const sum = usageOfQuestion(flow);
    return sum?.calls === server.told.length ? sum : null;
  });
  expect(counted).toMatchObject({ calls: 6, inputTokens: 655_223, cacheReadTokens: 7, outputTokens: 588 });

  await run('budget set main --month 1 --tokens');
  const { text } = await flow.ask(CHAT, 'and now?', [], TURN_MS);
  expect(text).toContain('A call to lab was refused: “The budget of the agent “main”, 1 tokens a month, is used up.');
  expect(text).toContain(
    '→ An owner or a global admin can raise it: portolan budget set main --month <amount> --tokens”',
  );
  expect(server.requests).toHaveLength(6);
});

/** Of the message that the answer is to. */
function usageOfQuestion({ host, channel }: FlowHost) {
  const { transcript, modelCalls } = host.stores;
  const answer = channel.visible.find(({ text }) => text === 'Four.');
  const question = transcript.get(answer?.key as MessageId)?.inReplyTo ?? null;
  return question === null ? null : (modelCalls.ofMessages([question]).get(question) ?? null);
}
