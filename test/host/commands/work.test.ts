import { describe, expect, it, onTestFinished } from 'vitest';
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import { deriveMessageId, makeId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADAM, Counter, MARY, OLGA, SAM } from './counter.ts';

describe('/clear', () => {
  it('is a row with the host’s word in it, once, however often it is told', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, 'remember the milk');
    const tell = () => counter.give('room', ADAM, ' /CLEAR@bot ', { isMention: true, clientId: 'u1' });
    expect(await tell()).toMatchObject({ kind: 'routed', messages: [{ engaged: true, repeated: false }] });
    counter.nextHost();
    expect(await tell()).toMatchObject({ kind: 'routed', messages: [{ repeated: true }] });
    expect(counter.rows(counter.session())).toMatchObject([
      { text: 'remember the milk' },
      { text: '/CLEAR@bot', command: 'clear' },
    ]);
    expect(counter.rows(counter.session())[0]).not.toHaveProperty('command');
    // The agent's runner answers it: the host adds nothing.
    expect(counter.answers()).toEqual([]);
    expect(counter.messages().at(-1)).toMatchObject({ text: '/CLEAR@bot', state: 'queued', direction: 'in' });
    expect(counter.spine.woken).toContain(counter.session().id);
  });

  it('of a member is refused in a group, where it is everybody’s conversation, and taken in their own chat', async () => {
    const counter = new Counter();
    counter.room();
    counter.room(`dm-${MARY}`);
    await counter.give('room', MARY, 'hi');
    await counter.give('room', MARY, '/clear');
    expect(counter.answers()).toEqual(['In a group only an admin may use /clear.']);
    await counter.alone(MARY, 'hi');
    await counter.alone(MARY, '/clear');
    expect(counter.rows(counter.session(`dm-${MARY}`)).at(-1)).toMatchObject({ command: 'clear' });
  });

  it('with words behind it clears nothing: /clear the table', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, 'hi');
    await counter.give('room', ADAM, '/clear the table');
    expect(counter.rows(counter.session()).map(({ text }) => text)).toEqual(['hi']);
    expect(counter.answers()).toEqual([
      'No agent called “the table” listens here; here listens main. Nothing was done.\n\nIt is written `/clear [agent, or all]`.',
    ]);
  });

  it('in a chat of several agents asks which, takes a name, or all that one may clear', async () => {
    const counter = new Counter();
    const writer = counter.spine.addAgent('writer');
    counter.room();
    counter.room('room', {}, writer);
    await counter.give('room', OLGA, 'hi');
    await counter.give('room', OLGA, '/clear');
    expect(counter.answers().at(-1)).toContain('Several agents listen here: main and writer.');
    const [main, other] = [counter.agent, writer].map((agent) => {
      const session = counter.spine.sessions.listForAgent(agent.id)[0];
      if (session === undefined) throw new Error('no session');
      return session;
    });
    if (main === undefined || other === undefined) throw new Error('no sessions');
    await counter.give('room', OLGA, '/clear WRITER');
    expect(counter.rows(other).at(-1)).toMatchObject({ command: 'clear' });
    expect(counter.rows(main).some(({ command }) => command === 'clear')).toBe(false);
    await counter.give('room', OLGA, '/clear all');
    expect(counter.rows(main).at(-1)).toMatchObject({ command: 'clear' });
    // An admin of one agent clears no other by it, nor by name.
    await counter.give('room', ADAM, '/clear all');
    expect(counter.rows(main).filter(({ command }) => command === 'clear')).toHaveLength(2);
    expect(counter.rows(other).filter(({ command }) => command === 'clear')).toHaveLength(2);
    await counter.give('room', ADAM, '/clear writer');
    expect(counter.answers().at(-1)).toBe('Only an admin of the agent may use /clear here.');
  });

  it('tells whoever clears a conversation that cannot go on now that it waits', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, 'hi');
    counter.spine.liveStates.set(counter.session().id, { state: 'waiting', reason: 'Docker does not answer.' });
    await counter.give('room', ADAM, '/clear');
    expect(counter.answers()).toEqual([
      'main cannot work now (Docker does not answer.). It starts afresh before it answers anything new.',
    ]);
    expect(counter.rows(counter.session()).at(-1)).toMatchObject({ command: 'clear' });
  });

  it('where nobody talked to the agent has nothing to clear', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, '/clear');
    expect(counter.answers()).toEqual(['main has no conversation here that could be cleared.']);
  });
});

