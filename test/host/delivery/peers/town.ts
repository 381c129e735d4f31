/** Agents that know each other, with chats of their own, and containers that the test writes by hand. */
import { retellSession } from '../../../../host/sessions/retell.ts';
import type { AgentGroup } from '../../../../host/store/agents.ts';
import type { MessagingGroup } from '../../../../host/store/chats.ts';
import type { PeerPause } from '../../../../host/store/peers.ts';
import type { Session } from '../../../../host/store/sessions.ts';
import type { TranscriptMessage } from '../../../../host/store/transcript.ts';
import type { MessageId, UserId } from '../../../../shared/ids.ts';
import type { OutRow, ScriptedContainer } from '../../../support/scripted-container.ts';
import { Spine } from '../../../support/spine.ts';
import { until } from '../../../support/until.ts';

const OWNER = 'test:owner' as UserId;

export interface Conversation {
  session: Session;
  container: ScriptedContainer;
  /** The person's message that began it. */
  messageId: MessageId;
}

export class Town {
  readonly spine = new Spine();
  readonly channel = this.spine.addChannel('test');
  readonly #agents = new Map<string, AgentGroup>();
  readonly #containers = new Map<string, ScriptedContainer>();

  /** Each knows each other under its name. */
  constructor(...names: string[]) {
    for (const name of names) this.#agents.set(name, this.spine.addAgent(name));
    this.spine.users.ensure(OWNER, 'Olga', this.spine.now());
    this.spine.users.grant(OWNER, 'owner', null, null, this.spine.now());
    for (const from of names) for (const to of names) if (from !== to) this.acquaint(from, to);
  }

  acquaint(from: string, to: string): void {
    this.spine.destinations.add({
      agentGroupId: this.agent(from).id,
      localName: to,
      targetType: 'agent',
      targetId: this.agent(to).id,
      now: this.spine.now(),
    });
  }

  part(from: string, to: string): void {
    const row = this.spine.destinations.find(this.agent(from).id, to);
    if (row === null || !this.spine.destinations.remove(row.id, row.revision)) throw new Error('nothing to remove');
  }

  agent(name: string): AgentGroup {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  }

  /** A person writes to an agent in a chat of its own, named after both. */
  async talk(agent: string, place: string): Promise<Conversation> {
    const chat: MessagingGroup = this.spine.addChat(this.agent(agent), 'test', place);
    const { session, messageId } = await this.spine.say(chat, `hello from ${place}`);
    return { session, messageId, container: this.container(session) };
  }

  container(session: Session): ScriptedContainer {
    const known = this.#containers.get(session.id) ?? this.spine.container(this.spine.paths(session));
    this.#containers.set(session.id, known);
    return known;
  }

  /** A row to another agent, routed as an honest runner does. */
  rowTo(name: string, text: string, more: OutRow = {}): OutRow {
    return {
      destination: name,
      channelType: 'agent',
      platformId: more.platformId ?? this.agent(name).id,
      content: { text },
      ...more,
    };
  }

  /** Writes a row to another agent and rings; returns its id. */
  send(session: Session, name: string, text: string, more: OutRow = {}): MessageId {
    const id = this.container(session).send(this.rowTo(name, text, more)) as MessageId;
    this.spine.delivery.ring(session.id);
    return id;
  }

  /** The copy of a message, in whatever session it came to. */
  copies(text: string): TranscriptMessage[] {
    return [...this.#agents.values()]
      .flatMap((agent) => this.spine.sessions.listForAgent(agent.id))
      .flatMap((session) => this.spine.transcript.listForSession(session, { limit: 200 }))
      .filter((message) => message.direction === 'in' && message.text === text);
  }

  async copy(text: string): Promise<TranscriptMessage & { session: Session }> {
    const copy = await until(`a copy of "${text}"`, () => {
      const [first] = this.copies(text);
      return first !== undefined && this.row(first) !== null ? first : null;
    });
    return { ...copy, session: this.spine.session(copy.sessionId) };
  }

  /** The row in the inbox, null when there is none. */
  row(copy: Pick<TranscriptMessage, 'id' | 'sessionId'>) {
    const session = this.spine.session(copy.sessionId);
    return this.spine.inboxes.read(session, (tables) => tables.getLink(copy.id));
  }

  /** Rows of the host to the agent, by event. */
  told(session: Session, event: string): string[] {
    return this.spine.inboxes
      .read(session, (tables) => tables.listOpen(500))
      .filter((row) => row.kind === 'system')
      .map((row) => JSON.parse(row.content))
      .filter((content) => content.event === event)
      .map((content) => content.text);
  }

  state(id: MessageId) {
    const message = this.spine.transcript.get(id);
    return message === null ? null : { state: message.state, reason: message.stateReason };
  }

  async ended(id: MessageId, state: string): Promise<void> {
    await until(`${id} is ${state}`, () => this.state(id)?.state === state);
  }

  pause(one: string, other: string): PeerPause | null {
    return this.spine.peerStore.latestPause(this.agent(one).id, this.agent(other).id);
  }

  /** An admin chooses an option of the card. */
  async decide(choice: 'Resume' | 'Stop'): Promise<void> {
    const [approval] = this.spine.approvals.list(10, null, 'pending');
    if (approval === undefined) throw new Error('no admin was asked');
    const outcome = this.spine.approvals.decide(approval.id, { by: OWNER, choice, from: null });
    if (outcome.kind === 'refused') throw new Error(outcome.words);
    await until('it is carried out', () => this.spine.approvals.get(approval.id)?.outcome != null);
  }

  /** What admins are asked now. */
  questions(): string[] {
    return this.spine.approvals.list(10, null, 'pending').map(({ question }) => question);
  }

  /** A host that begins anew on the same files. */
  async restart(): Promise<void> {
    await this.spine.delivery[Symbol.asyncDispose]();
    void this.spine.peers[Symbol.asyncDispose]();
    this.spine.peers = this.spine.makePeers();
    this.spine.delivery = this.spine.makeDelivery();
    this.spine.peers.start();
    const { sessions, inboxes, transcript, chats } = this.spine;
    for (const id of sessions.listOpenIds()) {
      retellSession(this.spine.session(id), inboxes, transcript, chats);
      this.spine.delivery.ring(id);
    }
  }
}
