/**
 * The chat for people: history, then live.
 *
 * I1. Live events are promised before the history is read, and both go through `planNotices`: nothing between
 *     them is lost, nothing is shown twice.
 * I2. While a message of ours is on its way, incoming messages wait: until the host has named its id, our own
 *     one cannot be told from another person's.
 */
import { randomUUID } from 'node:crypto';
import { assertNever } from '../../config/errors.ts';
import { followEvents, type LiveEvent } from '../client/live.ts';
import type { FileToSend } from '../client/resources/messages.ts';
import type { Attachment, Message, Session } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { formatBytes } from '../output/units.ts';
import { readFilesToSend, saveReceivedFile } from './files.ts';
import { formatNotice, type NoticeView } from './format.ts';
import { CHAT_COMMANDS, CHAT_HELP, parseInput } from './input.ts';
import { describeOwnState, planNotices, type Seen } from './plan.ts';
import { Screen } from './screen.ts';

const HISTORY_MESSAGES = 20;
const PAGE_LIMIT = 200;
/** Messages remembered for their changes and files. Higher: memory in a chat open for weeks. Lower: old edits show as new. */
const MAX_REMEMBERED = 5_000;
/** A message that the host did not take is tried again with the same id. Higher: long silence. Lower: a restart loses it. */
const SEND_TRIES = 5;
/** First delay before it is tried again, doubled each time: 15 s in all, more than a restart takes. */
const SEND_RETRY_MS = 500;
const HOST_AWAY = new Set(['host_not_running', 'host_gone', 'host_silent']);

/** Talks until the person leaves. Throws CliError when the host cannot be reached at first. */
export async function runInteractiveChat(context: Context, session: Session): Promise<void> {
  const chat = new InteractiveChat(context, session);
  await chat.run();
}

class InteractiveChat {
  readonly #context: Context;
  readonly #session: Session;
  readonly #leaving = new AbortController();
  readonly #seen = new Map<string, Seen>();
  readonly #files: { messageId: string; attachment: Attachment }[] = [];
  #held: Message[] = [];
  #sending: Promise<void> = Promise.resolve();
  #sendsOpen = 0;
  #screen: Screen | null = null;
  #attached: FileToSend[] = [];
  #ownId: string | null = null;
  #isTyping = false;
  #lost: string | null = null;
  #state: Session['state'];
  #lastPosition = 0;
  /** The message that stands last on the screen. */
  #lastShown: string | null = null;

  constructor(context: Context, session: Session) {
    this.#context = context;
    this.#session = session;
    this.#state = session.state;
    this.#isTyping = session.typing;
  }

  async run(): Promise<void> {
    const { api, terminal, style } = this.#context;
    const signal = AbortSignal.any([terminal.interrupted, this.#leaving.signal]);
    try {
      let isFirst = true;
      for await (const event of followEvents(api, { sessionId: this.#session.id, signal })) {
        if (isFirst) {
          isFirst = false;
          this.#context.print(
            `${style.bold(oneLine(this.#session.agentName))} ${style.dim('· /help shows what you can type, Ctrl+D leaves')}\n`,
          );
          this.#screen = new Screen(terminal, style, CHAT_COMMANDS, {
            onText: (text) => void this.#take(text),
            onEnd: () => this.#leaving.abort(),
          });
          await this.#showHistory({ limit: HISTORY_MESSAGES }); // I1
        }
        await this.#takeEvent(event);
      }
    } finally {
      this.#screen?.close();
    }
    await this.#sending;
  }

  async #showHistory(query: { after?: number; limit: number }): Promise<void> {
    const { items } = await this.#context.api.listMessages(this.#session.id, query);
    for (const message of items) this.#show(message);
    const last = items.at(-1);
    if (items.length === PAGE_LIMIT && last !== undefined) {
      await this.#showHistory({ after: last.position, limit: PAGE_LIMIT });
    }
  }

