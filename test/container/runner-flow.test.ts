import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../shared/limits.ts';
import { PROTOCOL_VERSION, RUNNER_EXIT } from '../../shared/protocol.ts';
import { FAMILY, type NewInbound, parseContent, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

const numbered = (count: number, more: Partial<NewInbound> = {}): NewInbound[] =>
  Array.from({ length: count }, (_none, index) => ({ text: `m${index + 1}`, ...more }));

describe('a turn', () => {
  it('answers a message where it came from, with its thread and trace', async () => {
    await using session = new SessionFixture();
    session.start();
    const [id = ''] = session.receive({ text: 'hello <b> & `code`', threadId: 'thread-1' });
    await session.until(() => session.isSettled(id), 'answered');
    const [row] = session.rows();
    expect(session.texts()).toEqual(['terminal: hello <b> & `code`']);
    expect(row).toMatchObject({
      in_reply_to: id,
      trace_id: `trc_of_${id}`,
      thread_id: 'thread-1',
      channel_type: 'terminal',
      platform_id: 'owner',
      seq: 3,
    });
    const note = session.processing(id)?.note;
    expect(note).toMatchObject({ tries: 0 });
    const stages = ['claimed', 'provider_started', 'first_output', 'row_committed'].map((stage) =>
      Number(note?.[stage]),
    );
    expect(stages).toEqual([...stages].sort((a, b) => a - b));
  });

  it('takes 120 waiting messages oldest first, each answered once', async () => {
    await using session = new SessionFixture();
    const ids = session.receive(...numbered(120));
    session.start();
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(session.texts()).toEqual(numbered(120).map(({ text }) => `terminal: ${text}`));
    expect(session.rows().map((row) => row.in_reply_to)).toEqual(ids);
  });

  it('leaves nothing behind when messages arrive one by one while it works', async () => {
    await using session = new SessionFixture();
    session.start();
    const ids: string[] = [];
    for (const message of numbered(150)) {
      ids.push(...session.receive(message));
      await new Promise(setImmediate);
    }
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(session.rows().map((row) => row.in_reply_to)).toEqual(ids);
    expect(session.rows().every((row) => row.seq % 2 === 1)).toBe(true);
  });

  it('answers a message that it cannot parse, instead of dying of it', async () => {
    await using session = new SessionFixture();
    const [id = ''] = session.receive({ text: 'x' });
    session.inbound.prepare(`UPDATE messages_in SET content = '{"text":7}' WHERE id = ?`).run(id);
    session.start();
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.texts()).toEqual(['terminal: (This message could not be read.)']);
  });
});

describe('the selection of work', () => {
  it('waits for a trigger; context rides along then', async () => {
    await using session = new SessionFixture();
    session.start();
    const context = session.receive(...numbered(2, { trigger: false }));
    await session.until(() => session.runnerState('idle'), 'idle');
    expect(context.map((id) => session.processing(id))).toEqual([null, null]);
    const [id = ''] = session.receive({ text: 'now' });
    await session.until(() => session.isSettled(id, ...context), 'settled');
    expect(session.texts()).toEqual(['terminal: m1', 'terminal: m2', 'terminal: now']);
  });

  it('is not starved by a flood of context', async () => {
    await using session = new SessionFixture({ maxBatch: 5 });
    const context = session.receive(...numbered(700, { trigger: false }));
    const [id = ''] = session.receive({ text: 'now' });
    session.start();
    await session.until(() => session.isSettled(id, ...context), 'settled');
    expect(session.texts()).toEqual(['m697', 'm698', 'm699', 'm700', 'now'].map((text) => `terminal: ${text}`));
  });

  it('takes a message when it becomes due, not before', async () => {
    await using session = new SessionFixture();
    session.start();
    await session.until(() => session.runnerState('idle'), 'idle');
    const dueAt = Date.now() + 400;
    const [id = ''] = session.receive({ text: 'later', processAfter: dueAt });
    await session.until(() => session.isSettled(id), 'settled');
    expect(Number(session.processing(id)?.note.claimed)).toBeGreaterThanOrEqual(dueAt);
    expect(Number(session.processing(id)?.note.claimed)).toBeLessThan(dueAt + 5_000);
  });

  it('leaves on_wake messages that come later to the next process', async () => {
    await using session = new SessionFixture();
    const [early = ''] = session.receive({ text: 'early', onWake: true });
    const runner = session.start();
    await session.until(() => session.isSettled(early), 'settled');
    const [late = ''] = session.receive({ text: 'late', onWake: true });
    await session.exchange({ text: 'other' });
    expect(session.processing(late)).toBeNull();
    await runner.stop();
    session.start();
    await session.until(() => session.isSettled(late), 'settled');
    expect(session.texts()).toEqual(['early', 'other', 'late'].map((text) => `terminal: ${text}`));
  });
});

