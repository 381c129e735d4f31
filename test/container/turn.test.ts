import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import type { ToolResult } from '../../container/tools/tool.ts';
import { MAX_TASK_AHEAD_MS, MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { parseOutboundContent } from '../../shared/messages.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { FAMILY, parseContent, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

const BOTH = [TERMINAL, FAMILY];

/** Calls tools, then gives the result. */
function withTools(calls: [string, unknown][], result: string, results: ToolResult[] = []): Script {
  return async function* (input): AsyncGenerator<ProviderEvent> {
    for (const [name, args] of calls) results.push(await input.tools.call(name, args));
    yield { kind: 'result', text: result };
  };
}

describe('an answer', () => {
  it('goes to each block’s destination, and outside text is not sent', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const provider = new ScriptedProvider(
      () => 'thinking <message to="terminal">one</message> <internal>no</internal><message to="Family">two</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi', threadId: 't' })).toEqual(['terminal: one', 'family: two']);
    expect(session.rows().map((row) => row.thread_id)).toEqual(['t', null]);
  });

  it('without a block is asked for once more, naming the syntax', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const provider = new ScriptedProvider(
      () => 'hello',
      () => '<message to="terminal">hello</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: hello']);
    expect(provider.queries[1]?.prompt.text).toContain('<message to="terminal">');
  });

  it('that still has no block goes to the only destination in play', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => 'hello'));
    expect(await session.exchange({ text: 'hi', from: FAMILY })).toEqual(['family: hello']);
  });

  it('that still has no block is reported lost to every chat in play (lost: a reply without blocks is dropped after one nudge)', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => 'hello'));
    const answers = await session.exchange({ text: 'hi' }, { text: 'hi', from: FAMILY });
    expect(answers).toHaveLength(2);
    expect(answers.every((text) => text.includes('did not say to whom'))).toBe(true);
  });

  it('to an unknown name is asked for again, with the names that exist', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const provider = new ScriptedProvider(
      () => '<message to="terminal">ok</message><message to="mum">secret</message>',
      () => '<message to="family">secret</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: ok', 'family: secret']);
    expect(provider.queries[1]?.prompt.text).toContain('terminal, family');
  });

  it('to a name that stays unknown is reported, and its text goes nowhere', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL] });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => '<message to="mum">secret</message>'));
    expect(await session.exchange({ text: 'hi' })).toEqual([
      'terminal: (The agent addressed "mum", which it cannot reach.)',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['only internal text', '<internal>hm</internal>'],
    ['an empty block', '<message to="terminal"/>'],
  ])('that is %s ends in a visible note after one more question', async (_name, text) => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(() => text);
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: (no answer)']);
    expect(provider.queries).toHaveLength(2);
  });

  it('that leaves one of two chats out gets a note there', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => '<message to="terminal">x</message>'));
    expect(await session.exchange({ text: 'hi' }, { text: 'hi', from: FAMILY })).toEqual([
      'terminal: x',
      'family: (no answer)',
    ]);
  });

  it('may stay silent towards the host and other agents', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, RESEARCHER] });
    const provider = new ScriptedProvider(() => '<internal>noted</internal>');
    await using _loop = new LoopHarness(session, provider);
    const notice = { text: 'refused', kind: 'system', event: 'delivery_refused' } as const;
    const peer = { text: 'fyi', from: RESEARCHER, sourceSessionId: 'ses_x' };
    expect(await session.exchange(notice)).toEqual([]);
    expect(await session.exchange(peer)).toEqual([]);
    expect(provider.queries).toHaveLength(2);
  });

  it('to a chat that is not in the chart is still written, for the host to refuse on the record', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL] });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => '<internal/>'));
    expect(await session.exchange({ text: 'hi', from: FAMILY })).toEqual(['null: (no answer)']);
  });

  it('names the message it answers, by reply_to or by destination', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const provider = new ScriptedProvider(
      () =>
        '<message to="terminal" reply_to="2">a</message><message to="terminal">b</message><message to="family">c</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    const ids = session.receive({ text: '1' }, { text: '2' }, { text: '3', from: FAMILY });
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(session.rows().map((row) => row.in_reply_to)).toEqual(ids);
  });

  it('that is too long is sent in pieces that the contract accepts', async () => {
    await using session = new SessionFixture();
    const paragraph = `${'wörd '.repeat(400).trim()}\n\n`;
    const text = paragraph.repeat(80).trim();
    await using _loop = new LoopHarness(
      session,
      new ScriptedProvider(() => `<message to="terminal">${text}</message>`),
    );
    await session.exchange({ text: 'hi' });
    const rows = session.rows();
    expect(rows.length).toBe(Math.ceil(Buffer.byteLength(text) / MAX_TEXT_BYTES));
    expect(rows.every((row) => parseOutboundContent('chat', row.content).ok)).toBe(true);
    expect(rows.map((row) => parseContent(row).text).join('\n\n')).toBe(text);
    expect(rows.map((row) => row.seq)).toEqual(rows.map((_row, index) => 3 + 2 * index));
  });
});

