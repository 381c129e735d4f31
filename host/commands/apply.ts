/**
 * The command gate: what people write is looked at here first, and a command goes no further.
 *
 *   text → parse → plan (may they, here?) → run → answer in the chat
 *
 * I1. Who may is looked up now, by the sender's id alone. A message that waited for an admin comes in elsewhere and
 *     is never a command.
 * I2. One message is one command: told twice it is answered once. What it changes in the central database is one
 *     commit with its answer (`commit`), or safe to do again (`work`).
 * I3. For strangers no row is made but those that have a bound of their own: they are answered through the channel.
 * I4. No model, container or engine is needed.
 */
import { deriveMessageId, type MessageId, makeId } from '../../shared/ids.ts';
import { failpoint } from '../observe/failpoint.ts';
import { ensureSession } from '../sessions/ensure-session.ts';
import { planSessionKey } from '../sessions/session-key.ts';
import type { Session } from '../store/sessions.ts';
import { composeAnswer } from './answer.ts';
import { renderHelp, renderUsage } from './help.ts';
import { MAX_COMMAND_LENGTH, MAX_REMEMBERED } from './limits.ts';
import { Pace } from './pace.ts';
import { parseCommand, type Typed } from './parse.ts';
import { isStranger, type PlanFacts, planCommand } from './plan.ts';
import type { Call, CommandMessage, CommandParts, Listener, Reply, Spoken } from './ports.ts';
import { Refusals } from './refusals.ts';
import { type Command, findCommand, NAMES } from './table.ts';

/** What became of a command; a channel says `tell` in the chat and thread that it came from. */
export type CommandOutcome =
  /** It and its answer are messages of these conversations. */
  | { kind: 'routed'; messages: CommandMessage[] }
  /** Answered, and nothing is kept of it. */
  | { kind: 'answered'; reason: 'command'; tell: string }
  | { kind: 'dropped'; reason: 'command_refused' | 'too_many_commands'; tell: string | null };

const SLOW_DOWN = 'Slow down: you have given many commands. Wait a minute, then try again.';

interface Standing extends Omit<PlanFacts, 'rule'> {
  isStranger: boolean;
}

export class Commands implements Disposable {
  readonly #parts: CommandParts;
  readonly #pace = new Pace();
  readonly #refusals: Refusals;
  /** Under way, or answered where nothing is kept; by the command's id. */
  readonly #recent = new Map<MessageId, Promise<CommandOutcome>>();

  constructor(parts: CommandParts) {
    this.#parts = parts;
    this.#refusals = new Refusals(parts.ledger, parts.dropped);
  }

