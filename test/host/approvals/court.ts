/** A host with an agent that asks, and people who may decide, each with a chat of their own. */
import type { ActionRules, ApprovalRequest, Decision } from '../../../host/approvals/approval.ts';
import type { AnswerOutcome } from '../../../host/questions/apply.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import type { Approval } from '../../../host/store/approvals.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import type { Session } from '../../../host/store/sessions.ts';
import { type ApprovalId, type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

export const ADA = 'test:ada' as UserId;
export const BEN = 'test:ben' as UserId;
export const CLEO = 'test:cleo' as UserId;

export class Court {
  readonly spine = new Spine();
  readonly channel = this.spine.addChannel('test');
  readonly agent: AgentGroup = this.spine.addAgent();
  /** What was carried out, in order. */
  readonly done: { id: ApprovalId; decision: Decision }[] = [];
  /** What approving would do today. */
  lines = ['adds the apt packages cowsay', 'restarts 1 session'];
  /** Why it is not possible, when it is not. */
  impossible: string | null = null;
  /** What carrying out gives beside its words. */
  more: { isForFresh?: boolean; after?: () => void } = {};
  room!: MessagingGroup;
  session!: Session;
  messageId!: MessageId;

  async open(): Promise<this> {
    this.spine.approvalRules.install_packages = this.rules;
    this.spine.approvalRules.request_rebuild = this.rules;
    this.room = this.spine.addChat(this.agent, 'test', 'room');
    const { session, messageId } = await this.spine.say(this.room, 'hello');
    this.session = session;
    this.messageId = messageId;
    return this;
  }

  readonly rules: ActionRules = {
    describe: () =>
      this.impossible === null ? { kind: 'possible', lines: this.lines } : { kind: 'impossible', why: this.impossible },
    carryOut: async ({ id }, decision) => {
      this.done.push({ id, decision });
      if (decision.kind !== 'approved') return { outcome: 'Nothing was changed.' };
      return { outcome: 'Installed: cowsay.', ...this.more };
    },
  };

  /** A person with a role, and their own chat. */
  addAdmin(id: UserId, of: AgentGroup['id'] | null = null, role: 'owner' | 'admin' = 'admin'): MessagingGroup {
    const { spine } = this;
    const name = id.slice(5, 6).toUpperCase() + id.slice(6);
    spine.users.ensure(id, name, 0);
    spine.users.grant(id, role, of, null, spine.now());
    const chat = spine.addChat(this.agent, 'test', `own-${id}`);
    spine.users.notePrivateChat(id, 'test', chat.id);
    return chat;
  }

  revoke(id: UserId): void {
    this.spine.db.prepare('DELETE FROM user_roles WHERE user_id = ?').run(id);
  }

  link(one: UserId, other: UserId): void {
    this.spine.db.prepare(`UPDATE users SET person_id = 'per_1' WHERE id IN (?, ?)`).run(one, other);
  }

  setPolicy(policy: { quorum?: number; expires?: number; askNext?: number }): void {
    const { quorum = 1, expires = null, askNext = null } = policy;
    this.spine.db
      .prepare(`INSERT OR REPLACE INTO approval_policies VALUES ('install_packages', ?, ?, ?, 1)`)
      .run(quorum, expires, askNext);
  }

  makeRequest(more: Partial<ApprovalRequest> = {}): ApprovalRequest {
    return {
      action: 'install_packages',
      payload: { apt: ['cowsay'], npm: [] },
      subjectKey: 'packages',
      agentGroupId: this.agent.id,
      requester: {
        ...{ kind: 'agent', sessionId: this.session.id, messageId: makeId('message') },
        origin: { channelType: 'test', platformId: 'room', threadId: null },
      },
      title: 'main asks for packages',
      question: 'It has 1 session.',
      reason: 'to draw cows',
      ...more,
    };
  }

  ask(more: Partial<ApprovalRequest> = {}): Approval {
    const requested = this.spine.approvals.requestApproval(this.makeRequest(more));
    if (requested.kind === 'refused') throw new Error(requested.why);
    return this.get(requested.id);
  }

  get(id: ApprovalId): Approval {
    const approval = this.spine.approvals.get(id);
    if (approval === null) throw new Error('no such approval');
    return approval;
  }

  pending(): Approval[] {
    return this.spine.approvals.list(100, null, 'pending');
  }

  decide({ id }: Approval, by: UserId, choice = 'Approve', note: string | null = null): AnswerOutcome {
    return this.spine.approvals.decide(id, { choice, by, from: null, note });
  }

  /** Who has an open card, by the names of their chats. */
  asked({ id }: Approval): string[] {
    return this.spine.questionRows
      .listCards(id)
      .filter(({ state }) => state === 'pending')
      .map((card) => this.spine.chats.get(card.messagingGroupId)?.platformId.slice('own-test:'.length) ?? '')
      .toSorted();
  }

  /** What a chat shows of a card now. */
  card({ id }: Approval, of: UserId): string {
    const card = this.spine.questionRows
      .listCards(id)
      .find((one) => this.spine.chats.get(one.messagingGroupId)?.platformId === `own-${of}`);
    return card === undefined ? '' : (this.spine.transcript.get(card.messageId)?.text ?? '');
  }

  cardShows(approval: Approval, of: UserId, words: string): Promise<unknown> {
    return until(`the card says “${words}”`, () => this.card(approval, of).includes(words));
  }

  over(approval: Approval): Promise<Approval> {
    return until('it is over', () => {
      const now = this.get(approval.id);
      return now.outcome !== null && now.state !== 'pending' && now;
    });
  }

  /** What the agent was told, oldest first. */
  told(session = this.session): { event: string; text: string; trigger: boolean }[] {
    return this.spine.inboxes
      .read(session, (tables) => tables.listOpen(500))
      .filter((row) => row.kind === 'system')
      .map((row) => ({ ...JSON.parse(row.content), trigger: row.trigger }));
  }

  tells(event: string, session = this.session): Promise<{ event: string; text: string; trigger: boolean }> {
    return until(`the agent is told ${event}`, () => this.told(session).find((one) => one.event === event));
  }

  events({ id }: Approval): string[] {
    return this.spine.ledger.listAbout(id, 100).map(({ kind }) => kind.slice('approval.'.length));
  }

  /** This host's approvals end here. */
  stop(): void {
    void this.spine.approvals[Symbol.asyncDispose]();
    void this.spine.questions[Symbol.asyncDispose]();
  }

  /** The next host's take up what is left. */
  async start(): Promise<void> {
    this.spine.questions = this.spine.makeQuestions();
    this.spine.approvals = this.spine.makeApprovals();
    this.spine.questions.start();
    await this.spine.approvals.start();
  }
}

export function openCourt(): Promise<Court> {
  return new Court().open();
}
