/** What `claude` does beyond the contract: instructions, its window, tries that were cut off, and what it leaves. */
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { claudeProvider } from '../../../container/providers/claude/index.ts';
import type { QueryInput } from '../../../container/providers/provider.ts';
import type { ToolBox } from '../../../container/tools/tool.ts';
import { makeRefusalBody } from '../../../shared/gateway.ts';
import { until } from '../../support/until.ts';
import {
  blocksOf,
  carries,
  collect,
  message,
  ofKind,
  ProviderCase,
  programsWith,
  promptOf,
  says,
} from '../provider-case.ts';
import { openClaudeWorld } from './claude-world.ts';

/** The smallest picture: one transparent point. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

async function begin() {
  const world = await openClaudeWorld();
  open.push(world);
  const session = new ProviderCase('claude', world);
  open.push(session);
  const ask = (text: string, continuation: string | null = null, more: Partial<QueryInput> = {}) =>
    claudeProvider.query({ ...session.input(promptOf(message(2, text)), continuation), ...more });
  const listen = async (text: string, continuation: string | null = null, more: Partial<QueryInput> = {}) =>
    collect(ask(text, continuation, more));
  return { world, session, server: world.server, ask, listen };
}

const handleOf = (events: Awaited<ReturnType<typeof collect>>) => ofKind(events, 'init').at(-1)?.continuation ?? null;
const makeWord = () => `8${randomInt(1_000_000, 9_999_999)}`;

describe('the instructions of an agent on claude', () => {
  it.each([
    ['AGENTS.md alone', { 'AGENTS.md': 'FROM-AGENTS' }, ['FROM-AGENTS']],
    ['CLAUDE.md alone', { 'CLAUDE.md': 'FROM-CLAUDE' }, ['FROM-CLAUDE']],
    ['both', { 'AGENTS.md': 'FROM-AGENTS', 'CLAUDE.md': 'FROM-CLAUDE' }, ['FROM-AGENTS', 'FROM-CLAUDE']],
    ['one that takes in the other', { 'AGENTS.md': 'FROM-AGENTS', 'CLAUDE.md': '@AGENTS.md' }, ['FROM-AGENTS']],
  ])('are read from %s, once', async (_name, files, words) => {
    const { session, server, listen } = await begin();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(session.paths.agent, name), `${text}\n`);
    server.answer(says(2));
    await listen('hello', null, { addendum: 'THE-ADDENDUM' });
    const text = server.requests[0]?.text ?? '';
    for (const word of [...words, 'THE-ADDENDUM']) expect(text.split(word), word).toHaveLength(2);
  });

  it('are never what a message names: no file is opened for an @, and no command is run for a slash', async () => {
    const { session, server, listen } = await begin();
    writeFileSync(join(session.paths.agent, 'private.txt'), 'OPENED-BY-A-MESSAGE');
    server.answer(says(2));
    expect(blocksOf(await listen('/clear @private.txt'))).toHaveLength(1);
    expect(server.requests[0]?.text).not.toContain('OPENED-BY-A-MESSAGE');
    expect(server.requests[0]?.text).toContain('/clear @private.txt');
  });
});

describe('a turn of claude', () => {
  it('calls in the name of its message, with a placeholder, and nobody else', async () => {
    const { world, server, listen } = await begin();
    server.answer({ kind: 'tools', calls: [world.shell('env')] }, says(2));
    await listen('hello');
    expect(new Set(world.outside.paths)).toEqual(
      new Set([`/for/msg_${'2'.padStart(20, '0')}/model/anthropic/v1/messages?beta=true`]),
    );
    expect(server.requests[1]?.text).toContain('added-by-the-gateway');
    expect(server.requests[1]?.text).not.toContain(server.key);
  });

  it('leaves no program behind, whatever group it went to', async () => {
    const { world, server, listen } = await begin();
    const word = makeWord();
    server.answer(
      { kind: 'tools', calls: [world.shell(`setsid sleep ${word} >/dev/null 2>&1 & echo begun`)] },
      async (request) => {
        await until('it runs', () => programsWith(word).length === 1);
        return carries(request, 'begun') ? says(2) : { kind: 'status', status: 500 };
      },
    );
    expect(blocksOf(await listen('begin something'))).toHaveLength(1);
    await until('it is gone', () => programsWith(word).length === 0);
  });

  it('makes its conversation shorter by itself when the window is nearly full, and goes on', async () => {
    const { world, server, listen } = await begin();
    const full = { input: 990_000, output: 100 };
    server.answer({ kind: 'tools', calls: [world.shell('echo once')], usage: full }, (request) => {
      if (carries(request, '<summary> block')) return { kind: 'text', text: '<summary>SUMMARY-OF-ALL</summary>' };
      return carries(request, 'SUMMARY-OF-ALL') ? says(2) : { kind: 'status', status: 500 };
    });
    expect(blocksOf(await listen('work on'))).toHaveLength(1);
  });

  it('does not read what a try wrote that was cut off, nor say the same twice', async () => {
    const { world, server, ask, listen } = await begin();
    server.answer(says(2));
    const handle = handleOf(await listen('the first'));
    server.answer({ kind: 'tools', calls: [world.shell('echo HALF-$((1+1)); sleep 60')] });
    const turn = ask('the second', handle);
    const events = collect(turn, ({ kind }) => {
      if (kind === 'tool_start') turn.interrupt();
    });
    expect(ofKind(await events, 'init')).toEqual([]);
    server.answer(says(2));
    expect(blocksOf(await listen('the second', handle))).toHaveLength(1);
    const text = server.requests.at(-1)?.text ?? '';
    expect(text).toContain('the first');
    expect(text.split('the second')).toHaveLength(2);
    expect(text).not.toContain('HALF-');
  });

  it('goes on from the whole when a cut-off try has compacted what lies before its point', async () => {
    const { session, server, listen } = await begin();
    server.answer(says(2));
    const handle = handleOf(await listen('my cat is called Miezi'));
    server.answer({ kind: 'text', text: '<summary>SUMMARY: Miezi</summary>' });
    await compact(session.input(promptOf(message(4, '/compact')), handle));
    server.answer(says(2));
    // As if the runner had died before it wrote the new handle down.
    expect(blocksOf(await listen('go on', handle))).toHaveLength(1);
    expect(server.requests.at(-1)?.text).toContain('SUMMARY: Miezi');
  });

  it('gives up early what a server wants to be asked again in an hour', async () => {
    const { server, listen } = await begin();
    server.answer(() => ({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }));
    const startedAt = performance.now();
    expect(ofKind(await listen('hello'), 'error')).toMatchObject([{ retryable: true }]);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('tells what the gateway refused in its words, and what to do next', async () => {
    const { world, listen } = await begin();
    const next = 'An owner can raise it: portolan budget set main --day <amount>';
    const body = makeRefusalBody('over_budget', 'The budget of main for today is spent.', next);
    world.outside.refusal = { status: 403, body };
    const [failed] = ofKind(await listen('hello'), 'error');
    expect(failed).toMatchObject({ retryable: false });
    expect(failed?.message).toContain(`The budget of main for today is spent. → ${next}”`);
  });

  it('ends with the fault of a tool that throws, and not with a guess of the model', async () => {
    const { session, server } = await begin();
    server.answer(
      { kind: 'tools', calls: [{ name: 'mcp__portolan__send_message', input: { to: 'x', text: 'y' } }] },
      says(2),
    );
    class BrokenDisk extends Error {}
    const tools: ToolBox = {
      list: () => session.tools.list(),
      call: () => Promise.reject(new BrokenDisk('the disk is full')),
    };
    const turn = claudeProvider.query({ ...session.input(promptOf(message(2, 'send'))), tools });
    await expect(collect(turn)).rejects.toThrow(BrokenDisk);
  });

  it('shows the tools of MCP servers under the names that everybody knows', async () => {
    const { session, server, world } = await begin();
    const called: string[] = [];
    const tools: ToolBox = {
      list: () => [{ name: 'mcp__weather__today', description: 'The weather.', inputSchema: { type: 'object' } }],
      call: (name) => {
        called.push(name);
        return Promise.resolve({ ok: true, text: 'SUNNY-DAY' });
      },
    };
    server.answer({ kind: 'tools', calls: [{ name: 'mcp__weather__today', input: {} }] }, (request) =>
      carries(request, 'SUNNY-DAY') ? says(2) : { kind: 'status', status: 500 },
    );
    const input = session.input(promptOf(message(2, 'weather?')));
    const mcpServers = [{ name: 'weather', command: 'node', args: [], env: {} }];
    const turn = claudeProvider.query({ ...input, tools, session: { ...input.session, ...world.session, mcpServers } });
    expect(blocksOf(await collect(turn))).toHaveLength(1);
    expect(called).toEqual(['mcp__weather__today']);
  });

  it('shows pictures and PDFs, and leaves all else to the tools', async () => {
    const { session, server } = await begin();
    mkdirSync(join(session.paths.in, 'files'));
    const put = (name: string, bytes: string | Buffer) => {
      const path = join(session.paths.in, 'files', name);
      writeFileSync(path, bytes);
      return { name, path, contentType: 'application/octet-stream', sizeBytes: bytes.length };
    };
    const attachments = [put('photo', PNG), put('paper.txt', '%PDF-1.7 rest'), put('notes.png', 'plain text')];
    server.answer(says(2));
    const prompt = { text: 'look', messages: [{ ...message(2, 'look'), attachments }] };
    expect(blocksOf(await collect(claudeProvider.query(session.input(prompt))))).toHaveLength(1);
    const text = server.requests[0]?.text ?? '';
    expect(text.match(/"media_type":"[^"]+"/g)).toEqual(['"media_type":"image/png"', '"media_type":"application/pdf"']);
    expect(server.wrong).toEqual([]);
  });

  it('keeps its transcript in the folder that stays', async () => {
    const { session, server, listen } = await begin();
    server.answer(says(2));
    const handle = handleOf(await listen('hello'));
    const [id] = handle?.split('/') ?? [];
    const folder = join(
      session.paths.state,
      'claude',
      'projects',
      session.paths.agent.replaceAll(/[^a-zA-Z0-9]/g, '-'),
    );
    await until('it is written', () => readFileSync(join(folder, `${id}.jsonl`), 'utf8').includes('hello'));
  });
});

async function compact(input: QueryInput): Promise<void> {
  if (claudeProvider.compact === undefined) throw new Error('claude compacts');
  expect(ofKind(await collect(claudeProvider.compact(input)), 'result')).toHaveLength(1);
}