describe('/compact', () => {
  it('is a row with the host’s word in it, for whoever may talk to the agent, in a group too', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'a long story');
    const tell = () => counter.give('room', MARY, '/compact', { clientId: 'u1' });
    expect(await tell()).toMatchObject({ kind: 'routed', messages: [{ engaged: true, repeated: false }] });
    counter.nextHost();
    expect(await tell()).toMatchObject({ kind: 'routed', messages: [{ repeated: true }] });
    expect(counter.rows(counter.session())).toMatchObject([{ text: 'a long story' }, { command: 'compact' }]);
    // The agent's runner answers it: the host adds nothing.
    expect(counter.answers()).toEqual([]);
  });

  it('of somebody whom an agent does not hear does not reach it, by name or with all', async () => {
    const counter = new Counter();
    const writer = counter.spine.addAgent('writer');
    counter.room();
    counter.room('room', {}, writer);
    await counter.give('room', OLGA, 'hi');
    for (const text of ['/compact writer', '/compact all', '/compact']) await counter.give('room', SAM, text);
    // A member of one agent does not steer another that listens beside it.
    await counter.give('room', MARY, '/compact writer');
    expect(counter.answers()).toEqual(['Only whom the agent hears may use /compact here.']);
    for (const { id } of [counter.agent, writer]) {
      const rows = counter.spine.sessions.listForAgent(id).flatMap((session) => counter.rows(session));
      expect(rows.map(({ command }) => command)).toEqual([undefined]);
    }
  });

  it('says so where nothing was said yet, and where the agent cannot work now', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, '/compact');
    expect(counter.answers()).toEqual(['main has no conversation here that could be compacted.']);
    await counter.give('room', ADAM, 'hi');
    counter.spine.liveStates.set(counter.session().id, { state: 'waiting', reason: 'no key' });
    await counter.give('room', ADAM, '/compact');
    expect(counter.answers().at(-1)).toBe('main cannot work now (no key). It does so before it answers anything new.');
  });
});

describe('/status, of what an agent thinks with', () => {
  it('says to admins of the agent what it thinks with, and to nobody else', async () => {
    const counter = new Counter();
    counter.room();
    const choice = { provider: 'openai', service: 'ollama', model: 'llama3.2:8b', effort: 'low' } as const;
    counter.spine.configs.change(counter.agent.id, choice, { by: 'host', approvalId: null, reason: 'x' });
    await counter.give('room', ADAM, '/status');
    expect(counter.answers().at(-1)).toContain('thinks with openai, model `llama3.2:8b`, through ollama, effort low');
    await counter.give('room', MARY, '/status');
    expect(counter.answers().at(-1)).not.toContain('thinks with');
  });
});

