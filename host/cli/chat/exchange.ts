/** A question and its replies, for scripts: sends, follows the events, and knows when it is over. */
import { randomUUID } from 'node:crypto';
import type { HostApi } from '../client/api.ts';
import { followEvents, type LiveEvent } from '../client/live.ts';
import type { FileToSend } from '../client/resources/messages.ts';
import type { Message, Session } from '../client/types.ts';
import { CliError, EXIT } from '../errors.ts';
import { planExchange } from './plan.ts';

export interface Question {
  text: string;
  files: readonly FileToSend[];
}

export interface Exchange {
  question: Message;
  /** What answers it, oldest first, in whatever state it ended. */
  replies: Message[];
}

export interface ExchangeListener {
  /** A reply in its last version, once the exchange is over. */
  onReply(reply: Message): void;
  /** Something a person should know meanwhile. */
  onNotice(text: string): void;
}

const PAGE_LIMIT = 200;

/** One stream of events for any number of questions, one after the other. */
export class Exchanges implements AsyncDisposable {
  readonly #api: HostApi;
  readonly #session: Session;
  readonly #listener: ExchangeListener;
  readonly #ending = new AbortController();
  readonly #events: AsyncGenerator<LiveEvent>;
  #next: Promise<IteratorResult<LiveEvent>> | null = null;
  /** Messages whose turn waits for an answer: what it says then replies to them. */
  readonly #asked: Message['id'][] = [];
  readonly #told = new Set<Message['id']>();

  private constructor(api: HostApi, session: Session, listener: ExchangeListener, interrupted: AbortSignal) {
    this.#api = api;
    this.#session = session;
    this.#listener = listener;
    const signal = AbortSignal.any([interrupted, this.#ending.signal]);
    this.#events = followEvents(api, { sessionId: session.id, signal });
  }

  /** Returns when the host has promised to send whatever changes. Throws CliError. */
  static async open(
    api: HostApi,
    session: Session,
    listener: ExchangeListener,
    interrupted: AbortSignal,
  ): Promise<Exchanges> {
    const exchanges = new Exchanges(api, session, listener, interrupted);
    await exchanges.#events.next();
    return exchanges;
  }

  /** Sends and waits for the end of it. Throws CliError `no_reply` after `timeoutMs`, `interrupted`. */
  async ask({ text, files }: Question, timeoutMs: number): Promise<Exchange> {
    const sent = await this.#api.sendMessage(this.#session.id, { text, files, clientId: randomUUID() });
    const seen = new Map<string, Message>([[sent.id, sent]]);
    const deadline = Date.now() + timeoutMs;
    let settleBy: number | null = null;
    for (;;) {
      const question = seen.get(sent.id) ?? sent;
      const replies = listReplies(seen, [sent.id, ...this.#asked]).filter(({ id }) => !this.#told.has(id));
      const stage = planExchange(question, replies);
      if (stage.kind === 'over') return this.#end(question, replies);
      settleBy = stage.kind === 'settling' ? (settleBy ?? Date.now() + stage.forMs) : null;
      const event = await this.#nextEvent((settleBy ?? deadline) - Date.now());
      if (event !== 'late') {
        // Something changed: what follows it may be as far behind.
        if (event.kind === 'message' && Date.now() < deadline) settleBy = null;
        await this.#take(event, seen, sent);
      } else if (settleBy !== null) return this.#end(question, replies);
      else {
        throw new CliError(
          EXIT.failed,
          'no_reply',
          `No reply within ${timeoutMs / 1000} s; the message is ${question.state}.`,
          {
            expected: 'a reply, or a longer --timeout',
            next: `portolan trace ${sent.id}`,
          },
        );
      }
    }
  }

  #end(question: Message, replies: Message[]): Exchange {
    for (const reply of replies) {
      this.#told.add(reply.id);
      this.#listener.onReply(reply);
    }
    if (replies.some((reply) => reply.question?.state === 'pending')) this.#asked.push(question.id);
    return { question, replies };
  }

  async #take(event: LiveEvent, seen: Map<string, Message>, sent: Message): Promise<void> {
    switch (event.kind) {
      case 'message':
        keepNewer(seen, event.message);
        return;
      case 'reset': {
        keepNewer(seen, await this.#api.readMessage(sent.id));
        const { items } = await this.#api.listMessages(sent.sessionId, { after: sent.position, limit: PAGE_LIMIT });
        for (const message of items) keepNewer(seen, message);
        return;
      }
      case 'lost':
        this.#listener.onNotice(`Connection lost (${event.reason}); trying again.`);
        return;
      case 'session': {
        const { id, state, stateReason } = event.session;
        if (id !== sent.sessionId || (state !== 'failed' && state !== 'quarantined')) return;
        throw new CliError(
          EXIT.failed,
          `session_${state}`,
          `The session is ${state}${stateReason === null ? '' : `: ${stateReason}`}`,
          { expected: 'an agent that answers; the message stays queued', next: `portolan release ${id}` },
        );
      }
      case 'connected':
      case 'typing':
        return;
    }
  }

  /** The next event, or `late`. One that comes after is kept for the next call. */
  async #nextEvent(withinMs: number): Promise<LiveEvent | 'late'> {
    this.#next ??= this.#events.next();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, withinMs), 'late');
    });
    try {
      const result = await Promise.race([this.#next, late]);
      if (result === 'late') return 'late';
      this.#next = null;
      if (result.done)
        throw new CliError(EXIT.failed, 'interrupted', 'Interrupted; the agent goes on with the message.');
      return result.value;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#next;
    await this.#events.return(undefined);
  }
}

function keepNewer(seen: Map<string, Message>, message: Message): void {
  const known = seen.get(message.id);
  if (known === undefined || known.revision < message.revision) seen.set(message.id, message);
}

function listReplies(seen: ReadonlyMap<string, Message>, questionIds: readonly Message['id'][]): Message[] {
  return [...seen.values()]
    .filter(({ direction, inReplyTo }) => direction === 'out' && inReplyTo !== null && questionIds.includes(inReplyTo))
    .sort((a, b) => a.position - b.position);
}
