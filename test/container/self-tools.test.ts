/** The tools with which an agent asks for changes of its own container. */
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import type { ToolResult } from '../../container/tools/tool.ts';
import { parseOutboundContent } from '../../shared/messages.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { parseContent, SessionFixture } from './session-fixture.ts';

const DONE = '<message to="terminal">done</message>';
const SERVER = { name: 'notes', command: 'node', args: ['a b.mjs', '--x'], env: { UNITS: 'metric', note: 'n' } };

function withCalls(calls: readonly [string, unknown][], results: ToolResult[]): Script {
  return async function* (query): AsyncGenerator<ProviderEvent> {
    for (const [name, input] of calls) results.push(await query.tools.call(name, input));
    yield { kind: 'result', text: DONE };
  };
}

async function callAll(session: SessionFixture, ...calls: [string, unknown][]): Promise<ToolResult[]> {
  const results: ToolResult[] = [];
  await using _loop = new LoopHarness(session, new ScriptedProvider(withCalls(calls, results)));
  await session.exchange({ text: 'hi' });
  return results;
}

/** What the runner itself reports is asked by nobody. */
const requests = (session: SessionFixture) =>
  session.rows().filter((row) => row.kind === 'request' && !row.content.includes('report_mcp_servers'));

describe('a request to change oneself', () => {
  it('answers at once with the host’s words: an admin was asked, under which code', async () => {
    await using session = new SessionFixture();
    session.decide = () => ({ state: 'delivered', reason: 'an admin was asked; the code is 7K2Q' });
    const [result] = await callAll(session, ['install_packages', { apt: ['cowsay'], reason: 'fun' }]);
    expect(result).toMatchObject({ ok: true, data: { note: 'an admin was asked; the code is 7K2Q' } });
    expect(result?.text).toMatch(
      /^Submitted\. The host says: an admin was asked; the code is 7K2Q\. .*you will be told/,
    );
  });

  it('says Submitted when the host has not said anything yet, and what the host refused', async () => {
    await using session = new SessionFixture();
    session.decide = (row) => (row.content.includes('rebuild') ? null : { state: 'refused', reason: 'too many' });
    const [refused, open] = await callAll(
      session,
      ['install_packages', { npm: ['left-pad'], reason: 'x' }],
      ['request_rebuild', { reason: 'x' }],
    );
    expect(refused).toEqual({ ok: false, text: 'The host refused: too many' });
    expect(open?.text).toMatch(/^Submitted\. .*you will be told/);
  });

  it('of every kind is one that the contract accepts', async () => {
    await using session = new SessionFixture({ mcpServers: [{ ...SERVER, name: 'old' }] });
    const results = await callAll(
      session,
      ['install_packages', { apt: ['g++', 'curl=7.88.1-10+deb12u8'], npm: ['@scope/name@^1.2.3'], reason: ' fun ' }],
      ['add_mcp_server', { ...SERVER, reason: 'I lose things' }],
      ['add_mcp_server', { name: 'bare', command: '/opt/x', reason: 'r' }],
      ['remove_mcp_server', { name: 'old', reason: 'r' }],
      ['request_rebuild', { reason: 'r' }],
      ['restart', {}],
      ['restart', { note: 'go on with the report' }],
    );
    expect(results.map((result) => [result.ok, result.text])).toEqual(results.map((result) => [true, result.text]));
    expect(requests(session)).toHaveLength(7);
    for (const row of requests(session))
      expect(parseOutboundContent('request', row.content)).toMatchObject({ ok: true });
    expect(parseContent(requests(session)[1] ?? fail())).toMatchObject({ action: 'add_mcp_server', server: SERVER });
  });

  it.each<[string, unknown, RegExp]>([
    [
      'install_packages',
      { apt: ['cowsay', 'Cow Say'], reason: 'r' },
      /apt\.1 "Cow Say": a Debian package name.*pattern \//,
    ],
    ['install_packages', { npm: ['--global'], reason: 'r' }, /npm\.0 "--global": a package name of npm/],
    ['install_packages', { npm: ['git+ssh://evil/x'], reason: 'r' }, /npm\.0 "git\+ssh/],
    ['install_packages', { npm: ['a@npm:b'], reason: 'r' }, /npm\.0/],
    ['install_packages', { apt: ['cowsay\n-o=x'], reason: 'r' }, /apt\.0 "cowsay\\n-o=x"/],
    ['install_packages', { apt: ['../x'], reason: 'r' }, /apt\.0 "\.\.\/x"/],
    ['install_packages', { reason: 'r' }, /at least one package/],
    ['install_packages', { apt: Array.from({ length: 21 }, (_, n) => `pkg${n}`), reason: 'r' }, /at most 20/],
    ['install_packages', { apt: ['cowsay'] }, /reason/],
    ['install_packages', { apt: ['cowsay'], reason: '  ' }, /reason/],
    ['add_mcp_server', { ...SERVER, name: 'My Server', reason: 'r' }, /name "My Server": a name is 1 to 32/],
    [
      'add_mcp_server',
      { ...SERVER, command: 'sh -c x', reason: 'r' },
      /command "sh -c x": one program, without spaces/,
    ],
    ['add_mcp_server', { ...SERVER, args: ['a\u202eb'], reason: 'r' }, /args\.0.*no control or invisible/],
    ['add_mcp_server', { ...SERVER, env: { 'A-B': 'x' }, reason: 'r' }, /env\.A-B: a name of letters/],
    ['remove_mcp_server', { name: 'nobody', reason: 'r' }, /no MCP server "nobody". Yours are: none/],
    ['request_rebuild', {}, /reason/],
    ['restart', { note: 'x'.repeat(1_001) }, /note/],
  ])('%s %j is answered with what was wrong, and writes no row', async (name, input, words) => {
    await using session = new SessionFixture();
    const [result] = await callAll(session, [name, input]);
    expect(result?.ok).toBe(false);
    expect(result?.text).toMatch(words);
    expect(requests(session)).toEqual([]);
  });

  it('is not put twice when the turn is tried again, also in other words (doubled: a request re-run after a crash)', async () => {
    await using session = new SessionFixture();
    const [id = ''] = session.receive({ text: 'hi' });
    const results: ToolResult[] = [];
    const dying: Script = async function* (query) {
      results.push(await query.tools.call('install_packages', { apt: ['cowsay'], reason: 'first words' }));
      yield { kind: 'error', retryable: true, message: 'the model is away' };
    };
    const again = withCalls(
      [
        ['install_packages', { apt: ['cowsay'], reason: 'other words' }],
        ['install_packages', { apt: ['figlet'], reason: 'other words' }],
      ],
      results,
    );
    {
      await using _loop = new LoopHarness(session, new ScriptedProvider(dying));
      await session.until(() => session.processing(id)?.state === 'failed', 'the first try failed');
    }
    session.inbound.prepare('UPDATE messages_in SET tries = 1 WHERE id = ?').run(id);
    await using _loop = new LoopHarness(session, new ScriptedProvider(again));
    await session.until(() => session.processing(id)?.state === 'done', 'the second try ended');
    expect(requests(session).map((row) => parseContent(row).apt)).toEqual([['cowsay'], ['figlet']]);
    expect(results.map((result) => result.ok)).toEqual([true, true, true]);
  });
});

function fail(): never {
  throw new Error('there is no such row');
}