describe('/stop', () => {
  it('ends what the agent was given here, and the run that works on it', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'a long story');
    await counter.give('room', MARY, 'and another');
    const session = counter.session();
    counter.spine.liveStates.set(session.id, { state: 'running', reason: null });
    await counter.give('room', ADAM, '/stop');
    expect(counter.answers()).toEqual([
      'Stopped main. 2 messages end here and are not tried again; what you write next is read.',
    ]);
    expect(counter.rows(session)).toEqual([]);
    expect(counter.spine.endedRuns).toEqual([session.id]);
    expect(counter.messages().filter(({ state }) => state === 'failed')).toMatchObject([
      { text: 'a long story', stateReason: 'stopped by Adam' },
      { text: 'and another', stateReason: 'stopped by Adam' },
    ]);
    await counter.give('room', MARY, 'something else');
    expect(counter.rows(session).map(({ text }) => text)).toEqual(['something else']);
  });

  it('ends what waits for its next try, and no task that waits for its time', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'failed once');
    const session = counter.session();
    const id = counter.rows(session)[0]?.id ?? '';
    const later = Date.now() + 20_000;
    await counter.spine.inboxes.commit(session, (tables) => {
      tables.requeue(id, 2, later);
      tables.append([
        {
          ...{ id: deriveMessageId('task'), kind: 'task', timestamp: Date.now() - 1_000, processAfter: later },
          ...{ trigger: true, onWake: false, channelType: 'test', platformId: 'room', threadId: null },
          ...{ senderId: null, sourceSessionId: null, inReplyTo: null, hop: 0, traceId: 'trc_x' as never },
          content: JSON.stringify({ text: 'water the plants' }),
        },
      ]);
    });
    await counter.give('room', ADAM, '/stop');
    expect(counter.rows(session).map(({ text }) => text)).toEqual(['water the plants']);
  });

  it('told again after a crash ends nothing that came after it', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'before');
    const receivedAt = Date.now() + 1;
    await counter.give('room', MARY, 'after', { receivedAt: receivedAt + 5 });
    // The platform tells with its own time what the dead host never answered.
    await counter.give('room', ADAM, '/stop', { clientId: 'u5', receivedAt });
    expect(counter.rows(counter.session()).map(({ text }) => text)).toEqual(['after']);
  });

  it('leaves alone what the agent was given elsewhere, and a run that works on that', async () => {
    const counter = new Counter();
    counter.room('room', { sessionMode: 'agent-shared' });
    counter.room('other', { sessionMode: 'agent-shared' });
    await counter.give('other', MARY, 'elsewhere');
    await counter.give('room', MARY, 'here');
    const [session] = counter.spine.sessions.listForAgent(counter.agent.id);
    if (session === undefined) throw new Error('no session');
    counter.spine.liveStates.set(session.id, { state: 'running', reason: null });
    await counter.give('room', ADAM, '/stop');
    expect(counter.rows(session).map(({ text }) => text)).toEqual(['elsewhere']);
    expect(counter.spine.endedRuns).toEqual([]);
    // Once it is seen to work on what was said here, its run ends.
    await counter.give('room', MARY, 'here again');
    const row = counter.rows(session).at(-1);
    counter.spine.transcript.change(row?.id as never, { state: 'read' });
    counter.spine.transcript.flush();
    await counter.give('room', ADAM, '/stop');
    expect(counter.spine.endedRuns).toEqual([session.id]);
  });

  it.each([
    ['works on it', 'claimed', null],
    ['has answered it', 'done', null],
    ['gives it back', 'failed', { error: 'busy', retryable: true }],
  ] as const)(
    'stays as it ended while a read of the container is under way that says it %s',
    async (_what, state, note) => {
      const counter = new Counter();
      counter.room();
      await counter.give('room', MARY, 'hi');
      const { spine } = counter;
      const session = counter.session();
      const id = counter.rows(session)[0]?.id ?? '';
      spine.container(spine.paths(session)).mark(id, state, note);
      spine.delivery.ring(session.id);
      await counter.give('room', ADAM, '/stop');
      // The read began with the row open, and ends after.
      await until('the read is over', () => spine.delivery.isQuiet(session.id));
      spine.transcript.flush();
      expect(spine.transcript.get(id as never)).toMatchObject({ state: 'failed', stateReason: 'stopped by Adam' });
      expect(counter.rows(session)).toEqual([]);
    },
  );

  it('works while the session is set aside, and says so when there is nothing to stop', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'hi');
    const session = counter.session();
    counter.spine.sessions.setQuarantine(session.id, 'outbound.db is a link', 1);
    counter.spine.liveStates.set(session.id, { state: 'quarantined', reason: 'outbound.db is a link' });
    await counter.give('room', ADAM, '/stop');
    expect(counter.rows(session)).toEqual([]);
    expect(counter.spine.endedRuns).toEqual([]);
    await counter.give('room', ADAM, '/stop');
    expect(counter.answers().at(-1)).toBe('main does nothing here just now.');
  });

  it('of a member in a group is refused, and in their own chat obeyed', async () => {
    const counter = new Counter();
    counter.room();
    counter.room(`dm-${MARY}`);
    await counter.give('room', MARY, 'hi');
    await counter.give('room', MARY, '/stop');
    expect(counter.rows(counter.session()).map(({ text }) => text)).toEqual(['hi']);
    await counter.alone(MARY, 'hi');
    await counter.alone(MARY, '/stop');
    expect(counter.rows(counter.session(`dm-${MARY}`))).toEqual([]);
  });
});

