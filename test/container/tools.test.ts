import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import type { ToolResult } from '../../container/tools/tool.ts';
import { deriveAgentGroupId, deriveTaskId } from '../../shared/ids.ts';
import { parseOutboundContent } from '../../shared/messages.ts';
import type { Destination } from '../../shared/protocol.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { FAMILY, type OutRow, parseContent, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

const CHART = [TERMINAL, FAMILY, RESEARCHER];
const DONE = '<message to="terminal">done</message>';
const QUESTION = { title: 'Colour', question: 'Which colour?', options: ['red', 'blue'] };

/** Calls one tool, and hands over what it said. */
function withCall(name: string, input: unknown, results: ToolResult[], answer = DONE): Script {
  return async function* (query): AsyncGenerator<ProviderEvent> {
    results.push(await query.tools.call(name, input));
    yield { kind: 'result', text: answer };
  };
}

async function callOnce(session: SessionFixture, name: string, input: unknown): Promise<ToolResult> {
  const results: ToolResult[] = [];
  await using _loop = new LoopHarness(session, new ScriptedProvider(withCall(name, input, results)));
  await session.exchange({ text: 'hi' });
  const [result] = results;
  if (!result) throw new Error('the tool was not called');
  return result;
}

async function nextQuestion(session: SessionFixture): Promise<OutRow> {
  return await session.until(() => session.rows().find((row) => row.kind === 'question'), 'a question');
}