describe('the command to clear', () => {
  it('forgets the conversation and the provider’s state, and says so', async () => {
    await using session = new SessionFixture();
    session.start();
    await session.exchange({ text: 'hi' });
    expect(session.runnerState('continuation')).toEqual({ provider: 'echo', continuation: 'echo' });
    writeFileSync(join(session.folders.state, 'transcript'), 'x');
    const answers = await session.exchange({ text: 'any words', command: 'clear', threadId: 't' });
    expect(answers).toEqual(['terminal: Cleared: this conversation starts afresh.']);
    expect(session.rows().at(-1)?.thread_id).toBe('t');
    expect(session.runnerState('continuation')).toBeNull();
    expect(readdirSync(session.folders.state)).toEqual([]);
  });

  it('answers what was said before it first', async () => {
    await using session = new SessionFixture();
    const ids = session.receive({ text: 'one' }, { text: '/clear', command: 'clear' }, { text: 'two' });
    session.start();
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(session.texts().map((text) => text.slice(0, 17))).toEqual([
      'terminal: one',
      'terminal: Cleared',
      'terminal: two',
    ]);
  });

  it('is the word of the host’s gate, never a text: the gate and the runner cannot differ about `/clear`', async () => {
    await using session = new SessionFixture();
    session.start();
    const words = ['/clear', ' /clear ', '/clearx', '/clear the table', '/CLEAR'];
    expect(await session.exchange(...words.map((text) => ({ text })))).toEqual(
      words.map((text) => `terminal: ${text.trim()}`),
    );
  });

  it('is no command in anything but a message to the agent', async () => {
    await using session = new SessionFixture();
    session.start();
    await session.exchange({ text: 'hi' });
    expect(await session.exchange({ text: 'from a task', kind: 'task', command: 'clear' })).toEqual([
      'terminal: from a task',
    ]);
    expect(session.runnerState('continuation')).not.toBeNull();
  });

  it('is no command when another agent writes `/clear`', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, RESEARCHER] });
    session.start();
    await session.exchange({ text: 'hi' });
    await session.exchange({ text: '/clear', from: RESEARCHER, sourceSessionId: 'ses_other' });
    expect(session.runnerState('continuation')).not.toBeNull();
  });
});

describe('the chart', () => {
  it('is read live', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL] });
    session.start();
    expect(await session.exchange({ text: 'hi', from: FAMILY })).toEqual(['null: (no answer)']);
    session.writeChart([TERMINAL, FAMILY]);
    expect(await session.exchange({ text: 'hi', from: FAMILY })).toEqual(['family: hi']);
  });

  it('that cannot be read keeps the last good one', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL] });
    session.start();
    await session.exchange({ text: 'hi' });
    writeFileSync(session.files.chart, '{"version":2');
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: hi']);
  });
});

describe('a runner that dies', () => {
  it('leaves its claims, and the next one answers without repeating what was sent', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const runner = session.start();
    const [id = ''] = session.receive({ text: 'slow task 2' });
    await session.until(() => session.rows().some((row) => row.kind === 'edit'), 'progress');
    await runner.kill();
    expect(session.processing(id)?.state).toBe('claimed');
    expect(session.runnerState('idle')).toBeNull();
    session.start();
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.texts()).toHaveLength(2);
    expect(session.texts()[1]).toContain('is done');
  });

  it('in mid-commit leaves a journal, which the next one rolls back', async () => {
    await using session = new SessionFixture();
    plantHotJournal(session.files.outboundDb);
    expect(existsSync(`${session.files.outboundDb}-journal`)).toBe(true);
    session.start();
    await session.until(() => session.runnerState('idle'), 'idle');
    expect(session.runnerState('k1')).toBeNull();
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: hi']);
    // A journal without its header rolls nothing back.
    expect(readFileSync(`${session.files.outboundDb}-journal`)[0] ?? 0).toBe(0);
  });
});

describe('a host that dies in mid-commit', () => {
  it('does not crash the runner; work goes on when the host has rolled back', async () => {
    await using session = new SessionFixture();
    const runner = session.start();
    await session.exchange({ text: 'one' });
    session.inbound.close();
    plantHotJournal(session.files.inboundDb);
    await session.until(() => runner.stderr.includes('inbound.db cannot be read now'), 'noticed');
    const host = new Database(session.files.inboundDb);
    host.prepare("UPDATE messages_in SET status = 'done'").run();
    host
      .prepare(
        `INSERT INTO messages_in (id, seq, kind, timestamp, status, trigger, channel_type, platform_id, trace_id, content)
         VALUES ('msg_two', 1000, 'chat', 1, 'pending', 1, 'terminal', 'owner', 'trc', '{"text":"two"}')`,
      )
      .run();
    host.close();
    await session.until(() => session.isSettled('msg_two'), 'settled');
    expect(session.rows().at(-1)?.seq).toBe(1001);
    expect(runner.child.exitCode).toBeNull();
  });
});

describe('a lock on outbound.db that does not go away', () => {
  it('stops nothing for good: the runner tries again and answers once', async () => {
    await using session = new SessionFixture();
    const runner = session.start();
    await session.until(() => session.runnerState('idle'), 'idle');
    const holder = new Database(session.files.outboundDb);
    holder.exec('BEGIN IMMEDIATE');
    const [id = ''] = session.receive({ text: 'hi' });
    await session.until(() => runner.stderr.includes('cannot claim now'), 'gave up waiting for the lock');
    holder.exec('ROLLBACK');
    holder.close();
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.texts()).toEqual(['terminal: hi']);
  });
});

