/**
 * Receiving a message: loads the facts, asks the plans, and commits.
 *
 * I1. The platform hears "ok" only after every row is committed (I8 of the architecture).
 * I2. An event with a `clientId` makes the same message ids each time: told twice, it is one message.
 * I3. What waits at a gate that has opened comes before what is received now.
 */
import { join } from 'node:path';
import { type MessagingGroupId, makeId, type UserId } from '../../shared/ids.ts';
import { MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { stampNow } from '../../shared/trace.ts';
import { showSafely } from '../approvals/show.ts';
import { assertNever, Fault, toDiskFault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { routingLog } from '../observe/logger.ts';
import type { Heard } from '../questions/apply.ts';
import { planSessionKey } from '../sessions/session-key.ts';
import type { MessagingGroup } from '../store/chats.ts';
import type { Gate, HeldMessage } from '../store/held.ts';
import type { Wiring } from '../store/wirings.ts';
import { Admissions, type ReceivedAgain } from './admissions.ts';
import { admissionSubject, formatAdmission, formatWiring, wiringSubject } from './card.ts';
import { commitMessage, type HeardRoute } from './commit.ts';
import { makeDecisionRules, type RoutingRules } from './decisions.ts';
import { describeHearing } from './hearing.ts';
import { type HeldEvent, parseHeldEvent } from './held-event.ts';
import { Holding } from './holding.ts';
import type { InboundEvent, ReceiveOutcome, RoutedMessage } from './inbound.ts';
import { MAX_OFFERED_AGENTS } from './limits.ts';
import type { RoutingParts } from './parts.ts';
import { matchPattern } from './pattern.ts';
import { planRouting, type Route } from './plan.ts';
import { planUnwired } from './plan-hold.ts';

/** What the sender hears, once, when an admin is asked. */
const TELL_WAITING = 'An admin was asked to let you in. What you write is kept until they decide.';
const TELL_UNWIRED = 'The owner was asked to connect this chat. What you write is kept until they decide.';

/** Senders remembered as noted. Higher: memory. Lower: more looking up. */
const MAX_NOTED = 10_000;

/** What came of holding a message for one gate. */
type Hold = { kind: 'waits'; asked: boolean } | { kind: 'dropped'; reason: string };

export class Router implements AsyncDisposable {
  readonly #parts: RoutingParts;
  readonly #holding: Holding;
  readonly #admissions: Admissions;
  /** Senders whose names and private chats were noted, so that most messages ask no table. */
  readonly #noted = new Map<UserId, MessagingGroupId | null>();
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
    this.#holding = new Holding(parts.held, join(parts.home, 'held'), parts.now);
    this.#admissions = new Admissions({
      held: parts.held,
      holding: this.#holding,
      receiveAgain: (message) => this.#receiveAgain(message),
      ask: (message) => this.#ask(message),
      countDropped: (message, reason) => this.#count(message, reason),
      now: parts.now,
    });
  }

  /** What admins are asked about strangers and new chats, and what follows. */
  get rules(): RoutingRules {
    return makeDecisionRules(this.#parts, this.#admissions);
  }

  /** After a start, when approvals have carried out what was decided: takes up what waits. */
  start(): Promise<void> {
    return this.#admissions.start();
  }

  /**
   * Rejects with Fault `disk_full`, `disk_failed`, `database_busy`, `message_too_long`, `session_busy`,
   * `session_corrupt`, `host_stopping`: not accepted, the platform keeps it.
   */
  receive(event: InboundEvent): Promise<ReceiveOutcome> {
    return this.#underWay.add(this.#receive(event));
  }

  async #receive(event: InboundEvent): Promise<ReceiveOutcome> {
    if (this.#isClosed) throw hostStopping();
    const { chats, wirings, disk, transcript } = this.#parts;
    if (!disk.hasRoom()) throw diskFull();
    if (transcript.trouble !== null) throw transcript.trouble;
    if (Buffer.byteLength(event.text) > MAX_TEXT_BYTES) {
      throw new Fault('message_too_long', `a message is at most ${MAX_TEXT_BYTES} bytes of text`, {
        hint: 'send it in parts, or as a file',
      });
    }
    // Before all else, and only here: what waited for an admin is received again as a message.
    const command = this.#parts.hearCommand(event);
    if (command !== null) return this.#obey(command, event);
    const chat = chats.find(event.channelType, event.platformId);
    const heard = chat === null ? null : this.#hearAnswer(event, chat);
    if (heard?.kind === 'answer') {
      const { kind, ...message } = heard;
      return { kind: 'routed', messages: [message] };
    }
    if (heard?.kind === 'ask_which') return { ...this.#drop(event, 'unclear_answer'), tell: heard.words };
    const listening = chat === null ? [] : wirings.listFor(chat.id);
    if (chat === null || listening.length === 0) return this.#receiveUnwired(event, chat);
    await this.#letPass({ kind: 'chat', channelType: event.channelType, platformId: event.platformId });
    return this.#route(event, chat, listening);
  }

  async #route(event: InboundEvent, chat: MessagingGroup, listening: readonly Wiring[]): Promise<ReceiveOutcome> {
    const routes = this.#plan(event, chat, listening);
    const holds: Hold[] = [];
    for (const { kind, agentGroupId } of routes) {
      if (kind === 'hold')
        holds.push(await this.#hold({ kind: 'sender', agentGroupId, senderId: event.senderId }, event));
    }
    const heard = routes.filter((route): route is HeardRoute => route.kind !== 'ignore' && route.kind !== 'hold');
    if (heard.length === 0) return this.#explain(event, routes, holds);
    for (const { agentGroupId } of heard) {
      await this.#letPass({ kind: 'sender', agentGroupId, senderId: event.senderId });
    }
    const isReachable = this.#noteSender(event, chat);
    const routedAt = stampNow();
    const outcomes = await Promise.allSettled(
      heard.map((route) => this.#commit(event, chat, route, listening, routedAt)),
    );
    if (isReachable) this.#parts.onReachable();
    return { kind: 'routed', messages: judge(event, outcomes) };
  }

  async #obey(command: Promise<ReceiveOutcome>, event: InboundEvent): Promise<ReceiveOutcome> {
    const outcome = await command.catch((error: unknown) => {
      throw toTrouble(error) ?? error;
    });
    const chat = this.#parts.chats.find(event.channelType, event.platformId);
    // Who is known and writes alone with the host can be asked there, whatever they write.
    if (outcome.kind === 'routed' && chat !== null && this.#noteSender(event, chat)) this.#parts.onReachable();
    return outcome;
  }

  /** Null: it answers no open question. */
  #hearAnswer(event: InboundEvent, chat: MessagingGroup): Heard | null {
    const { threadId, text, senderId, senderName, clientId, receivedAt } = event;
    const hasFiles = event.files.length > 0;
    return this.#parts.hear({ chat, threadId, text, hasFiles, senderId, senderName, clientId, receivedAt });
  }

  #plan(event: InboundEvent, chat: MessagingGroup, listening: readonly Wiring[]): Route[] {
    const { users, sessions, held, turnedAway, now } = this.#parts;
    const { senderId } = event;
    return planRouting({
      chat,
      threadId: event.threadId,
      isMention: event.isMention || event.isPrivate,
      wirings: listening.map((wiring) => {
        const { agentGroupId } = wiring;
        const senderIsKnown = users.isKnown(senderId, agentGroupId);
        // Asked of strangers alone.
        const asks =
          !senderIsKnown && wiring.senderScope === 'known' && chat.unknownSenderPolicy === 'request_approval';
        return {
          wiring,
          senderIsKnown,
          isTurnedAway: asks && turnedAway.holds(admissionSubject(agentGroupId, senderId), now()),
          isWaiting: asks && held.waitsAt({ kind: 'sender', agentGroupId, senderId }),
          patternMatches: wiring.engagePattern !== null && matchPattern(wiring.engagePattern, event.text),
          wasEngaged:
            wiring.engageMode === 'mention-sticky' &&
            (sessions.find(planSessionKey(wiring, event.threadId))?.engagedAt ?? null) !== null,
        };
      }),
    });
  }

  #commit(
    event: InboundEvent,
    chat: MessagingGroup,
    route: HeardRoute,
    listening: readonly Wiring[],
    routedAt: number,
  ): Promise<RoutedMessage> {
    const { users } = this.#parts;
    const { senderId } = event;
    const wiring = listening.find(({ agentGroupId }) => agentGroupId === route.agentGroupId);
    if (wiring === undefined) throw new Error('a route without its wiring');
    const heard = describeHearing({
      wiring,
      senderId,
      isMention: event.isMention || event.isPrivate,
      isEngaged: route.kind === 'engage',
      roles: users.rolesOf(senderId),
      isKnown: users.isKnown(senderId, wiring.agentGroupId),
    });
    return commitMessage(this.#parts, event, chat, { ...route, heard }, routedAt);
  }

  async #receiveUnwired(event: InboundEvent, chat: MessagingGroup | null): Promise<ReceiveOutcome> {
    const { agents, chats, turnedAway, now } = this.#parts;
    const isAddressed = (event.isMention || event.isPrivate) && event.hostIsPlatform !== true;
    const plan = planUnwired({
      isAddressed,
      isKnownChat: chat !== null,
      isTurnedAway: isAddressed && chat !== null && turnedAway.holds(wiringSubject(chat.id), now()),
      unwiredChats: isAddressed && chat === null ? chats.countUnwired() : 0,
      agents: isAddressed ? agents.list(1).length : 0,
    });
    if (plan.kind === 'drop') return this.#drop(event, plan.reason);
    const gate: Gate = { kind: 'chat', channelType: event.channelType, platformId: event.platformId };
    const hold = await this.#hold(gate, event);
    if (hold.kind === 'dropped') return { kind: 'dropped', reason: hold.reason, tell: null };
    return { kind: 'held', reason: 'unwired', tell: hold.asked ? TELL_UNWIRED : null };
  }

  /** Keeps a message at a gate, and has an admin asked. */
  async #hold(gate: Gate, event: InboundEvent): Promise<Hold> {
    // Received again it has this id, so that a crash then doubles nothing.
    const clientId = event.clientId ?? makeId('message', this.#parts.now());
    const kept = await this.#holding.keep(gate, { ...event, clientId });
    if (kept.kind === 'drop') {
      this.#count(event, kept.reason);
      return { kind: 'dropped', reason: kept.reason };
    }
    const settled = await this.#admissions.settle(gate);
    if (settled === 'not_asked') return { kind: 'dropped', reason: 'too_many_strangers' };
    return { kind: 'waits', asked: settled === 'waits' && kept.kind === 'kept' && kept.isFirst };
  }

  /** I3 */
  async #letPass(gate: Gate): Promise<void> {
    const { held } = this.#parts;
    if (!held.waitsAt(gate)) return;
    await this.#admissions.settle(gate);
    // Cut short by the close: the next host lets pass what is left.
    if (this.#isClosed && held.waitsAt(gate)) throw hostStopping();
  }

  /** Names for cards and answers; and where a person can be asked alone: whether that is news. */
  #noteSender({ senderId, senderName, isPrivate, hostIsPlatform }: InboundEvent, chat: MessagingGroup): boolean {
    const { users, now } = this.#parts;
    // On this host's own page a person has as many chats as they open: none of them is the one.
    const isTheirs = isPrivate && hostIsPlatform !== true;
    const privateChat = isTheirs ? chat.id : null;
    const noted = this.#noted.get(senderId);
    if (noted !== undefined && (privateChat === null || noted === privateChat)) return false;
    if (this.#noted.size >= MAX_NOTED) this.#noted.clear();
    users.ensure(senderId, showSafely(senderName), now());
    const isNews = privateChat !== null && users.notePrivateChat(senderId, chat.channelType, privateChat);
    this.#noted.set(senderId, privateChat);
    return isNews;
  }

  async #receiveAgain(message: HeldMessage): Promise<ReceivedAgain> {
    const { chats, wirings, turnedAway, now } = this.#parts;
    const event = parseHeldEvent(message.event);
    if (event === null) return { kind: 'dropped', reason: 'unreadable' };
    const chat = chats.find(message.channelType, message.platformId);
    const listening = chat === null ? [] : wirings.listFor(chat.id);
    if (message.gate.kind === 'sender') return this.#receiveForAgent(message.gate, event, chat, listening);
    if (chat !== null && listening.length > 0) {
      // It may go on to wait for its sender to be let in; what nobody hears is counted there.
      await this.#route(event, chat, listening);
      return { kind: 'received' };
    }
    if (chat !== null && turnedAway.holds(wiringSubject(chat.id), now())) return { kind: 'dropped', reason: 'unwired' };
    return { kind: 'waits' };
  }

  /** A message that waited for its sender, before the one agent that its gate is of. */
  async #receiveForAgent(
    { agentGroupId }: Extract<Gate, { kind: 'sender' }>,
    event: HeldEvent,
    chat: MessagingGroup | null,
    listening: readonly Wiring[],
  ): Promise<ReceivedAgain> {
    const own = listening.filter((wiring) => wiring.agentGroupId === agentGroupId);
    const [route] = chat === null ? [] : this.#plan(event, chat, own);
    if (chat === null || route === undefined) return { kind: 'dropped', reason: 'unwired' };
    switch (route.kind) {
      case 'hold':
        return { kind: 'waits' };
      case 'ignore':
        return { kind: 'dropped', reason: route.reason };
      case 'engage':
      case 'accumulate':
        await this.#commit(event, chat, route, own, stampNow());
        if (this.#noteSender(event, chat)) this.#parts.onReachable();
        return { kind: 'received' };
      default:
        return assertNever(route);
    }
  }

  /** Whether an admin is asked, now or already. */
  #ask(message: HeldMessage): boolean {
    const { agents, chats, ask, now } = this.#parts;
    const event = parseHeldEvent(message.event);
    if (event === null) return false;
    const { gate } = message;
    if (gate.kind === 'sender') {
      const agent = agents.get(gate.agentGroupId);
      const known = chats.find(message.channelType, message.platformId)?.name;
      const place = { ...message, name: known ?? event.chatName, isPrivate: event.isPrivate };
      return agent !== null && ask(formatAdmission(event, place, agent, now())).kind !== 'refused';
    }
    const chat = chats.ensure({
      channelType: gate.channelType,
      platformId: gate.platformId,
      name: nameChat(event),
      isGroup: !event.isPrivate,
      unknownSenderPolicy: event.isPrivate ? 'strict' : 'request_approval',
      now: now(),
    });
    const place = { ...chat, isPrivate: event.isPrivate };
    return ask(formatWiring(event, place, agents.list(MAX_OFFERED_AGENTS), now())).kind !== 'refused';
  }

  #drop(event: InboundEvent, reason: string): Extract<ReceiveOutcome, { kind: 'dropped' }> {
    this.#count(event, reason);
    return { kind: 'dropped', reason, tell: null };
  }

  #count({ channelType, platformId, senderId }: Place, reason: string): void {
    const { dropped, now } = this.#parts;
    dropped.record({ channelType, platformId, senderId, reason, now: now() });
    routingLog.info({ channelType, reason }, 'a message was dropped');
  }

  /** Nobody heard it: it waits, or why it was dropped. */
  #explain(event: InboundEvent, routes: readonly Route[], holds: readonly Hold[]): ReceiveOutcome {
    if (holds.some((hold) => hold.kind === 'waits')) {
      const isNews = holds.some((hold) => hold.kind === 'waits' && hold.asked);
      const tell = isNews && (event.isMention || event.isPrivate) ? TELL_WAITING : null;
      return { kind: 'held', reason: 'unknown_sender', tell };
    }
    // Counted when it was not kept.
    const full = holds.find((hold) => hold.kind === 'dropped');
    if (full !== undefined) return { kind: 'dropped', reason: full.reason, tell: null };
    const reasons = routes.flatMap((route) => (route.kind === 'ignore' ? [route.reason] : []));
    return this.#drop(event, reasons.find((one) => one !== 'not_addressed') ?? reasons[0] ?? 'unwired');
  }

  /** Accepts nothing more, and waits for what is being received: whoever wrote it hears what became of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#admissions[Symbol.asyncDispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}

type Place = Pick<InboundEvent, 'channelType' | 'platformId' | 'senderId'>;

/** What a new chat is called: its own name, or that of the person it is with, or its id. */
function nameChat({ chatName = '', isPrivate, senderName, platformId }: HeldEvent): string {
  return showSafely(chatName) || (isPrivate ? showSafely(senderName) : '') || showSafely(platformId);
}