describe('/status', () => {
  it('says who listens, what they do, what waits, and what one may decide', async () => {
    const counter = new Counter();
    const chat = counter.room();
    await counter.give('room', MARY, 'one');
    await counter.give('room', MARY, 'two');
    const session = counter.session();
    counter.spine.liveStates.set(session.id, { state: 'waiting', reason: 'Docker `does` not\nanswer.' });
    const messageId = counter.rows(session)[0]?.id as never;
    counter.spine.questions.open(
      { messageId, sessionId: session.id, chat, threadId: null },
      { title: 'Tea or **coffee**?', question: 'Tea or coffee?', options: ['tea', 'coffee'] },
    );
    await counter.give('room', MARY, '/status');
    expect(counter.answers()).toEqual([
      '- **main**: waiting (Docker does not answer.); 2 messages in its queue\n\n1 question waits for an answer here:\n- “Tea or ·coffee·?”',
    ]);
  });

  it('answers where the session is set aside and its inbox is gone', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', MARY, 'one');
    const session = counter.session();
    counter.spine.liveStates.set(session.id, { state: 'quarantined', reason: 'its folders hold too much' });
    await counter.give('room', MARY, '/status');
    expect(counter.answers().at(-1)).toBe(
      '- **main**: set aside (its folders hold too much); an admin can release it; 1 message in its queue',
    );
  });

  it('counts in a group the approvals that one may decide, and lists them alone', async () => {
    const counter = new Counter();
    counter.room();
    counter.room(`dm-${ADAM}`);
    await counter.alone(ADAM, 'hello');
    const room = counter.room('gate', { engageMode: 'mention' });
    counter.spine.chats.update(room.id, 1, { unknownSenderPolicy: 'request_approval' });
    await counter.give('gate', 'test:new' as never, 'let me in', { isMention: true });
    await counter.give('room', ADAM, '/status');
    expect(counter.answers().at(-1)).toContain('1 approval waits for your decision. Write /approvals to me');
    await counter.give('room', MARY, '/status');
    expect(counter.answers().at(-1)).not.toContain('approval');
    await counter.give('room', ADAM, '/approvals');
    expect(counter.answers().at(-1)).toContain('in a private chat');
    await counter.alone(ADAM, '/approvals');
    const listed = counter.answers(`dm-${ADAM}`).at(-1) ?? '';
    const code = /`([0-9A-Z]{4})`/.exec(listed)?.[1] ?? '';
    expect(listed).toContain('1 approval waits for your decision');
    await counter.give('room', MARY, `/approve ${code}`);
    expect(counter.spine.approvals.list(1, null, 'pending')).toHaveLength(1);
    await counter.give('room', ADAM, `/approve ${code} Let in because I know them`);
    expect(counter.spine.approvals.list(1, null, 'pending')).toEqual([]);
    await until('they are let in', () => counter.spine.users.isKnown('test:new' as never, counter.agent.id));
  });
});

