/**
 * The message path without a runtime: a fresh store, sessions, routing and delivery on real files and real
 * readers, with fake channels and containers that the test writes by hand.
 */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AgentFolders } from '../../host/agents/folders.ts';
import { AgentMaker } from '../../host/agents/maker.ts';
import { projectRoot } from '../../host/config/home.ts';
import { Activity } from '../../host/delivery/activity.ts';
import { Authority } from '../../host/delivery/authority.ts';
import type { Channel } from '../../host/delivery/channel.ts';
import { Delivery } from '../../host/delivery/delivery.ts';
import { Notices } from '../../host/delivery/notices.ts';
import { RequestDesk } from '../../host/requests/desk.ts';
import { Router } from '../../host/routing/apply.ts';
import type { InboundEvent } from '../../host/routing/inbound.ts';
import { FreeDisk } from '../../host/sessions/disk.ts';
import { Inboxes } from '../../host/sessions/inbox.ts';
import { OutboxReader } from '../../host/sessions/outbox-reader.ts';
import { type AgentGroup, AgentStore } from '../../host/store/agents.ts';
import { ChatStore, type MessagingGroup } from '../../host/store/chats.ts';
import { openCentralDb } from '../../host/store/database.ts';
import { DestinationStore } from '../../host/store/destinations.ts';
import { DroppedStore } from '../../host/store/dropped.ts';
import { Ledger } from '../../host/store/ledger.ts';
import { type Session, SessionStore } from '../../host/store/sessions.ts';
import { Transcript } from '../../host/store/transcript.ts';
import { UserStore } from '../../host/store/users.ts';
import { type WiringSettings, WiringStore } from '../../host/store/wirings.ts';
import type { UserId } from '../../shared/ids.ts';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { FakeChannel } from './fake-channel.ts';
import { ScriptedContainer } from './scripted-container.ts';
import { makeTempHome } from './temp-home.ts';

export const ALWAYS: WiringSettings = {
  engageMode: 'always',
  engagePattern: null,
  senderScope: 'all',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
};

export class Spine {
  readonly home = makeTempHome();
  readonly db = openCentralDb(this.home.centralDb, join(projectRoot(), 'migrations', 'central'));
  readonly agents = new AgentStore(this.db);
  readonly chats = new ChatStore(this.db);
  readonly wirings = new WiringStore(this.db);
  readonly destinations = new DestinationStore(this.db);
  readonly users = new UserStore(this.db);
  readonly sessions = new SessionStore(this.db);
  readonly dropped = new DroppedStore(this.db);
  readonly ledger = new Ledger(this.db);
  readonly transcript = new Transcript(this.db);
  readonly woken: string[] = [];
  readonly quarantined: { id: string; reason: string }[] = [];
  readonly locksHeld: string[] = [];
  readonly channels = new Map<string, Channel>();
  now: () => number = Date.now;
  readonly inboxes = new Inboxes(this.home.home, (id) => this.locksHeld.push(id));
  readonly reader = new OutboxReader(join(projectRoot(), 'dist', 'reader.mjs'));
  readonly notices = this.makeNotices();
  readonly authority = new Authority(this.agents, this.chats, this.destinations, this.transcript);
  readonly folders = new AgentFolders(this.home.groups, join(projectRoot(), 'groups', 'template'));
  /** Agents whose charts were to be written anew. */
  readonly recharted: string[] = [];
  readonly maker = this.makeMaker();
  readonly desk = new RequestDesk(
    (work) => this.db.transaction(work)(),
    (asked) => this.maker.answer(asked),
  );
  readonly stopped = new Set<string>();
  readonly activity = new Activity({
    channels: this.channels,
    transcript: this.transcript,
    tellChat: (ref, about, key, text) => this.notices.tell(ref, about, key, text),
    amendChat: (ref, about, key, text) => this.notices.amend(ref, about, key, text),
    timezoneOf: (ref) => this.agents.get(ref.agentGroupId)?.config.timezone ?? 'UTC',
    isRunning: (id) => !this.stopped.has(id),
    now: () => this.now(),
  });
  delivery = this.makeDelivery();
  readonly router = new Router({
    home: this.home.home,
    chats: this.chats,
    wirings: this.wirings,
    users: this.users,
    sessions: this.sessions,
    dropped: this.dropped,
    transcript: this.transcript,
    inboxes: this.inboxes,
    disk: new FreeDisk(this.home.home),
    wake: (id) => this.woken.push(id),
    now: () => this.now(),
  });
  readonly #containers: ScriptedContainer[] = [];

