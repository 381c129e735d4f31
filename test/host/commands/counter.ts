/** A host with an owner, an admin, a member and strangers, a room that all may enter, and a channel each. */
import type { InboundEvent } from '../../../host/routing/inbound.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import type { Session } from '../../../host/store/sessions.ts';
import type { TranscriptMessage } from '../../../host/store/transcript.ts';
import type { WiringSettings } from '../../../host/store/wirings.ts';
import type { UserId } from '../../../shared/ids.ts';
import type { FakeChannel } from '../../support/fake-channel.ts';
import { Spine } from '../../support/spine.ts';

export const OLGA = 'test:olga' as UserId;
export const ADAM = 'test:adam' as UserId;
export const MARY = 'test:mary' as UserId;
export const SAM = 'test:sam' as UserId;

export class Counter {
  readonly spine = new Spine();
  readonly channel: FakeChannel = this.spine.addChannel('test');
  readonly agent: AgentGroup = this.spine.addAgent('main');

  constructor() {
    const { users } = this.spine;
    for (const [id, name] of [
      [OLGA, 'Olga'],
      [ADAM, 'Adam'],
      [MARY, 'Mary'],
    ] as const) {
      users.ensure(id, name, 1);
    }
    users.grant(OLGA, 'owner', null, null, 1);
    users.grant(ADAM, 'admin', this.agent.id, OLGA, 1);
    users.addMember(this.agent.id, MARY, 1);
  }

  /** A group where people are to be known. */
  room(platformId = 'room', wiring: Partial<WiringSettings> = {}, agent = this.agent): MessagingGroup {
    const { chats } = this.spine;
    chats.ensure({ channelType: 'test', platformId, name: platformId, isGroup: true, now: 1 });
    return this.spine.addChat(agent, 'test', platformId, { senderScope: 'known', ...wiring });
  }

  event(platformId: string, senderId: UserId, text: string, more: Partial<InboundEvent> = {}): InboundEvent {
    const place = { channelType: 'test', platformId } as MessagingGroup;
    return this.spine.event(place, text, { senderId, senderName: senderId.slice(5), ...more });
  }

  give(platformId: string, senderId: UserId, text: string, more: Partial<InboundEvent> = {}) {
    return this.spine.router.receive(this.event(platformId, senderId, text, more));
  }

  /** A private chat of this person with the bot. */
  alone(senderId: UserId, text: string, more: Partial<InboundEvent> = {}) {
    return this.give(`dm-${senderId}`, senderId, text, { isPrivate: true, ...more });
  }

  /** What the host answered in the room, in order. */
  answers(platformId = 'room'): string[] {
    return this.messages(platformId).flatMap(({ kind, text }) => (kind === 'system' ? [text] : []));
  }

  /** Everything that is kept of a chat, oldest first. */
  messages(platformId = 'room'): TranscriptMessage[] {
    const chat = this.spine.chats.find('test', platformId);
    return this.spine.transcript
      .listChangedSince(0, 10_000)
      .filter(({ messagingGroupId }) => messagingGroupId === chat?.id)
      .sort((one, other) => one.position - other.position);
  }

  session(platformId = 'room', agent = this.agent): Session {
    const chat = this.spine.chats.find('test', platformId);
    const session = chat === null ? null : this.spine.sessions.findInChat(chat.id);
    if (session === null || session.agentGroupId !== agent.id) throw new Error('no session');
    return session;
  }

  /** What agents have before them in this session, as their runner reads it. */
  rows(session: Session): { id: string; text: string; command?: string }[] {
    return this.spine.inboxes
      .read(session, (tables) => tables.listOpen(100))
      .map(({ id, content }) => ({
        id,
        text: String(JSON.parse(content).text),
        ...(JSON.parse(content).command === undefined ? {} : { command: String(JSON.parse(content).command) }),
      }));
  }

  /** Another host takes over: what this one kept in memory is gone. */
  nextHost(): void {
    this.spine.commands[Symbol.dispose]();
    this.spine.commands = this.spine.makeCommands();
  }

  countRows(table: string): number {
    this.spine.transcript.flush();
    return Number(this.spine.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  }

  ledger(kind: string): { actor: string | null; detail: Record<string, unknown> }[] {
    return this.spine.db
      .prepare<[string], { actor: string | null; detail: string }>('SELECT actor, detail FROM ledger WHERE kind = ?')
      .all(kind)
      .map(({ actor, detail }) => ({ actor, detail: JSON.parse(detail) }));
  }

  /** How many were turned away for this reason, what is still gathered included. */
  dropped(reason: string): number {
    this.spine.commands[Symbol.dispose]();
    return this.spine.dropped
      .list(1_000)
      .filter((one) => one.reason === reason)
      .reduce((sum, { count }) => sum + count, 0);
  }
}
