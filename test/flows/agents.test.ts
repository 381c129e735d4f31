/**
 * A desk asks a researcher, who asks a writer; files travel, and each answer comes back to the conversation that
 * asked, while an admin renames and takes away destinations. With real containers and the real API.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentGroup } from '../../host/store/agents.ts';
import type { Session } from '../../host/store/sessions.ts';
import type { TranscriptMessage } from '../../host/store/transcript.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { FlowHost, type Reply } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

/** Three cold containers, one after the other, on a machine that does other things. */
const CHAIN_MS = 60_000;

class Office {
  readonly flow = new FlowHost();
  readonly #agents = new Map<string, AgentGroup>();

  async open(): Promise<this> {
    await this.flow.startForTest();
    const { stores } = this.flow.host;
    for (const name of ['desk', 'researcher', 'writer']) {
      this.#agents.set(name, stores.agents.create({ name, folder: name, provider: 'demo', now: Date.now() }));
    }
    this.flow.wire(this.agent('desk'), 'family');
    this.flow.wire(this.agent('desk'), 'work');
    this.flow.wire(this.agent('desk'), 'board');
    for (const [from, to] of [
      ['desk', 'researcher'],
      ['researcher', 'desk'],
      ['researcher', 'writer'],
      ['writer', 'researcher'],
    ] as const) {
      await this.acquaint(from, to);
    }
    return this;
  }

  agent(name: string): AgentGroup {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  }

  /** As an admin does: over the API of the running host. */
  async #call(method: string, path: string, body: unknown, revision: number | null): Promise<void> {
    const { port, paths } = this.flow.host;
    const token = readFileSync(paths.apiToken, 'utf8').trim();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(revision === null ? {} : { 'if-match': `"${revision}"` }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      body: body === null ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }

  async acquaint(from: string, to: string): Promise<void> {
    const body = { name: to, type: 'agent', targetId: this.agent(to).id };
    await this.#call('POST', `/agents/${this.agent(from).id}/destinations`, body, null);
  }

  async rename(from: string, name: string, newName: string): Promise<void> {
    const row = this.#destination(from, name);
    await this.#call('PATCH', `/destinations/${row.id}`, { name: newName }, row.revision);
  }

  async revoke(from: string, name: string): Promise<void> {
    const row = this.#destination(from, name);
    await this.#call('DELETE', `/destinations/${row.id}`, null, row.revision);
  }

  #destination(from: string, name: string) {
    const row = this.flow.host.stores.destinations.find(this.agent(from).id, name);
    if (row === null) throw new Error(`${from} has no ${name}`);
    return row;
  }

  sessions(name: string): Session[] {
    return this.flow.host.stores.sessions.listForAgent(this.agent(name).id);
  }

  messages(session: Session): TranscriptMessage[] {
    return this.flow.host.stores.transcript.listForSession(session, { limit: 200 });
  }

  /** What an agent got, in whichever of its sessions. */
  async heard(name: string, text: string): Promise<TranscriptMessage> {
    return until(
      `${name} hears "${text}"`,
      () =>
        this.sessions(name)
          .flatMap((session) => this.messages(session))
          .find((message) => message.direction === 'in' && message.text.includes(text)),
      CHAIN_MS,
    );
  }

  /** The next reply in a chat that has what is looked for. */
  async reply(platformId: string, what: string, matches: (reply: Reply) => boolean): Promise<Reply> {
    return until(`${what} in ${platformId}`, () => this.flow.seen(platformId).find(matches), CHAIN_MS);
  }
}

