/**
 * A whole host in this process, on a home of its own: the real message path from a channel's `receive` to
 * its `send`, through real containers. Only the HTTP API is left out.
 */
import { type Policy, readPolicy } from '../../host/config/policy.ts';
import { OWNER } from '../../host/first-run.ts';
import { type Host, startHost } from '../../host/host.ts';
import { runtimeLog, startLogging } from '../../host/observe/logger.ts';
import { DockerDriver } from '../../host/runtime/drivers/docker.ts';
import type { AgentGroup } from '../../host/store/agents.ts';
import type { MessagingGroup } from '../../host/store/chats.ts';
import type { Session } from '../../host/store/sessions.ts';
import { stampNow } from '../../shared/trace.ts';
import { until } from '../support/until.ts';
import { BenchChannel } from './bench-channel.ts';
import { makeBenchHome } from './bench-home.ts';

/** One wired chat, with a session of its own. */
export interface Conversation {
  chat: MessagingGroup;
  agent: AgentGroup;
}

/** What an agent thinks with. */
export interface Thinking {
  provider: string;
  service?: string;
  model?: string;
}

/** Answers at once, without a model. */
const ECHO: Thinking = { provider: 'echo' };

/** Containers never rest during a measurement, unless its row asks for it. */
const ALWAYS_AWAKE: Partial<Policy> = { pauseAfterMs: 3_600_000, stopAfterMs: 7_200_000 };

export class BenchHost implements AsyncDisposable {
  readonly channel = new BenchChannel();
  readonly #host: Host;
  readonly #removeHome: () => void;
  #asked = 0;

  private constructor(host: Host, channel: BenchChannel, removeHome: () => void) {
    this.#host = host;
    this.channel = channel;
    this.#removeHome = removeHome;
  }

  /** `changes` to the policy that operators get by default; `prepare` is done to the home before the host starts. */
  static async start(
    changes: Partial<Policy> = ALWAYS_AWAKE,
    prepare: (home: string) => Promise<void> = async () => undefined,
  ): Promise<BenchHost> {
    const home = makeBenchHome();
    try {
      await prepare(home.path);
      const policy: Policy = { ...readPolicy(process.env), ...changes, home: home.path, driver: 'docker' };
      startLogging(`${home.path}/logs/host.log`, policy.logLevel);
      const channel = new BenchChannel();
      const host = await startHost({ policy, channels: [channel], withoutApi: true });
      return new BenchHost(host, channel, () => home[Symbol.dispose]());
    } catch (error) {
      home[Symbol.dispose]();
      throw error;
    }
  }

  get stores(): Host['stores'] {
    return this.#host.stores;
  }

  get home(): string {
    return this.#host.paths.home;
  }

  addAgent(name: string, thinking: Thinking = ECHO): AgentGroup {
    return this.stores.agents.create({ name, folder: name, ...thinking, now: Date.now() });
  }

  addConversation(agent: AgentGroup, name: string): Conversation {
    const now = Date.now();
    const chat = this.stores.chats.ensure({ channelType: 'bench', platformId: `${agent.name}-${name}`, name, now });
    this.stores.wirings.create(chat.id, agent.id, ALWAYS_LISTENS, now);
    return { chat, agent };
  }

  /** An agent with this many chats, all with a running container that has answered before. */
  async addWarmConversations(agentName: string, count: number, thinking?: Thinking): Promise<Conversation[]> {
    const agent = this.addAgent(agentName, thinking);
    const made = Array.from({ length: count }, (_, at) => this.addConversation(agent, `chat-${at + 1}`));
    for (const conversation of made) await this.ask(conversation);
    return made;
  }

  /** Hands one message in, without waiting for its answer. Resolves when the host has accepted it. */
  async say({ chat }: Conversation, text: string): Promise<void> {
    const outcome = await this.#host.receive({
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: null,
      senderId: OWNER,
      senderName: 'Owner',
      text,
      files: [],
      isMention: false,
      isPrivate: true,
      hostIsPlatform: true,
      platformMessageId: null,
      replyToPlatformId: null,
      clientId: null,
      receivedAt: stampNow(),
    });
    if (outcome.kind !== 'routed') throw new Error(`the host dropped a message: ${outcome.reason}`);
  }

  nextText(): string {
    return `message ${++this.#asked}`;
  }

  /** One round trip: milliseconds from the channel's receive to its send. */
  async ask(conversation: Conversation, text: string = this.nextText()): Promise<number> {
    const replied = this.channel.awaitText(conversation.chat.platformId, text);
    const startedAt = stampNow();
    await this.say(conversation, text);
    return (await replied) - startedAt;
  }

  session({ chat, agent }: Conversation): Session {
    const session = this.stores.sessions.find({ agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null });
    if (session === null) throw new Error(`the chat ${chat.name} has no session yet`);
    return session;
  }

  async awaitState(conversation: Conversation, state: string, deadlineMs = 60_000): Promise<void> {
    const seen = () => this.#host.life.liveState(this.session(conversation)).state;
    try {
      await until(`session of ${conversation.chat.name} is ${state}`, () => seen() === state, deadlineMs);
    } catch (cause) {
      throw new Error(`the session of ${conversation.chat.name} is ${seen()}, and ${state} was waited for`, { cause });
    }
  }

  /** Stops the host, and removes what it leaves on purpose: its containers and its home. */
  async [Symbol.asyncDispose](): Promise<void> {
    const installId = this.stores.settings.installId();
    await this.#host[Symbol.asyncDispose]();
    await using driver = new DockerDriver({ installId, log: runtimeLog });
    for (const container of await driver.list()) await driver.remove(container.id);
    this.#removeHome();
  }
}

const ALWAYS_LISTENS = {
  engageMode: 'always',
  engagePattern: null,
  senderScope: 'known',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
} as const;