  constructor() {
    onTestFinished(async () => {
      for (const container of this.#containers) container.close();
      await this.delivery[Symbol.asyncDispose]();
      this.maker[Symbol.dispose]();
      this.activity[Symbol.dispose]();
      await this.notices[Symbol.asyncDispose]();
      this.reader[Symbol.dispose]();
      this.inboxes[Symbol.dispose]();
      this.transcript.close();
      this.db.close();
    });
  }

  makeNotices(): Notices {
    const notices = new Notices(this.transcript, this.chats, this.channels);
    onTestFinished(() => notices[Symbol.asyncDispose]());
    return notices;
  }

  makeMaker(): AgentMaker {
    return new AgentMaker({
      agents: this.agents,
      destinations: this.destinations,
      sessions: this.sessions,
      ledger: this.ledger,
      inboxes: this.inboxes,
      folders: this.folders,
      commitTogether: (work) => this.db.transaction(work)(),
      onDestinationsChanged: (id) => void this.recharted.push(id),
      onWorkChanged: () => undefined,
      now: () => this.now(),
    });
  }

  makeDelivery(): Delivery {
    return new Delivery({
      home: this.home.home,
      sessions: this.sessions,
      inboxes: this.inboxes,
      reader: this.reader,
      transcript: this.transcript,
      ledger: this.ledger,
      authority: this.authority,
      desk: this.desk,
      channels: this.channels,
      activity: this.activity,
      tellChat: (ref, about, key, text) => this.notices.tell(ref, about, key, text),
      quarantine: (id, reason) => {
        this.quarantined.push({ id, reason });
        this.sessions.setQuarantine(id, reason, this.now());
      },
      onLockHeld: (id) => this.locksHeld.push(id),
      onHotJournal: () => undefined,
      onWorkChanged: () => undefined,
      onQuiet: () => undefined,
      now: () => this.now(),
      random: () => 0.5,
    });
  }

  addChannel(type: string, idempotency: 'native' | 'probe' | 'none' = 'native'): FakeChannel {
    const channel = new FakeChannel(type, idempotency);
    this.channels.set(type, channel);
    return channel;
  }

  addAgent(name = 'main'): AgentGroup {
    return this.agents.create({ name, folder: name, now: this.now() });
  }

  /** A wired chat; its destination is named after it. */
  addChat(
    agent: AgentGroup,
    channelType: string,
    platformId: string,
    wiring: Partial<WiringSettings> = {},
  ): MessagingGroup {
    const chat = this.chats.ensure({ channelType, platformId, name: platformId, now: this.now() });
    this.wirings.create(chat.id, agent.id, { ...ALWAYS, ...wiring }, this.now());
    return chat;
  }

  event(chat: MessagingGroup, text: string, more: Partial<InboundEvent> = {}): InboundEvent {
    return {
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: null,
      senderId: `${chat.channelType}:someone` as UserId,
      senderName: 'Someone',
      text,
      files: [],
      isMention: false,
      isPrivate: false,
      platformMessageId: null,
      replyToPlatformId: null,
      clientId: null,
      receivedAt: stampNow(),
      ...more,
    };
  }

  /** Receives a message and returns its session, message id and a container for it. */
  async say(chat: MessagingGroup, text: string, more: Partial<InboundEvent> = {}) {
    const outcome = await this.router.receive(this.event(chat, text, more));
    if (outcome.kind !== 'routed') throw new Error(`dropped: ${outcome.reason}`);
    const routed = outcome.messages[0];
    if (routed === undefined) throw new Error('nobody heard it');
    const session = this.session(routed.sessionId);
    return { session, messageId: routed.messageId, paths: this.paths(session) };
  }

  session(id: string): Session {
    const session = this.sessions.get(id as Session['id']);
    if (session === null) throw new Error(`no session ${id}`);
    return session;
  }

  paths(session: Session): SessionPaths {
    return sessionPaths(this.home.home, session.agentGroupId, session.id);
  }

  container(paths: SessionPaths): ScriptedContainer {
    const container = new ScriptedContainer(paths);
    this.#containers.push(container);
    return container;
  }
}