describe('start and stop', () => {
  it('says hello, and that it is idle', async () => {
    await using session = new SessionFixture();
    session.start();
    await session.until(() => session.runnerState('idle'), 'idle');
    expect(session.runnerState('hello')).toMatchObject({ protocolVersion: PROTOCOL_VERSION, provider: 'echo' });
  });

  it('is not idle while it works', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    session.start();
    const [id = ''] = session.receive({ text: 'slow task 2' });
    await session.until(() => session.runnerState('tool'), 'tool declared');
    expect(session.runnerState('idle')).toBeNull();
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.runnerState('tool')).toBeNull();
  });

  it('stops at once on SIGTERM, gives its claims back, and the next one takes them', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const runner = session.start();
    const [id = ''] = session.receive({ text: 'slow task 60' });
    await session.until(() => session.runnerState('tool'), 'tool declared');
    const askedAt = performance.now();
    expect(await runner.stop()).toBe(RUNNER_EXIT.stopped);
    expect(performance.now() - askedAt).toBeLessThan(5_000);
    expect(session.processing(id)).toBeNull();
    session.start();
    await session.until(() => session.processing(id)?.state === 'claimed', 'claimed again');
  });

  it('keeps the heartbeat fresh while a turn runs', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    session.start();
    session.receive({ text: 'slow task 30' });
    await session.until(() => session.runnerState('tool'), 'tool declared');
    utimesSync(session.files.heartbeat, 1, 1);
    await session.until(() => statSync(session.files.heartbeat).mtimeMs > Date.now() - HEARTBEAT_MS, 'touched');
  });

  it.each([
    ['another protocol version', (s: SessionFixture) => s.writeSession({ provider: 'echo', protocolVersion: 99 })],
    ['a session file that is no JSON', (s: SessionFixture) => writeFileSync(s.files.session, '{')],
    [
      'an incomplete session file',
      (s: SessionFixture) => writeFileSync(s.files.session, `{"protocolVersion":${PROTOCOL_VERSION}}`),
    ],
  ])('refuses %s with a clear line', async (_name, spoil) => {
    await using session = new SessionFixture();
    spoil(session);
    const runner = session.start();
    expect(await runner.exited).toBe(RUNNER_EXIT.badContract);
    expect(runner.stderr).toContain('contract broken');
    expect(runner.stderr).toContain('session.json');
  });

  it('refuses a provider that it does not have', async () => {
    await using session = new SessionFixture({ provider: '__proto__' });
    const runner = session.start();
    expect(await runner.exited).toBe(RUNNER_EXIT.unknownProvider);
  });

  it('ends by itself when its session folder is gone', async () => {
    await using session = new SessionFixture();
    const runner = session.start();
    await session.exchange({ text: 'hello' });
    rmSync(session.folders.out, { recursive: true });
    expect(await runner.exited).toBe(RUNNER_EXIT.badContract);
  });

  it('writes no message bodies to its log', async () => {
    await using session = new SessionFixture({ provider: 'demo' });
    const runner = session.start();
    await session.exchange({ text: 'remember the-secret-word', sender: 'Annabel' });
    await runner.stop();
    expect(runner.stderr).toContain('turn ended');
    expect(runner.stderr).not.toMatch(/the-secret-word|Annabel/);
    for (const line of runner.stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });
});

describe('a long past', () => {
  it('of 50,000 messages does not hide a new one', async () => {
    await using session = new SessionFixture();
    session.receive(...numbered(50_000, { status: 'done' }));
    session.start();
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: hi']);
    const [row] = session.rows();
    expect(row && parseContent(row).text).toBe('hi');
  });
});

/** What a writer that was killed after its journal was synced, and while it wrote pages, leaves behind. */
function plantHotJournal(path: string): void {
  const copy = `${path}.copy`;
  const writer = new Database(path);
  writer.pragma('cache_spill = 1');
  writer.pragma('cache_size = 1');
  writer.exec('BEGIN IMMEDIATE');
  const table = path.endsWith('outbound.db') ? 'runner_state' : 'messages_in';
  writer.exec(table === 'runner_state' ? spillState() : spillInbound());
  copyFileSync(path, copy);
  copyFileSync(`${path}-journal`, `${copy}-journal`);
  writer.exec('ROLLBACK');
  writer.close();
  copyFileSync(`${copy}-journal`, `${path}-journal`);
  copyFileSync(copy, path);
}

function spillState(): string {
  return `INSERT INTO runner_state WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    SELECT 'k' || i, json_quote(hex(zeroblob(1000))), i FROM n`;
}

function spillInbound(): string {
  return `INSERT INTO messages_in (id, seq, kind, timestamp, status, trigger, trace_id, content)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    SELECT 'k' || i, 5000 + 2 * i, 'chat', i, 'done', 1, 't', json_quote(hex(zeroblob(1000))) FROM n`;
}