describe('the prompt', () => {
  it('carries the chart, the messages and the continuation of the turn before', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const provider = new ScriptedProvider(async function* () {
      yield { kind: 'init', continuation: 'thread-7' };
      yield { kind: 'result', text: '<message to="terminal">x</message>' };
    });
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    await session.exchange({ text: 'again' });
    expect(provider.queries.map((query) => query.continuation)).toEqual([null, 'thread-7']);
    expect(provider.queries[0]?.addendum).toContain('family');
    expect(provider.queries[0]?.prompt.text).toMatch(
      /^<context timezone="Europe\/Berlin"\/>\n<message id="2" from="terminal"/,
    );
  });

  it('follows a change of the chart without a restart', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL] });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => '<message to="family">x</message>'));
    expect((await session.exchange({ text: 'hi' }))[0]).toContain('cannot reach');
    session.writeChart(BOTH);
    expect(await session.exchange({ text: 'hi' })).toEqual(['family: x']);
  });
});

describe('a failing provider', () => {
  const fail = (retryable: boolean): Script =>
    async function* () {
      yield { kind: 'error', retryable, message: 'the model is overloaded' };
    };

  it('that may recover leaves the message to the host, and the same id is answered on its next try', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(fail(true), () => '<message to="terminal">now</message>');
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.isSettled(id), 'failed');
    expect(session.processing(id)).toMatchObject({ state: 'failed', note: { retryable: true, tries: 0 } });
    expect(session.texts()).toEqual([]);
    session.inbound.prepare('UPDATE messages_in SET tries = 1, process_after = ? WHERE id = ?').run(Date.now(), id);
    await session.until(() => session.processing(id)?.state === 'done', 'answered');
    expect(session.texts()).toEqual(['terminal: now']);
    expect(session.processing(id)?.note).toMatchObject({ tries: 1 });
  });

  it('that cannot recover says so in the chat', async () => {
    await using session = new SessionFixture();
    await using _loop = new LoopHarness(session, new ScriptedProvider(fail(false)));
    expect(await session.exchange({ text: 'hi' })).toEqual([
      'terminal: (The agent could not answer: the model is overloaded)',
    ]);
  });

  it('that throws counts as failed, and the loop goes on', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(
      () => {
        throw new TypeError('a bug in the provider');
      },
      () => '<message to="terminal">fine</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.isSettled(id), 'failed');
    expect(session.processing(id)).toMatchObject({ state: 'failed', note: { retryable: true } });
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: fine']);
  });
});