describe('a request', () => {
  it('says what the host said', async () => {
    await using session = new SessionFixture();
    const at = Date.now() + 3_600_000;
    const result = await callOnce(session, 'create_task', { prompt: 'stretch', at });
    const [row] = session.rows();
    const taskId = deriveTaskId(session.sessionId, row?.id ?? '');
    expect(result).toMatchObject({ ok: true, data: { taskId } });
    expect(result.text).toContain(`Task ${taskId} is set for`);
  });

  it('that the host refuses is a mistake with the host’s reason', async () => {
    await using session = new SessionFixture();
    session.decide = () => ({ state: 'refused', reason: 'cron: "x" is no rule' });
    expect(await callOnce(session, 'create_task', { prompt: 'stretch', cron: 'x' })).toEqual({
      ok: false,
      text: 'The host refused: cron: "x" is no rule',
    });
  });

  it('that the host does not answer in time is submitted, and does not hold the turn up', async () => {
    await using session = new SessionFixture();
    session.decide = () => null;
    const result = await callOnce(session, 'pause_task', { task_id: `tsk_${'0'.repeat(20)}` });
    expect(result).toMatchObject({ ok: true, text: 'Submitted; you will hear if it is refused.' });
  });

  it('of every kind is one that the contract accepts', async () => {
    await using session = new SessionFixture({ destinations: CHART, isAdmin: true });
    const task_id = `tsk_${'a'.repeat(20)}`;
    const calls: [string, unknown][] = [
      ['create_task', { prompt: 'p', at: '2037-01-01T09:00' }],
      ['create_task', { prompt: 'p', cron: '0 9 * * 1', timezone: 'Europe/Berlin', script: 'true', missed: 'all' }],
      ['update_task', { task_id, at: '2027-01-01T09:00:00+01:00', script: null }],
      ['update_task', { task_id, prompt: 'q', cron: '* * * * *' }],
      ['pause_task', { task_id }],
      ['resume_task', { task_id }],
      ['cancel_task', { task_id }],
    ];
    const results: ToolResult[] = [];
    const script: Script = async function* (query) {
      for (const [name, input] of calls) results.push(await query.tools.call(name, input));
      yield { kind: 'result', text: DONE };
    };
    await using _loop = new LoopHarness(session, new ScriptedProvider(script));
    await session.exchange({ text: 'hi' });
    expect(results.map((result) => result.ok)).toEqual([false, true, true, true, true, true, true]);
    const requests = session.rows().filter((row) => row.kind === 'request');
    expect(requests).toHaveLength(6);
    for (const row of requests) expect(parseOutboundContent('request', row.content)).toMatchObject({ ok: true });
  });

  it.each([
    ['create_task', { prompt: 'p' }, 'either `at`'],
    ['create_task', { prompt: 'p', at: 5, cron: '* * * * *' }, 'either `at`'],
    ['create_task', { prompt: 'p', at: 'soon' }, 'write it like 2026-11-22T09:00'],
    ['create_task', { prompt: 'p', at: '2026-13-40T99:00' }, 'not in the calendar'],
    ['create_task', { prompt: 'p', at: '2001-01-01T09:00' }, 'is past'],
    ['create_task', { prompt: 'p', at: '2027-01-01T09:00', timezone: 'Mars/Base' }, 'no time zone "Mars/Base"'],
    ['create_task', { prompt: 'p', cron: '* * * * *', script: '#'.repeat(20_000) }, 'script is longer'],
    ['create_task', { prompt: 'x'.repeat(70_000), cron: '* * * * *' }, 'prompt is too long'],
    ['create_task', { prompt: 7, cron: '* * * * *' }, 'create_task was not called: prompt:'],
    ['update_task', { task_id: 'tsk_1', prompt: 'p' }, 'list_tasks shows them'],
    ['update_task', { task_id: `tsk_${'0'.repeat(20)}` }, 'Say what to change'],
    ['ask_user_question', { ...QUESTION, options: [] }, 'options'],
    ['ask_user_question', { ...QUESTION, options: ['a', 'a'] }, 'Two options are the same'],
    ['ask_user_question', { ...QUESTION, to: 'researcher' }, 'is an agent'],
    ['ask_user_question', { ...QUESTION, to: 'mum' }, 'terminal, family, researcher'],
    ['create_agent', { name: 'a', instructions: 'b', destinations: ['mum'] }, 'You cannot reach "mum"'],
    ['create_agent', { name: '  ', instructions: 'b' }, 'name'],
  ])('%s %j is answered with what to do instead, and writes no row', async (name, input, words) => {
    await using session = new SessionFixture({ destinations: CHART, isAdmin: true });
    const result = await callOnce(session, name, input);
    expect(result.ok).toBe(false);
    expect(result.text).toContain(words);
    expect(session.rows().map((row) => row.kind)).toEqual(['chat']);
  });

  it('does not count as an answer: a person’s message does not end in silence behind it', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    const call = withCall('create_task', { prompt: 'p', cron: '0 9 * * *' }, results, 'Done, every day at nine.');
    await using _loop = new LoopHarness(session, new ScriptedProvider(call, () => 'Done, every day at nine.'));
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: Done, every day at nine.']);
  });
});

describe('create_agent', () => {
  it('does not exist for an agent that is no admin', async () => {
    await using session = new SessionFixture({ destinations: CHART });
    const provider = new ScriptedProvider(() => DONE);
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    const tools = provider.queries[0]?.tools;
    expect(tools?.list().map((tool) => tool.name)).not.toContain('create_agent');
    const refused = await tools?.call('create_agent', { name: 'a', instructions: 'b' });
    expect(refused).toMatchObject({ ok: false });
    expect(refused?.text).toContain('There is no tool create_agent');
    expect(session.rows().filter((row) => row.kind === 'request')).toEqual([]);
  });

  it('tells under which name the new agent is reached', async () => {
    await using session = new SessionFixture({ destinations: CHART, isAdmin: true });
    session.decide = (row) => {
      const agentGroupId = deriveAgentGroupId(session.sessionId, row.id);
      const writer: Destination = { ...RESEARCHER, type: 'agent', name: 'writer-2', agentGroupId };
      session.writeChart([...CHART, writer]);
      return { state: 'delivered' };
    };
    const input = { name: 'Writer', instructions: 'Write.', destinations: ['family', 'Terminal'] };
    const result = await callOnce(session, 'create_agent', input);
    expect(result).toMatchObject({ ok: true, data: { agent: 'writer-2' } });
    const [row] = session.rows();
    expect(row && parseContent(row)).toMatchObject({ name: 'Writer', destinations: ['family', 'terminal'] });
  });
});