test('answers and files come back to the exact conversation that asked, through two agents, with names and a route that change under way', async () => {
  const office = await new Office().open();
  const { flow } = office;
  const board = await flow.say('board', 'ask researcher whoami');
  // The researcher's container still starts: the answer for the board comes when its route is gone.
  await office.heard('researcher', 'whoami');
  await office.revoke('desk', 'board');
  const family = await flow.say('family', 'ask researcher ask writer send a file');
  const work = await flow.say('work', 'ask researcher whoami');
  expect(new Set([board.id, family.id, work.id]).size).toBe(3);
  // The writer is about to work: what it answers finds its way under names that are gone meanwhile.
  const asked = await office.heard('writer', 'send a file');
  await office.rename('researcher', 'desk', 'front-office');
  await office.rename('writer', 'researcher', 'library');
  const file = await office.reply('family', 'a file', (reply) => reply.files.length > 0);
  expect(file.files).toEqual(['hello-from-writer.md']);
  const whoami = await office.reply('work', 'an answer', (reply) => reply.text.includes('answers'));
  expect(whoami.text).toContain('researcher');
  // Nothing of one conversation in the other.
  expect(flow.seen('work').every((reply) => reply.files.length === 0)).toBe(true);
  expect(flow.seen('family').filter((reply) => reply.text.includes('answers'))).toHaveLength(1);
  expect(flow.seen('work').filter((reply) => reply.text.includes('answers'))).toHaveLength(1);
  // The desk got the answer for the board and has done with it; nobody sees it.
  await until(
    'the answer for the board is done',
    () => {
      const answer = office.messages(board).find((each) => each.direction === 'in' && each.authorName === 'researcher');
      return answer?.state === 'answered';
    },
    CHAIN_MS,
  );
  expect(flow.seen('board').some((reply) => reply.text.includes('answers'))).toBe(false);
  // One session of each agent that has no chat, and no session of an agent for another.
  expect(office.sessions('researcher')).toHaveLength(1);
  expect(office.sessions('writer')).toHaveLength(1);
  expect(
    office
      .sessions('desk')
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual([board.id, family.id, work.id].toSorted());
  // The writer's file lies in the inbox of each that it passed, byte for byte.
  for (const name of ['researcher', 'desk']) {
    const copy = office
      .sessions(name)
      .flatMap((session) => office.messages(session))
      .find((message) => message.direction === 'in' && message.attachments.length > 0);
    if (copy === undefined) throw new Error(`${name} got no file`);
    const folder = sessionPaths(flow.home, office.agent(name).id, copy.sessionId).inFiles;
    const content = readFileSync(join(folder, copy.id, 'hello-from-writer.md'), 'utf8');
    expect(content).toContain('# Hello from writer');
    expect(Buffer.byteLength(content)).toBe(copy.attachments[0]?.sizeBytes);
  }
  // Everybody who wrote to an agent sees what became of it.
  await until('the question to the writer is answered', () => {
    const [researcher] = office.sessions('researcher');
    const question = researcher && office.messages(researcher).find((each) => each.platformMessageId === asked.id);
    return question?.state === 'answered';
  });
  expect(flow.host.stores.ledger.findBreak()).toBeNull();
}, 150_000);

test('a route taken away under way holds for the very next send of a running container; given back, it works again', async () => {
  const office = await new Office().open();
  const { flow } = office;
  const family = await flow.say('family', 'ask researcher ask writer whoami');
  const asked = await office.heard('writer', 'whoami');
  // The researcher's container runs; its answer to the desk comes only after the writer's.
  await office.revoke('researcher', 'desk');
  await until(
    'the writer has answered',
    () => flow.host.stores.transcript.get(asked.id)?.state === 'answered',
    CHAIN_MS,
  );
  const [researcher] = office.sessions('researcher');
  if (researcher === undefined) throw new Error('no researcher');
  const answer = await until('the researcher has done with it', () => {
    return office.messages(researcher).find((each) => each.direction === 'in' && each.authorName === 'writer');
  });
  await until('the answer is done', () => flow.host.stores.transcript.get(answer.id)?.state === 'answered', CHAIN_MS);
  const toDesk = (session: Session) =>
    office.messages(session).filter((each) => each.direction === 'in' && each.authorName === 'researcher');
  expect(toDesk(family)).toEqual([]);
  expect(flow.seen('family').some((reply) => reply.text.includes('answers'))).toBe(false);
  await office.acquaint('researcher', 'desk');
  await flow.say('family', 'ask researcher whoami');
  const reply = await office.reply('family', 'an answer', ({ text }) => text.includes('answers'));
  expect(reply.text).toContain('researcher');
  expect(toDesk(family)).toHaveLength(1);
}, 150_000);