describe('/approvals', () => {
  it('shows what approving does whole or not at all, and no request pushes another out of sight', async () => {
    const counter = new Counter();
    counter.room(`dm-${ADAM}`);
    await counter.alone(ADAM, 'hello');
    const session = counter.session(`dm-${ADAM}`);
    const ask = (number: number, args: string[]) =>
      counter.spine.approvals.requestApproval({
        action: 'add_mcp_server',
        payload: { agentGroupId: counter.agent.id, server: { name: `s${number}`, command: 'node', args, env: {} } },
        requester: { kind: 'agent', sessionId: session.id, messageId: makeId('message'), origin: null },
        agentGroupId: counter.agent.id,
        subjectKey: `server ${number}`,
        title: `Add the MCP server s${number}?`,
        question: 'It has 1 session.',
      });
    for (let number = 0; number < 9; number++) ask(number, number % 3 === 0 ? [] : ['a'.repeat(900), 'rm']);
    await counter.alone(ADAM, '/approvals');
    const listed = counter.answers(`dm-${ADAM}`).at(-1) ?? '';
    for (let number = 0; number < 9; number++) {
      const line = listed.split('\n').find((one) => one.includes(`server s${number}?`)) ?? '';
      expect(line).toContain('(Approve, Reject)');
      expect(line).toContain(number % 3 === 0 ? 'which runs: `node`' : 'its card shows it');
      expect(line).not.toContain('aaaa');
    }
  });
});

