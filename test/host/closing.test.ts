/**
 * A part that is closed in the middle of something: it waits until that is written, so that what is closed after it,
 * the inboxes and the database, is not missed. What holds the work up is a container's lock on its session's database.
 */
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import type { ApprovalRequest } from '../../host/approvals/approval.ts';
import { installFailpointHook } from '../../host/observe/failpoint.ts';
import { makeId, type UserId } from '../../shared/ids.ts';
import { Spine } from '../support/spine.ts';

const ADA = 'test:ada' as UserId;

async function setUp() {
  const spine = new Spine();
  spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const said = await spine.say(chat, 'hello');
  spine.users.ensure(ADA, 'Ada', spine.now());
  spine.users.grant(ADA, 'owner', null, null, spine.now());
  const container = new Database(said.paths.inboundDb, { readonly: true });
  onTestFinished(() => void container.close());
  const rows = () => container.prepare<[], number>('SELECT count(*) FROM messages_in').pluck().get() ?? 0;
  let isHeld = false;
  let noteHeldUp: () => void = () => undefined;
  /** Resolves when something meets the lock. */
  const heldUp = new Promise<void>((resolve) => {
    noteHeldUp = resolve;
  });
  const hold = () => {
    container.exec('BEGIN; SELECT 1 FROM messages_in');
    isHeld = true;
  };
  /** Takes the lock at a step of the host's, in place of now. */
  let holdAt: string | null = null;
  installFailpointHook((name) => {
    if (name === holdAt) hold();
    if (name === 'inbox.begin' && isHeld) noteHeldUp();
  });
  onTestFinished(() => installFailpointHook(null));
  return {
    ...{ spine, agent, chat, ...said, rows, hold, heldUp },
    holdAt: (name: string) => {
      holdAt = name;
    },
    letGo: () => void container.exec('COMMIT'),
  };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Asks an admin, who approves. */
function decide({ spine, agent }: World, requester: ApprovalRequest['requester']): void {
  const requested = spine.approvals.requestApproval({
    ...{ action: 'admit_sender', payload: {}, subjectKey: 'zoe', agentGroupId: agent.id, requester },
    ...{ title: 'Let Zoe in?', question: 'Zoe wrote.', options: ['Yes', 'No'], approving: ['Yes'] },
  });
  if (requested.kind === 'refused') throw new Error(requested.why);
  expect(spine.approvals.decide(requested.id, { choice: 'Yes', by: ADA, from: null })).toMatchObject({
    kind: 'accepted',
  });
}

/** Puts a row before the agent, as parts of the host do. */
async function append({ spine, session }: World): Promise<void> {
  await spine.inboxes.commit(session, (tables) =>
    tables.append([
      {
        ...{ id: makeId('message'), kind: 'system', timestamp: 1, processAfter: null, trigger: true, onWake: false },
        ...{ channelType: null, platformId: null, threadId: null, senderId: null, sourceSessionId: null },
        ...{ inReplyTo: null, hop: 0, traceId: makeId('trace'), content: '{}' },
      },
    ]),
  );
}

/** Each begins what puts one row before the agent, and says which part that is of. */
const CASES: Record<string, (world: World) => AsyncDisposable> = {
  'a message that is received': ({ spine, chat, hold }) => {
    hold();
    void spine.router.receive(spine.event(chat, 'once more'));
    return spine.router;
  },
  'a decision that is carried out': (world) => {
    const { spine, hold } = world;
    spine.approvalRules.admit_sender = {
      describe: () => ({ kind: 'possible', lines: ['lets Zoe in'] }),
      carryOut: async () => {
        await append(world);
        return { outcome: 'done' };
      },
    };
    hold();
    decide(world, { kind: 'host', sessionId: null });
    return spine.approvals;
  },
  'the end of an approval that an agent is told': (world) => {
    const { spine, session, messageId, hold } = world;
    spine.approvalRules.admit_sender = {
      describe: () => ({ kind: 'possible', lines: ['lets Zoe in'] }),
      carryOut: async () => ({ outcome: 'done' }),
    };
    hold();
    decide(world, { kind: 'agent', sessionId: session.id, messageId, origin: null });
    return spine.approvals;
  },
  'an answer that an agent is told': ({ spine, chat, session, hold }) => {
    const id = makeId('message');
    const content = { title: 'Tea?', question: '', options: ['Yes', 'No'] };
    spine.questions.open({ messageId: id, sessionId: session.id, chat, threadId: null }, content);
    hold();
    expect(spine.questions.answer(id, { choice: 'Yes', by: ADA, from: null })).toMatchObject({ kind: 'accepted' });
    return spine.questions;
  },
  'a run of a task': ({ spine, session, messageId, hold }) => {
    const request = { action: 'create_task', prompt: 'tea', at: spine.now() + 60_000, missed: 'once' } as const;
    const origin = { channelType: 'test', platformId: 'room', threadId: null };
    const asked = { session, messageId, traceId: makeId('trace'), request, origin, now: spine.now() };
    expect(spine.desk.answerAll([asked])[0]?.answer).toMatchObject({ kind: 'done' });
    spine.db.prepare('UPDATE tasks SET next_at = ?').run(spine.now() - 1);
    hold();
    spine.schedule.start();
    return spine.schedule;
  },
  'an agent that is made, of which its parent is told': ({ spine, session, messageId, hold }) => {
    const tell = { sessionId: session.id, messageId, traceId: makeId('trace'), origin: null };
    const openWork = { kind: 'make', instructions: null, tell } as const;
    spine.agents.create({ name: 'writer', folder: 'writer', openWork, now: spine.now() });
    hold();
    spine.maker.resume();
    return spine.maker;
  },
  'a pause that agents are told': ({ spine, session, hold }) => {
    const to = { agentGroupId: spine.addAgent('writer').id, sessionId: null };
    const why = { reason: 'rate', question: 'They wrote much. Resume?' } as never;
    spine.peerStore.pause(session, to, why, spine.now(), () => undefined);
    hold();
    spine.peers.start();
    return spine.peers;
  },
  'a refused message of which its agent is told': ({ spine, session, paths, holdAt }) => {
    // When the row itself has been taken in.
    holdAt('delivery.taken');
    spine
      .container(paths)
      .send({ destination: 'nowhere', channelType: 'test', platformId: 'x', content: { text: 'x' } });
    spine.delivery.ring(session.id);
    return spine.delivery;
  },
};

test.each(Object.entries(CASES))('%s is written when its part is closed', async (_what, begin) => {
  const world = await setUp();
  const before = world.rows();
  const part = begin(world);
  await world.heldUp;
  let isClosed = false;
  const closing = part[Symbol.asyncDispose]().then(() => {
    isClosed = true;
  });
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isClosed).toBe(false);
  world.letGo();
  await closing;
  expect(world.rows()).toBe(before + 1);
});