describe('list_tasks', () => {
  it('shows what the host wrote, and nothing where there is no file', async () => {
    await using session = new SessionFixture();
    expect((await callOnce(session, 'list_tasks', {})).text).toBe('You have no tasks.');
    const id = `tsk_${'b'.repeat(20)}`;
    const common = { prompt: 'look at\nthe mail', hasScript: true, missed: 'once', lastFiredAt: null } as const;
    session.writeTasks([
      { ...common, id, at: null, cron: '0 9 * * *', timezone: 'Europe/Berlin', state: 'paused', nextAt: null },
    ]);
    const { text } = await callOnce(session, 'list_tasks', {});
    expect(text).toBe(`- ${id}: 0 9 * * * (Europe/Berlin), paused, with a check: look at the mail`);
  });
});

describe('a question', () => {
  it('waits for the answer, which is acknowledged with the turn and not shown as a message', async () => {
    await using session = new SessionFixture({ destinations: CHART });
    const results: ToolResult[] = [];
    const provider = new ScriptedProvider(withCall('ask_user_question', { ...QUESTION, timeout_s: 300 }, results));
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi', from: FAMILY, threadId: 't' });
    const question = await nextQuestion(session);
    expect(question).toMatchObject({ in_reply_to: id, destination: 'family', thread_id: 't' });
    expect(parseOutboundContent('question', question.content)).toMatchObject({ ok: true });
    expect(session.runnerState('tool')).toMatchObject({ tool: 'ask_user_question', timeoutMs: 310_000 });
    const answer = session.answerQuestion(question, 'blue');
    await session.until(() => session.isSettled(id, answer), 'settled');
    expect(results).toMatchObject([{ ok: true, text: 'Tom chose: blue', data: { choice: 'blue', by: 'Tom' } }]);
    expect(provider.queries).toHaveLength(1);
    expect(session.runnerState('tool')).toBeNull();
    expect(session.rows().at(-1)?.in_reply_to).toBe(id);
  });

  it('that nobody answered in time says so', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    await using _loop = new LoopHarness(
      session,
      new ScriptedProvider(withCall('ask_user_question', { ...QUESTION, timeout_s: 300 }, results)),
    );
    const [id = ''] = session.receive({ text: 'hi' });
    const end = session.answerQuestion(await nextQuestion(session), null);
    await session.until(() => session.isSettled(id, end), 'settled');
    expect(results[0]?.text).toBe('Nobody answered in time. Go on without.');
  });

  it('that the host refuses says why', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    await using _loop = new LoopHarness(
      session,
      new ScriptedProvider(withCall('ask_user_question', QUESTION, results)),
    );
    const [id = ''] = session.receive({ text: 'hi' });
    session.putDelivery(await nextQuestion(session), 'refused', 'terminal is no destination');
    await session.until(() => session.isSettled(id), 'settled');
    expect(results).toEqual([{ ok: false, text: 'The question could not be put: terminal is no destination' }]);
  });

  it('that outlives its turn gets its late answer as a message of a later turn (fault: a late click that nobody reads)', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    const provider = new ScriptedProvider(
      async function* (query, turn) {
        void query.tools.call('ask_user_question', QUESTION).then((result) => results.push(result));
        await session.until(() => session.rows().length > 0 && !turn.isInterrupted, 'asked');
        yield { kind: 'result', text: DONE };
      },
      () => '<message to="terminal">thank you</message>',
    );
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.isSettled(id), 'settled');
    expect(results[0]?.text).toContain('the answer will come as a message later');
    session.inbound.prepare("UPDATE messages_in SET status = 'done' WHERE id = ?").run(id);
    const late = session.answerQuestion(await nextQuestion(session), 'red');
    await session.until(() => session.isSettled(late), 'settled');
    expect(provider.queries[1]?.prompt.text).toContain('event="question_answered"');
    expect(session.texts().at(-1)).toBe('terminal: thank you');
  });

  it('is not put twice when its turn is tried again, and the answer that came meanwhile is found (fault: asked twice after a crash)', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    const [id = ''] = session.receive({ text: 'hi' });
    {
      // The first runner dies while it waits; a stop gives the claim back as a crash does on the host's side.
      await using _first = new LoopHarness(
        session,
        new ScriptedProvider(withCall('ask_user_question', QUESTION, results)),
      );
      await nextQuestion(session);
    }
    expect(session.processing(id)).toBeNull();
    const answer = session.answerQuestion(await nextQuestion(session), 'red');
    const provider = new ScriptedProvider(withCall('ask_user_question', QUESTION, results));
    await using _second = new LoopHarness(session, provider);
    await session.until(() => session.isSettled(id, answer), 'settled');
    expect(results.at(-1)?.text).toBe('Tom chose: red');
    expect(session.rows().map((row) => row.kind)).toEqual(['question', 'chat']);
    expect(provider.queries).toHaveLength(1);
  });

  it('is not put twice when more came in before its turn is tried again (fault: asked twice after a crash)', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    const [id = ''] = session.receive({ text: 'hi' });
    {
      const asks = withCall('ask_user_question', QUESTION, results);
      await using _first = new LoopHarness(session, new ScriptedProvider(asks));
      await nextQuestion(session);
    }
    // Now this is the message that the tools of the next try answer.
    const [later = ''] = session.receive({ text: 'and this' });
    const answer = session.answerQuestion(await nextQuestion(session), 'red');
    const asksAgain = withCall('ask_user_question', QUESTION, results);
    await using _second = new LoopHarness(session, new ScriptedProvider(asksAgain));
    await session.until(() => session.isSettled(id, later, answer), 'settled');
    expect(results.at(-1)?.text).toBe('Tom chose: red');
    expect(session.rows().map((row) => row.kind)).toEqual(['question', 'chat']);
  });

  it('leaves its answer to the turn that asked, while that waits for its next try', async () => {
    await using session = new SessionFixture();
    const results: ToolResult[] = [];
    const provider = new ScriptedProvider(
      async function* (query, turn) {
        void query.tools.call('ask_user_question', QUESTION);
        await session.until(() => session.rows().length > 0 && !turn.isInterrupted, 'asked');
        yield { kind: 'error', retryable: true, message: 'overloaded' };
      },
      withCall('ask_user_question', QUESTION, results),
    );
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.processing(id)?.state === 'failed', 'failed');
    session.inbound.prepare('UPDATE messages_in SET tries = 1, process_after = ?').run(Date.now() + 400);
    const answer = session.answerQuestion(await nextQuestion(session), 'red');
    await session.until(() => session.isSettled(id, answer) && session.texts().length > 0, 'settled');
    expect(results[0]?.text).toBe('Tom chose: red');
    expect(provider.queries).toHaveLength(2);
  });

  it('is followed by an answer to the person, even if the model forgets the block', async () => {
    await using session = new SessionFixture();
    const asks = withCall('ask_user_question', QUESTION, [], 'Red it is.');
    await using _loop = new LoopHarness(session, new ScriptedProvider(asks, () => 'Red it is.'));
    const [id = ''] = session.receive({ text: 'hi' });
    session.answerQuestion(await nextQuestion(session), 'red');
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.texts()).toEqual(['terminal: Red it is.']);
  });
});