describe('/agents and /config', () => {
  it('show what one may see, and answer an agent of others like one that there is not', async () => {
    const counter = new Counter();
    counter.spine.addAgent('secret');
    counter.room(`dm-${ADAM}`);
    await counter.alone(ADAM, '/agents');
    const last = () => counter.answers(`dm-${ADAM}`).at(-1) ?? '';
    expect(last()).toBe('- **main**: listens here, you administer it');
    await counter.alone(ADAM, '/config secret');
    expect(last()).toContain('You administer no agent called “secret”.');
    await counter.alone(ADAM, '/config nothing');
    expect(last()).toContain('You administer no agent called “nothing”.');
    await counter.alone(ADAM, '/config');
    expect(last()).toMatch(/^\*\*main\*\*, revision 1 of its config:\n\n- provider: `/);
  });
});

describe('people', () => {
  it('are given roles, lose them, and are listed, by whoever may', async () => {
    const counter = new Counter();
    counter.room(`dm-${OLGA}`);
    await counter.alone(OLGA, '/grant test:mary admin main');
    expect(counter.spine.users.rolesOf(MARY)).toEqual([{ role: 'admin', agentGroupId: counter.agent.id }]);
    expect(counter.ledger('role.granted')).toMatchObject([{ actor: OLGA }]);
    await counter.alone(OLGA, '/members main');
    expect(counter.answers(`dm-${OLGA}`).at(-1)).toContain('Mary');
    await counter.alone(OLGA, '/revoke test:mary admin main');
    expect(counter.spine.users.rolesOf(MARY)).toEqual([]);
  });

  it('hear in a group who they are there, and not who they are elsewhere', async () => {
    const counter = new Counter();
    counter.room();
    counter.room(`dm-${MARY}`);
    counter.spine.users.ensure('other:mary' as never, 'Mary', 1);
    counter.spine.db.exec(`UPDATE users SET person_id = 'per_mary' WHERE id IN ('test:mary', 'other:mary')`);
    await counter.give('room', MARY, '/whoami');
    expect(counter.answers().at(-1)).toContain('test:mary');
    expect(counter.answers().at(-1)).not.toContain('other:mary');
    await counter.alone(MARY, '/whoami');
    expect(counter.answers(`dm-${MARY}`).at(-1)).toContain('other:mary');
  });

  it('a role that is not theirs to give is refused and recorded', async () => {
    const counter = new Counter();
    counter.room(`dm-${ADAM}`);
    await counter.alone(ADAM, '/grant test:adam owner');
    expect(counter.spine.users.isOwner(ADAM)).toBe(false);
    expect(counter.ledger('command.refused')).toMatchObject([{ actor: ADAM, detail: { command: 'grant' } }]);
  });

  it('a change and its answer are one commit: when the answer cannot be kept, nothing was changed', async () => {
    const counter = new Counter();
    counter.room(`dm-${OLGA}`);
    await counter.alone(OLGA, '/whoami');
    counter.spine.transcript.flush();
    counter.spine.db.exec(`CREATE TEMP TRIGGER full BEFORE INSERT ON messages BEGIN SELECT raise(ABORT, 'full'); END`);
    await expect(counter.alone(OLGA, '/grant test:mary admin main', { clientId: 'g1' })).rejects.toThrow('full');
    expect(counter.spine.users.rolesOf(MARY)).toEqual([]);
    expect(counter.ledger('role.granted')).toEqual([]);
    counter.spine.db.exec('DROP TRIGGER full');
    await counter.alone(OLGA, '/grant test:mary admin main', { clientId: 'g1' });
    expect(counter.ledger('role.granted')).toHaveLength(1);
    expect(counter.answers(`dm-${OLGA}`)).toHaveLength(2);
    expect(counter.spine.ledger.findBreak()).toBeNull();
  });

  it('the first owner claims from a chat that the host does not know, and nothing else is made there', async () => {
    const counter = new Counter();
    counter.spine.users.ensure('web:owner' as never, 'Owner', 1);
    counter.spine.users.grant('web:owner' as never, 'owner', null, null, 1);
    const { token } = counter.spine.logins.create('link', 'web:owner' as never, Date.now());
    const me = 'test:new-owner' as never;
    const wrong = await counter.give('fresh', me, '/claim not-the-right-code-at-all', { isPrivate: true });
    expect(wrong).toMatchObject({ tell: expect.any(String) });
    expect(counter.spine.users.isOwner(me)).toBe(false);
    const outcome = await counter.give('fresh', me, `/claim ${token}`, { isPrivate: true });
    expect(outcome).toMatchObject({ kind: 'answered', tell: expect.any(String) });
    expect(counter.spine.users.isOwner(me)).toBe(true);
    expect(counter.countRows('messaging_groups')).toBe(0);
    expect(counter.countRows('messages')).toBe(0);
  });
});

describe('a host that dies between what a command does and its answer', () => {
  /** Dies there once; the next host is told the same again, as a platform does that heard no "ok". */
  async function dieThenTellAgain(counter: Counter, text: string): Promise<void> {
    onTestFinished(() => installFailpointHook(null));
    let isDead = false;
    installFailpointHook((name) => {
      if (name !== 'commands.done' || isDead) return;
      isDead = true;
      throw new Error('the host died');
    });
    const receivedAt = Date.now() + 1;
    const tell = () => counter.give('room', ADAM, text, { clientId: 'again', receivedAt });
    await expect(tell()).rejects.toThrow('the host died');
    expect(isDead).toBe(true);
    counter.nextHost();
    await tell();
    await tell();
  }

  it('decides an approval once, and answers once', async () => {
    const counter = new Counter();
    counter.room();
    const gate = counter.room('gate', { engageMode: 'mention' });
    counter.spine.chats.update(gate.id, 1, { unknownSenderPolicy: 'request_approval' });
    await counter.give('gate', 'test:new' as never, 'let me in', { isMention: true });
    const [pending] = counter.spine.approvals.list(1, null, 'pending');
    await dieThenTellAgain(counter, `/approve ${pending?.code}`);
    expect(counter.ledger('approval.approved')).toHaveLength(1);
    expect(counter.answers()).toHaveLength(1);
  });

  it('clears once', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, 'hi');
    await dieThenTellAgain(counter, '/clear');
    expect(counter.rows(counter.session()).map(({ command }) => command)).toEqual([undefined, 'clear']);
    expect(counter.messages().filter(({ text }) => text === '/clear')).toHaveLength(1);
  });

  it('stops what it was to stop, and answers once', async () => {
    const counter = new Counter();
    counter.room();
    await counter.give('room', ADAM, 'hi');
    await dieThenTellAgain(counter, '/stop');
    expect(counter.rows(counter.session())).toEqual([]);
    expect(counter.answers()).toHaveLength(1);
  });
});
