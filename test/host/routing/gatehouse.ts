/** A host with an owner who can be asked in a chat of their own, and a room where strangers write. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InboundEvent } from '../../../host/routing/inbound.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import type { Approval } from '../../../host/store/approvals.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import { HeldStore } from '../../../host/store/held.ts';
import type { WiringSettings } from '../../../host/store/wirings.ts';
import type { UserId } from '../../../shared/ids.ts';
import type { FakeChannel } from '../../support/fake-channel.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

export const OWNER = 'test:olga' as UserId;
export const STRANGER = 'test:sam' as UserId;
const OWNER_CHAT = 'olga';

export class Gatehouse {
  readonly spine = new Spine();
  readonly channel: FakeChannel = this.spine.addChannel('test');
  readonly agent: AgentGroup = this.spine.addAgent('main');
  ownerChat!: MessagingGroup;

  async open(): Promise<this> {
    const { users } = this.spine;
    users.ensure(OWNER, 'Olga', 1);
    users.grant(OWNER, 'owner', null, null, 1);
    this.ownerChat = this.spine.addChat(this.agent, 'test', OWNER_CHAT);
    await this.spine.say(this.ownerChat, 'hello', { senderId: OWNER, senderName: 'Olga', isPrivate: true });
    return this;
  }

  /** A group where strangers have to be let in. */
  addRoom(platformId = 'room', wiring: Partial<WiringSettings> = {}, agent = this.agent): MessagingGroup {
    const { chats } = this.spine;
    chats.ensure({
      channelType: 'test',
      platformId,
      name: platformId,
      isGroup: true,
      unknownSenderPolicy: 'request_approval',
      now: 1,
    });
    return this.spine.addChat(agent, 'test', platformId, { engageMode: 'mention', senderScope: 'known', ...wiring });
  }

  event(platformId: string, text: string, more: Partial<InboundEvent> = {}): InboundEvent {
    const place = { ...this.ownerChat, platformId };
    return this.spine.event(place, text, { senderId: STRANGER, senderName: 'Sam', isMention: true, ...more });
  }

  receive(platformId: string, text: string, more: Partial<InboundEvent> = {}) {
    return this.spine.router.receive(this.event(platformId, text, more));
  }

  file(name: string, content: string): InboundEvent['files'][number] {
    const path = join(this.spine.home.uploads, `staged-${name}`);
    writeFileSync(path, content);
    return { name, contentType: 'text/plain', sizeBytes: Buffer.byteLength(content), path };
  }

  pending(): Approval[] {
    return this.spine.approvals.list(100, null, 'pending');
  }

  /** The texts in the owner's chat that ask something. */
  cards(): string[] {
    return this.channel.visible
      .filter(({ address, text }) => address.platformId === OWNER_CHAT && text.includes('\n\nAnswer with the number'))
      .map(({ text }) => text);
  }

  async card(count = 1): Promise<string> {
    return until(`card ${count}`, () => this.cards()[count - 1]);
  }

  /** The owner writes the option's text and the card's mark in their chat, and what follows is done. */
  async decide(option: string): Promise<Approval> {
    const [approval] = this.pending();
    if (approval === undefined) throw new Error('nothing is asked');
    await this.card();
    const mark = approval.code;
    await this.receive(OWNER_CHAT, `${option} ${mark}`, { senderId: OWNER, senderName: 'Olga', isPrivate: true });
    return this.done(approval);
  }

  done(approval: Approval): Promise<Approval> {
    return until('the decision is carried out', () => {
      const now = this.spine.approvals.get(approval.id);
      return now !== null && now.outcome !== null && now;
    });
  }

  /** What the agent has before it in this chat, oldest first. */
  heard(platformId: string, agent = this.agent): string[] {
    const { spine } = this;
    const chat = spine.chats.find('test', platformId);
    const session =
      chat === null ? null : spine.sessions.find({ agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null });
    if (session === null) return [];
    return spine.inboxes
      .read(session, (tables) => tables.listOpen(200))
      .map((row) => String(JSON.parse(row.content).text));
  }

  hears(platformId: string, count: number, agent = this.agent): Promise<string[]> {
    return until(`${count} messages`, () => {
      const texts = this.heard(platformId, agent);
      return texts.length >= count && texts;
    });
  }

  /** Resolves when nothing is held. */
  async emptied(): Promise<void> {
    await until('nothing waits', () => this.spine.held.total.count === 0);
  }

  dropped(): { senderId: string; reason: string; count: number }[] {
    return this.spine.dropped.list(1_000).map(({ senderId, reason, count }) => ({ senderId, reason, count }));
  }

  /** This host ends here, and the next one takes up what is left. */
  async restart(): Promise<void> {
    await this.spine.router[Symbol.asyncDispose]();
    void this.spine.approvals[Symbol.asyncDispose]();
    this.spine.approvals = this.spine.makeApprovals();
    this.spine.held = new HeldStore(this.spine.db);
    this.spine.router = this.spine.makeRouter();
    await this.spine.approvals.start();
    await this.spine.router.start();
  }
}

export function openGatehouse(): Promise<Gatehouse> {
  return new Gatehouse().open();
}