describe('a follow-up', () => {
  it('joins the running turn and is acknowledged only when that turn ends', async () => {
    await using session = new SessionFixture();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const provider = new ScriptedProvider(async function* (_input, turn) {
      turn.acceptsPush = true;
      await turn.changed();
      await finished;
      yield { kind: 'result', text: `<message to="terminal">saw ${turn.pushed[0]?.messages[0]?.text}</message>` };
    });
    await using _loop = new LoopHarness(session, provider);
    const [first = ''] = session.receive({ text: 'one' });
    await session.until(() => session.processing(first)?.state === 'claimed', 'claimed');
    const [second = ''] = session.receive({ text: 'two' });
    await session.until(() => session.processing(second)?.state === 'claimed', 'claimed');
    expect(session.processing(first)?.state).toBe('claimed');
    finish();
    await session.until(() => session.isSettled(first, second), 'settled');
    expect(session.texts()).toEqual(['terminal: saw two']);
  });

  it('that comes too late for the turn is answered by the next one', async () => {
    await using session = new SessionFixture();
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const provider = new ScriptedProvider(
      async function* () {
        await held;
        yield { kind: 'result', text: '<message to="terminal">first</message>' };
      },
      () => '<message to="terminal">second</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    const [first = ''] = session.receive({ text: 'one' });
    await session.until(() => session.processing(first), 'claimed');
    const [second = ''] = session.receive({ text: 'two' });
    await session.until(() => session.processing(second), 'claimed');
    letGo();
    await session.until(() => session.isSettled(first, second), 'settled');
    expect(session.texts()).toEqual(['terminal: first', 'terminal: second']);
  });
});

describe('the tools', () => {
  it('send at once, and the final block does not repeat it', async () => {
    await using session = new SessionFixture();
    const script = withTools(
      [['send_message', { to: 'terminal', text: 'done' }]],
      '<message to="terminal">done</message>',
    );
    await using _loop = new LoopHarness(session, new ScriptedProvider(script));
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: done']);
  });

  it('say the same thing twice when they are called twice', async () => {
    await using session = new SessionFixture();
    const ping: [string, unknown] = ['send_message', { to: 'terminal', text: 'ping' }];
    await using _loop = new LoopHarness(session, new ScriptedProvider(withTools([ping, ping], '')));
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: ping', 'terminal: ping']);
  });

  it('do not repeat what an earlier try of the same message already did', async () => {
    await using session = new SessionFixture();
    const calls: [string, unknown][] = [
      ['send_message', { to: 'terminal', text: 'working' }],
      ['create_task', { prompt: 'later', at: Date.now() + 60_000 }],
    ];
    const provider = new ScriptedProvider(
      async function* (input) {
        for (const [name, args] of calls) await input.tools.call(name, args);
        yield { kind: 'error', retryable: true, message: 'overloaded' };
      },
      withTools(
        [...calls, ['send_message', { to: 'terminal', text: 'new' }]],
        '<message to="terminal">working</message>',
      ),
    );
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.isSettled(id), 'failed');
    session.inbound.prepare('UPDATE messages_in SET tries = 1 WHERE id = ?').run(id);
    await session.until(() => session.processing(id)?.state === 'done', 'done');
    expect(session.rows().map((row) => row.kind)).toEqual(['chat', 'request', 'chat']);
    expect(session.texts()).toEqual(['terminal: working', 'terminal: new']);
  });

  it('send files that lie in the working folder, and nothing from outside it', async () => {
    await using session = new SessionFixture();
    writeFileSync(join(session.folders.agent, 'räport: 1?.txt'), 'report');
    mkdirSync(join(session.folders.agent, 'folder'));
    symlinkSync('/etc/passwd', join(session.folders.agent, 'link'));
    const paths = ['räport: 1?.txt', '../in/session.json', '/etc/passwd', 'link', 'folder', 'absent', '.'];
    const results: ToolResult[] = [];
    const calls = paths.map((path): [string, unknown] => ['send_file', { to: 'terminal', path, text: 'see' }]);
    await using _loop = new LoopHarness(session, new ScriptedProvider(withTools(calls, '', results)));
    await session.exchange({ text: 'hi' });
    expect(results.map((result) => result.ok)).toEqual([true, false, false, false, false, false, false]);
    const [row] = session.rows();
    expect(session.rows()).toHaveLength(1);
    const folder = join(session.files.outFiles, row?.id ?? '');
    expect(await readdir(folder)).toEqual(['räport_ 1_.txt']);
    expect(await readFile(join(folder, 'räport_ 1_.txt'), 'utf8')).toBe('report');
    expect(row && parseContent(row).attachments).toEqual([
      { name: 'räport_ 1_.txt', sizeBytes: 6, contentType: 'text/plain' },
    ]);
  });

  it('edit only own messages, and only where that is possible', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const results: ToolResult[] = [];
    const calls: [string, unknown][] = [
      ['send_message', { to: 'terminal', text: 'one' }],
      ['send_message', { to: 'family', text: 'two' }],
      ['edit_message', { message_id: 3, text: 'better' }],
      ['edit_message', { message_id: '5', text: 'better' }],
      ['edit_message', { message_id: 2, text: 'not mine' }],
      ['edit_message', { message_id: 3, text: '' }],
    ];
    await using _loop = new LoopHarness(session, new ScriptedProvider(withTools(calls, '', results)));
    await session.exchange({ text: 'hi' });
    expect(results.map((result) => result.ok)).toEqual([true, true, true, false, false, false]);
    const [first, , edit] = session.rows();
    expect(edit).toMatchObject({ kind: 'edit', destination: 'terminal' });
    expect(edit && parseContent(edit)).toMatchObject({ messageId: first?.id, text: 'better' });
  });

  it('react, list destinations without routing, and ask for tasks', async () => {
    await using session = new SessionFixture({ destinations: BOTH });
    const results: ToolResult[] = [];
    const at = Date.now() + 3_600_000;
    const calls: [string, unknown][] = [
      ['add_reaction', { message_id: 2, emoji: '👍' }],
      ['list_destinations', {}],
      ['create_task', { prompt: 'stretch', at }],
      ['create_task', { prompt: 'stretch', at: at + MAX_TASK_AHEAD_MS }],
      ['no_such_tool', {}],
      ['send_message', { to: 'nobody', text: 'x' }],
      ['send_message', { to: 'terminal', text: 'x', reply_to: 998 }],
    ];
    await using _loop = new LoopHarness(session, new ScriptedProvider(withTools(calls, '', results)));
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.isSettled(id), 'settled');
    expect(results.map((result) => result.ok)).toEqual([true, true, true, false, false, false, false]);
    expect(results[1]?.text).not.toContain('chat-family');
    expect(results[5]?.text).toContain('terminal, family');
    const [reaction, request] = session.rows();
    expect(reaction && parseContent(reaction)).toEqual({ messageId: id, emoji: '👍' });
    expect(request).toMatchObject({ kind: 'request', in_reply_to: id, trace_id: `trc_of_${id}` });
    expect(request && parseOutboundContent('request', request.content)).toMatchObject({ ok: true });
  });

  it('in flight are declared while they run', async () => {
    await using session = new SessionFixture();
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const provider = new ScriptedProvider(async function* () {
      yield { kind: 'tool_start', tool: 'build', timeoutMs: 90_000 };
      await held;
      yield { kind: 'tool_end', tool: 'build' };
      yield { kind: 'result', text: '<message to="terminal">built</message>' };
    });
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.runnerState('tool'), 'declared');
    expect(session.runnerState('tool')).toMatchObject({ tool: 'build', timeoutMs: 90_000 });
    letGo();
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.runnerState('tool')).toBeNull();
  });
});
