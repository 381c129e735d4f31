/** A whole host in this process, on a fresh home, with a fake chat platform: for stories with real containers. */
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { OutsideOptions } from '../../host/assembly/egress.ts';
import type { Policy } from '../../host/config/policy.ts';
import { type Host, startHost } from '../../host/host.ts';
import type { InboundFile, RoutedMessage } from '../../host/routing/inbound.ts';
import type { AgentGroup } from '../../host/store/agents.ts';
import type { MessagingGroup } from '../../host/store/chats.ts';
import type { Session } from '../../host/store/sessions.ts';
import type { WiringSettings } from '../../host/store/wirings.ts';
import type { MessageId, SessionId, UserId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { FakeChannel, type SentMessage } from './fake-channel.ts';
import { agentImage } from './image.ts';
import { makeTempHome } from './temp-home.ts';
import { until } from './until.ts';

export const FLOW_POLICY: Omit<Policy, 'home'> = {
  port: 0,
  driver: 'docker',
  image: agentImage(),
  maxRunning: 8,
  pauseAfterMs: 60_000,
  stopAfterMs: 600_000,
  logLevel: 'silent',
  mounts: '/nonexistent/mounts.json',
};

/** A container that starts cold and answers, on a machine that does other things. Lower: fails there. */
const ANSWER_MS = 60_000;
/** What the host says while an answer takes long: it comes on a slow machine, and on a fast one never. */
const PATIENCE = /^(?:Still working on it since|I have no answer to this yet)/;

export interface Reply {
  text: string;
  files: string[];
}

export class FlowHost {
  readonly home = makeTempHome().home;
  readonly policy: Policy;
  readonly channel = new FakeChannel('test', 'native');
  host!: Host;
  readonly #outside: OutsideOptions;

  constructor(policy: Partial<Policy> = {}, outside: OutsideOptions = {}) {
    this.policy = { ...FLOW_POLICY, home: this.home, ...policy };
    this.#outside = outside;
  }

  async start(): Promise<this> {
    this.host = await startHost({ policy: this.policy, channels: [this.channel], outside: this.#outside });
    return this;
  }

  /** Ends this host; its containers go on. */
  async stop(): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }

  /** Starts, and at the end of the test stops the host and removes what its containers were. */
  async startForTest(): Promise<this> {
    onTestFinished(async () => {
      await this.host.stopContainers();
      await this.stop();
    }, 60_000);
    return this.start();
  }

  get agent(): AgentGroup {
    const agent = this.host.stores.agents.findByName('main');
    if (agent === null) throw new Error('no agent main');
    return agent;
  }

  wire(agent: AgentGroup, platformId: string, settings: Partial<WiringSettings> = {}): MessagingGroup {
    const { chats, wirings } = this.host.stores;
    const chat = chats.ensure({ channelType: 'test', platformId, name: platformId, now: Date.now() });
    wirings.create(
      chat.id,
      agent.id,
      {
        engageMode: 'always',
        engagePattern: null,
        senderScope: 'all',
        ignoredMessagePolicy: 'drop',
        sessionMode: 'shared',
        priority: 0,
        ...settings,
      },
      Date.now(),
    );
    return chat;
  }

  /** Says something in a chat; returns the session that heard it. */
  async say(platformId: string, text: string, files: InboundFile[] = []): Promise<Session> {
    return this.session((await this.#tell(platformId, text, files)).sessionId);
  }

  async #tell(platformId: string, text: string, files: InboundFile[]): Promise<RoutedMessage> {
    const outcome = await this.host.receive({
      channelType: 'test',
      platformId,
      threadId: null,
      senderId: 'test:ann' as UserId,
      senderName: 'Ann',
      text,
      files,
      isMention: false,
      isPrivate: false,
      platformMessageId: null,
      replyToPlatformId: null,
      clientId: null,
      receivedAt: stampNow(),
    });
    if (outcome.kind !== 'routed') throw new Error(`dropped: ${outcome.reason}`);
    const [message] = outcome.messages;
    if (message === undefined) throw new Error(`routed to nobody: ${text}`);
    return message;
  }

  session(id: SessionId | undefined): Session {
    const session = id === undefined ? null : this.host.stores.sessions.get(id);
    if (session === null) throw new Error('no session');
    return session;
  }

  state(session: Session): string {
    return this.host.life.liveState(this.session(session.id)).state;
  }

  /** What is seen in a chat, without the host's word that an answer takes long. */
  seen(platformId: string): SentMessage[] {
    return this.channel.visible.filter(
      ({ address, text }) => address.platformId === platformId && !PATIENCE.test(text),
    );
  }

  /** Messages that a session's container has claimed, in any state. */
  countClaims({ agentGroupId, id }: Session): number {
    const { outboundDb } = sessionPaths(this.home, agentGroupId, id);
    const db = new Database(outboundDb, { readonly: true, timeout: 5_000 });
    try {
      return Number(db.prepare('SELECT count(*) FROM processing').pluck().get());
    } catch (error) {
      // The runner is in mid-commit.
      if (error instanceof Database.SqliteError && /^SQLITE_(BUSY|READONLY_ROLLBACK)/.test(error.code)) return 0;
      throw error;
    } finally {
      db.close();
    }
  }

  /** The next message in a chat after `count` that are there. */
  async next(platformId: string, count: number, deadlineMs = ANSWER_MS): Promise<Reply> {
    return until(`message ${count + 1} in ${platformId}`, () => this.seen(platformId)[count], deadlineMs);
  }

  /** Says something and returns the first message in that chat that answers it; what comes late of others is not it. */
  async ask(platformId: string, text: string, files: InboundFile[] = [], deadlineMs = ANSWER_MS): Promise<Reply> {
    const { messageId } = await this.#tell(platformId, text, files);
    const { transcript } = this.host.stores;
    const isAnswer = ({ key }: SentMessage) => transcript.get(key as MessageId)?.inReplyTo === messageId;
    return until(`an answer to "${text}" in ${platformId}`, () => this.seen(platformId).find(isAnswer), deadlineMs);
  }

  /** The first message in a chat that matches, whatever comes before it. Only for words that no earlier one had. */
  async hears(platformId: string, words: RegExp, deadlineMs = ANSWER_MS): Promise<Reply> {
    return until(
      `${words} in ${platformId}`,
      () => this.seen(platformId).find(({ text }) => words.test(text)),
      deadlineMs,
    );
  }
}