  /**
   * Null: it is no command, but an ordinary message. What carries files is one, so that they are not lost.
   * Rejects with Fault, and what the disk throws: nothing was answered, and it may be told again.
   */
  hear(spoken: Spoken): Promise<CommandOutcome> | null {
    if (spoken.files.length > 0) return null;
    const typed = parseCommand(spoken.text, spoken.isMention || spoken.isPrivate, NAMES);
    const command = typed === null ? null : findCommand(typed.name);
    if (typed === null || command === null) return null;
    const { channelType, platformId, clientId } = spoken;
    const id =
      clientId === null
        ? makeId('message', this.#parts.now())
        : deriveMessageId('command', channelType, platformId, clientId);
    const known = this.#recent.get(id);
    if (known !== undefined) return known.then(markRepeated);
    const outcome = this.#obey(id, command, typed, spoken);
    this.#remember(id, outcome);
    return outcome;
  }

  /** What failed may be told again, and is tried again then. */
  #remember(id: MessageId, outcome: Promise<CommandOutcome>): void {
    this.#recent.set(id, outcome);
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined && this.#recent.size > MAX_REMEMBERED) this.#recent.delete(oldest);
    outcome.catch(() => this.#recent.delete(id));
  }

  async #obey(id: MessageId, command: Command, typed: Typed, spoken: Spoken): Promise<CommandOutcome> {
    const { transcript, now } = this.#parts;
    // I2
    const before = transcript.peek(id);
    if (before !== null) {
      const message = { sessionId: before.sessionId, messageId: id, engaged: false, repeated: true };
      return { kind: 'routed', messages: [message] };
    }
    const call = this.#call(id, command, typed, spoken);
    const standing = this.#standing(call);
    const paced = this.#pace.note(spoken.senderId, standing.isStranger, now());
    if (paced !== 'go') return this.#slow(spoken, paced === 'slow_down' && (!standing.isStranger || spoken.isPrivate));
    const plan = planCommand({ ...standing, rule: command });
    switch (plan.kind) {
      case 'silent':
        this.#refusals.note(command.name, id, spoken, now());
        return { kind: 'dropped', reason: 'command_refused', tell: null };
      case 'refuse':
        return this.#answer(call, standing, command, () => ({
          kind: plan.isRefusal ? 'refused' : 'said',
          text: plan.words,
        }));
      case 'run':
        if (spoken.text.length > MAX_COMMAND_LENGTH) {
          const text = `That is more than the ${MAX_COMMAND_LENGTH} characters that a command may have. Nothing was done.`;
          return this.#answer(call, standing, command, () => ({ kind: 'usage', text }));
        }
        return this.#run(call, standing, command);
    }
  }

  /** Exactly what the sender's id and the chat say now (I1). */
  #call(id: MessageId, command: Command, typed: Typed, spoken: Spoken): Call {
    const { chats, wirings, agents, users, sessions } = this.#parts;
    const { channelType, platformId, senderId, senderName, isPrivate, threadId } = spoken;
    const chat = chats.find(channelType, platformId);
    const listeners = chat === null ? [] : wirings.listFor(chat.id);
    return {
      id,
      rest: typed.rest,
      shownText: command.hidesRest && typed.rest !== '' ? `/${typed.name} ••••` : spoken.text.trim(),
      spoken,
      speaker: {
        id: senderId,
        name: users.get(senderId)?.displayName || senderName,
        roles: users.rolesOf(senderId),
        ...{ isPrivate, channelType, chatId: chat?.id ?? null },
      },
      chat,
      listeners: listeners.flatMap((wiring): Listener[] => {
        const agent = agents.get(wiring.agentGroupId);
        const isKnown = users.isKnown(senderId, wiring.agentGroupId);
        const isHeard = isKnown || wiring.senderScope === 'all' || chat?.unknownSenderPolicy === 'public';
        const session = sessions.find(planSessionKey(wiring, threadId));
        return agent === null ? [] : [{ wiring, agent, isKnown, isHeard, session }];
      }),
    };
  }

  #standing({ speaker, listeners, spoken }: Call): Standing {
    const isKnown = this.#parts.users.isKnownAnywhere(speaker.id);
    const isHeard = listeners.some((one) => one.isHeard);
    const { roles } = speaker;
    return { roles, isKnown, isHeard, isPrivate: spoken.isPrivate, isStranger: isStranger({ isKnown, isHeard }) };
  }

  async #run(call: Call, standing: Standing, command: Command): Promise<CommandOutcome> {
    switch (command.does) {
      case 'help':
        return this.#answer(call, standing, command, () => ({ kind: 'said', text: renderHelp(call.rest, standing) }));
      case 'commit':
        return this.#answer(call, standing, command, () => command.run(call, this.#parts));
      case 'work': {
        const reply = await command.run(call, this.#parts);
        failpoint('commands.done');
        return this.#answer(call, standing, command, () => reply);
      }
    }
  }

  /** Asks for the reply in the commit that keeps it. */
  #answer(call: Call, standing: Standing, command: Command, ask: () => Reply): CommandOutcome {
    const { transcript, send, now } = this.#parts;
    // I3
    const session = standing.isStranger ? null : this.#chooseSession(call);
    const said: { reply: Reply | null; answerId: MessageId | null } = { reply: null, answerId: null };
    if (session === null) said.reply = ask();
    else {
      transcript.commitWith(() => {
        said.reply = ask();
        const rows = composeAnswer(call, session, said.reply, describe(said.reply, command), now());
        said.answerId = rows.find(({ direction }) => direction === 'out')?.id ?? null;
        return rows;
      });
      failpoint('commands.answered');
    }
    const { reply, answerId } = said;
    if (reply === null) throw new Error('a command was not answered');
    if (reply.kind === 'refused') this.#refusals.note(command.name, call.id, call.spoken, now());
    if (answerId !== null) send(answerId);
    if (reply.kind === 'passed') return { kind: 'routed', messages: reply.messages };
    if (session !== null) {
      const message = { sessionId: session.id, messageId: call.id, engaged: false, repeated: false };
      return { kind: 'routed', messages: [message] };
    }
    const tell = describe(reply, command);
    if (reply.kind === 'refused') return { kind: 'dropped', reason: 'command_refused', tell };
    return { kind: 'answered', reason: 'command', tell: tell ?? '' };
  }

  /** The conversation that command and answer stand in; null: the host keeps none with this chat. */
  #chooseSession({ listeners, chat, spoken }: Call): Session | null {
    const { sessions, life, now } = this.#parts;
    if (chat === null) return null;
    const [first] = listeners.flatMap(({ session }) => session ?? []);
    const hearing = listeners.find(({ isHeard }) => isHeard);
    if (first !== undefined || hearing === undefined) return first ?? sessions.findInChat(chat.id);
    const made = ensureSession(this.#parts, planSessionKey(hearing.wiring, spoken.threadId), chat.name, now());
    // Nothing is to be done in it yet.
    life.workChanged(made.id);
    return made;
  }

  #slow(spoken: Spoken, isTold: boolean): CommandOutcome {
    this.#refusals.count('too_many_commands', spoken, this.#parts.now());
    return { kind: 'dropped', reason: 'too_many_commands', tell: isTold ? SLOW_DOWN : null };
  }

  [Symbol.dispose](): void {
    this.#refusals[Symbol.dispose]();
  }
}

/** The answer in words; null: an agent answers. */
function describe(reply: Reply, command: Command): string | null {
  return reply.kind === 'usage' ? `${reply.text}\n\nIt is written ${renderUsage(command)}.` : reply.text;
}

function markRepeated(outcome: CommandOutcome): CommandOutcome {
  if (outcome.kind !== 'routed') return outcome;
  return { ...outcome, messages: outcome.messages.map((message) => ({ ...message, repeated: true })) };
}