/**
 * Some agents may have it and others not. With a `clientId` the event may be told again without doubling
 * anything, so one failure refuses it; without, what is committed counts, and the rest is recorded.
 */
function judge(event: InboundEvent, outcomes: PromiseSettledResult<RoutedMessage>[]): RoutedMessage[] {
  const messages = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    const error: unknown = outcome.reason;
    const fault = error instanceof Fault ? error : toTrouble(error);
    if (fault === null || messages.length === 0 || event.clientId !== null) throw fault ?? error;
    routingLog.error({ err: fault, channelType: event.channelType }, 'one of several agents did not get a message');
  }
  return messages;
}

/** The disk filled up, or failed, between two looks at it: at a folder, a file, the central database. */
function toTrouble(error: unknown): Fault | null {
  const fault = toDiskFault(error);
  return fault?.code === 'disk_full' ? diskFull(error) : fault;
}

function hostStopping(): Fault {
  const hint = 'send it again when the host runs';
  return new Fault('host_stopping', 'the host is stopping: no message can be taken now', { retryable: true, hint });
}

function diskFull(cause?: unknown): Fault {
  return new Fault('disk_full', 'the disk of the host is full: no message can be taken now', {
    cause,
    retryable: true,
    hint: 'free some disk space, then send it again',
  });
}