describe('a tool', () => {
  it('that comes after its turn is told so, and writes nothing', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(() => DONE);
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    const late = await provider.queries[0]?.tools.call('send_message', { to: 'terminal', text: 'late' });
    expect(late).toMatchObject({ ok: false });
    expect(late?.text).toContain('The turn is over');
    expect(session.texts()).toEqual(['terminal: done']);
  });

  it('does not say again in the final block what send_message said (fault: the same text twice)', async () => {
    await using session = new SessionFixture();
    const call = withCall('send_message', { to: 'terminal', text: 'done' }, []);
    await using _loop = new LoopHarness(session, new ScriptedProvider(call));
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: done']);
  });
});

describe('the chart in the middle of a turn', () => {
  const RENAMED: Destination = { ...FAMILY, name: 'home', formerNames: ['family'] };

  it('that renames a destination is followed: the earlier name still arrives, under the current one', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, FAMILY] });
    const provider = new ScriptedProvider(async function* (query): AsyncGenerator<ProviderEvent> {
      await query.tools.call('send_message', { to: 'family', text: 'before' });
      session.writeChart([TERMINAL, RENAMED]);
      await query.tools.call('send_message', { to: 'family', text: 'after' });
      yield { kind: 'result', text: '<message to="Family">end</message><message to="home">after</message>' };
    });
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi', from: FAMILY })).toEqual([
      'family: before',
      'home: after',
      'home: end',
    ]);
    await session.exchange({ text: 'again', from: FAMILY });
    expect(provider.queries[1]?.prompt.text).toContain('from="home"');
  });

  it('that gives an earlier name to another destination means that one', async () => {
    await using session = new SessionFixture({ destinations: [RENAMED, { ...TERMINAL, name: 'family' }] });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => '<message to="family">x</message>'));
    await session.exchange({ text: 'hi' });
    expect(session.rows()[0]).toMatchObject({ destination: 'family', channel_type: 'terminal' });
  });

  it('that revokes a destination is obeyed by the very next send', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, FAMILY] });
    const results: ToolResult[] = [];
    const provider = new ScriptedProvider(async function* (query): AsyncGenerator<ProviderEvent> {
      results.push(await query.tools.call('send_message', { to: 'family', text: 'before' }));
      session.writeChart([TERMINAL]);
      results.push(await query.tools.call('send_message', { to: 'family', text: 'after' }));
      results.push(await query.tools.call('add_reaction', { message_id: 3, emoji: '👍' }));
      yield { kind: 'result', text: DONE };
    });
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'hi' })).toEqual(['family: before', 'terminal: done']);
    expect(results.map((result) => result.ok)).toEqual([true, false, false]);
  });

  it('that renames between two tries does not make a send twice (fault: doubled after a crash)', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, FAMILY] });
    const tell = { to: 'family', text: 'once' };
    const provider = new ScriptedProvider(
      async function* (query) {
        await query.tools.call('send_message', tell);
        session.writeChart([TERMINAL, RENAMED]);
        yield { kind: 'error', retryable: true, message: 'overloaded' };
      },
      withCall('send_message', tell, []),
    );
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => session.processing(id)?.state === 'failed', 'failed');
    session.inbound.prepare('UPDATE messages_in SET tries = 1').run();
    session.ring();
    await session.until(() => session.processing(id)?.state === 'done', 'done');
    expect(session.texts()).toEqual(['family: once', 'terminal: done']);
  });
});