  async #takeEvent(event: LiveEvent): Promise<void> {
    switch (event.kind) {
      case 'connected':
        this.#lost = null;
        break;
      case 'lost':
        this.#lost = event.reason;
        this.#isTyping = false;
        break;
      case 'message':
        if (event.message.direction === 'in' && this.#sendsOpen > 0)
          this.#held.push(event.message); // I2
        else this.#show(event.message);
        break;
      case 'reset':
        await this.#showHistory({ after: this.#lastPosition, limit: PAGE_LIMIT });
        break;
      case 'session':
        if (event.session.id !== this.#session.id) break;
        this.#state = event.session.state;
        this.#isTyping = event.session.typing;
        break;
      case 'typing':
        if (event.sessionId === this.#session.id) this.#isTyping = event.typing;
        break;
      default:
        assertNever(event);
    }
    this.#showStatus();
  }

  #show(message: Message): void {
    const { style, terminal } = this.#context;
    const { seen, notices } = planNotices(this.#seen.get(message.id) ?? null, message);
    this.#seen.set(message.id, seen);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= MAX_REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    const view: NoticeView = {
      style,
      now: terminal.now(),
      chatId: this.#session.chatId,
      numberOf: (from, attachment) => this.#numberFile(from, attachment),
    };
    for (const notice of notices) {
      const text = formatNotice(notice, view);
      // Progress of one message is one message on the screen, as long as nothing came between.
      if (notice.kind === 'edited' && this.#lastShown === message.id) this.#screen?.replaceLast(`${text}\n`);
      else this.#print(text);
      this.#lastShown = message.id;
      // Told as shown only now: what the person has not seen stays unread elsewhere.
      if (notice.kind === 'message' && message.position > this.#lastPosition) this.#markRead(message.position);
    }
  }

  /** From 1, and the same when the message is shown again. */
  #numberFile({ id: messageId }: Message, attachment: Attachment): number {
    const at = this.#files.findIndex(
      (file) => file.messageId === messageId && file.attachment.name === attachment.name,
    );
    return at >= 0 ? at + 1 : this.#files.push({ messageId, attachment });
  }

  #markRead(position: number): void {
    this.#lastPosition = position;
    this.#context.api.markRead(this.#session.id, position).catch((error: unknown) => {
      // An unread mark too many is no harm; the next message marks again.
      if (!(error instanceof CliError)) throw error;
    });
  }

  #print(text: string): void {
    this.#lastShown = null;
    this.#screen?.print(`${text}\n`);
  }

  #showStatus(): void {
    const own = this.#ownId === null ? undefined : this.#seen.get(this.#ownId);
    const agent = oneLine(this.#session.agentName);
    const parts = [
      ...(this.#lost === null ? [] : ['not connected, trying again…']),
      ...(this.#attached.length === 0 ? [] : [`📎 ${this.#attached.map((file) => oneLine(file.name)).join(', ')}`]),
      ...(this.#isTyping ? [`${agent} is typing…`] : []),
      ...(['failed', 'quarantined', 'waiting', 'starting'].includes(this.#state) ? [`${agent} is ${this.#state}`] : []),
    ];
    const ownState = own === undefined ? null : describeOwnState(own.message);
    if (this.#sendsOpen > 0) parts.push('sending…');
    else if (ownState !== null) parts.push(ownState);
    this.#screen?.setStatus(parts.join(' · '));
  }

  async #take(line: string): Promise<void> {
    try {
      await this.#obey(line);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.#complain(error);
    }
    this.#showStatus();
  }

  #complain(error: CliError): void {
    const expected = error.expected === undefined ? '' : ` (expected: ${oneLine(error.expected)})`;
    this.#print(this.#context.style.red(`✗ ${oneLine(error.message)}${expected}`));
  }

  async #obey(line: string): Promise<void> {
    const { terminal, api, style } = this.#context;
    const input = parseInput(line);
    switch (input.kind) {
      case 'quit':
        this.#leaving.abort();
        return;
      case 'help':
        this.#print(style.dim(CHAT_HELP));
        // What the host has to say of its own commands, to whoever this is, follows.
        return this.#say(line, []);
      case 'wrong':
        return this.#print(style.yellow(input.problem));
      case 'detach':
        this.#attached = [];
        return;
      case 'attach': {
        const [file] = await readFilesToSend([input.path], terminal.cwd);
        if (file !== undefined) this.#attached = [...this.#attached, file];
        return;
      }
      case 'save': {
        const file = this.#files[input.number - 1];
        if (file === undefined) return this.#print(style.yellow(`No file is shown with number ${input.number}.`));
        const content = await api.downloadFile(file.messageId, file.attachment.name);
        const path = await saveReceivedFile(file.attachment.name, content, input.path, terminal.cwd);
        return this.#print(style.dim(`saved ${oneLine(path)} (${formatBytes(content.length)})`));
      }
      case 'text': {
        const files = this.#attached;
        this.#attached = [];
        return this.#say(input.text, files);
      }
      default:
        return assertNever(input);
    }
  }

  /** One after the other, so that messages arrive in the order in which they were typed. */
  #say(text: string, files: FileToSend[]): Promise<void> {
    this.#sendsOpen++;
    const before = this.#sending;
    this.#sending = before.then(() => this.#send(text, files));
    return this.#sending;
  }

  async #send(text: string, files: FileToSend[]): Promise<void> {
    try {
      const sent = await this.#post(text, files);
      this.#ownId = sent.id;
      this.#show(sent);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.#complain(error);
      this.#print(this.#context.style.dim(`not sent: ${oneLine(text)}`));
    } finally {
      this.#sendsOpen--;
      if (this.#sendsOpen === 0) {
        const held = this.#held;
        this.#held = [];
        for (const message of held) this.#show(message);
      }
      this.#showStatus();
    }
  }

  /** While the host is away the same message is tried again, under the same id: it arrives once. */
  async #post(text: string, files: FileToSend[]): Promise<Message> {
    const clientId = randomUUID();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#context.api.sendMessage(this.#session.id, { text, files, clientId });
      } catch (error) {
        const isAway = error instanceof CliError && HOST_AWAY.has(error.code);
        if (!isAway || attempt === SEND_TRIES || this.#leaving.signal.aborted) throw error;
        await this.#waitUnlessLeaving(SEND_RETRY_MS * 2 ** attempt);
      }
    }
  }

  #waitUnlessLeaving(delayMs: number): Promise<void> {
    const { signal } = this.#leaving;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      signal.addEventListener('abort', end);
    });
  }
}