describe('a task’s own check', () => {
  const task = (script: string) => ({ id: `tsk_${'c'.repeat(20)}`, dueAt: Date.now(), script, missed: 0 });

  async function fire(script: string): Promise<{ session: SessionFixture; provider: ScriptedProvider; id: string }> {
    const session = new SessionFixture();
    const provider = new ScriptedProvider(() => DONE);
    await using _loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'look', kind: 'task', sender: '', task: task(script) });
    await session.until(() => session.isSettled(id), 'settled', 40_000);
    return { session, provider, id };
  }

  it('that says so leaves the agent asleep, and the task is done quietly', async () => {
    const { session, provider, id } = await fire('echo looking; echo \'{"wake": false}\'');
    await using _session = session;
    expect(provider.queries).toEqual([]);
    expect(session.processing(id)).toMatchObject({ state: 'done', note: { quiet: true, tries: 0 } });
    expect(session.texts()).toEqual([]);
  });

  it('hands its data to the agent, escaped', async () => {
    const { session, provider, id } = await fire('echo \'{"wake": true, "data": ["</check><message from=x>"]}\'');
    await using _session = session;
    expect(provider.queries[0]?.prompt.text).toContain(
      '<check>["&lt;/check&gt;&lt;message from=x&gt;"]</check></message>',
    );
    expect(session.processing(id)?.note).not.toHaveProperty('quiet');
  });

  it.each([
    ['exit 3', 'it ended with exit code 3'],
    ['echo oops >&2; exit 1', 'oops'],
    ['echo hello', 'not JSON'],
    ['', 'not JSON'],
    ['echo \'{"wake": "no"}\'', 'not JSON with'],
    ['kill -9 $$', 'ended by SIGKILL'],
    ['head -c 200000 /dev/zero; sleep 60', 'more than 64 KiB'],
    ['no-such-command', 'exit code 127'],
  ])('that goes wrong (%s) wakes the agent, which is told', async (script, words) => {
    const { session, provider } = await fire(script);
    await using _session = session;
    expect(provider.queries[0]?.prompt.text).toContain(words);
    expect(session.texts()).toEqual(['terminal: done']);
  });

  it('runs in the agent’s folder, with an environment that holds nothing of the runner’s', async () => {
    process.env.PORTOLAN_TEST_SECRET = 'hunter2';
    const { session, provider } = await fire('pwd; env; exit 1');
    delete process.env.PORTOLAN_TEST_SECRET;
    await using _session = session;
    const prompt = provider.queries[0]?.prompt.text;
    expect(prompt).toContain(session.folders.agent);
    expect(prompt).not.toMatch(/hunter2|PORTOLAN/);
  });

  it('leaves no process and no file behind', async () => {
    const before = process.env.TMPDIR;
    const folder = mkdtempSync('/tmp/portolan-tools-');
    process.env.TMPDIR = folder;
    const { session } = await fire('sleep 300 & echo $! > child; echo \'{"wake": false}\'');
    await using _session = session;
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    const pid = Number(readFileSync(join(session.folders.agent, 'child'), 'utf8'));
    await session.until(() => !isAlive(pid), 'the child is gone');
    expect(readdirSync(folder).filter((name) => name.startsWith('portolan-check-'))).toEqual([]);
  });

  it('is declared while it runs, ends with a stop, and gives its task back', async () => {
    await using session = new SessionFixture();
    const loop = new LoopHarness(session, new ScriptedProvider(() => DONE));
    const [id = ''] = session.receive({ text: 'look', kind: 'task', task: task('sleep 25') });
    await session.until(() => session.runnerState('tool'), 'declared');
    expect(session.runnerState('tool')).toMatchObject({ tool: 'task_check', timeoutMs: 35_000 });
    const askedAt = performance.now();
    await loop[Symbol.asyncDispose]();
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(session.processing(id)).toBeNull();
  });

  it.each([
    ['a chat message', { kind: 'chat' }],
    ['another agent', { kind: 'task', sourceSessionId: 'ses_x', from: RESEARCHER }],
    ['a notice', { kind: 'system' }],
  ] as const)('is never run for %s', async (_name, more) => {
    await using session = new SessionFixture({ destinations: CHART });
    await using _loop = new LoopHarness(session, new ScriptedProvider(() => DONE));
    await session.exchange({ text: 'look', task: task('touch ran'), ...more });
    expect(readdirSync(session.folders.agent)).toEqual([]);
  });

  it('that leaves nothing to do gives the context back that came with it', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(() => DONE);
    await using _loop = new LoopHarness(session, provider);
    const [context = '', quiet = ''] = session.receive(
      { text: 'overheard', trigger: false },
      { text: 'look', kind: 'task', task: task('echo \'{"wake": false}\'') },
    );
    await session.until(() => session.isSettled(quiet), 'settled');
    expect(session.processing(context)).toBeNull();
    await session.exchange({ text: 'and?' });
    expect(provider.queries[0]?.prompt.text).toContain('overheard');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
