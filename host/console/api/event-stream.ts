/**
 * `GET /events`: Server-sent events, one reader per open stream.
 *
 * I1. A reader that names the last revision it saw hears every message changed after it, once, in its
 *     newest form and in order of revision, then what is new; or `reset`, when that would be too much.
 * I2. What waits for a slow reader is bounded: past the bound it is cut, and comes back by I1.
 * I3. One timer serves all readers, and none runs without readers.
 */
import type { MessagingGroupId, SessionId, UserId } from '../../../shared/ids.ts';
import type { TranscriptMessage } from '../../store/transcript.ts';
import type { News } from './feed.ts';
import { HEARTBEAT_MS, MAX_EVENT_READERS, MAX_READER_BYTES, MAX_REPLAY, SESSION_NEWS_MS } from './limits.ts';
import type { ApiParts } from './ports.ts';
import { presentMessage, presentSession } from './present.ts';
import { Problem } from './problem.ts';

/** Limits it to one session's conversation. */
export interface EventFilter {
  sessionId: SessionId;
  messagingGroupId: MessagingGroupId | null;
}

export interface EventRequest {
  userId: UserId;
  filter: EventFilter | null;
  after: number | null;
  disconnect: () => void;
}

interface Reader {
  userId: UserId;
  filter: EventFilter | null;
  stream: BoundedStream;
}

export class EventStreams implements Disposable {
  readonly #parts: ApiParts;
  readonly #readers = new Set<Reader>();
  readonly #changedSessions = new Set<SessionId>();
  #unsubscribe: (() => void) | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #sessionTimer: NodeJS.Timeout | null = null;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#readers.size;
  }

  /**
   * A stream of events. `after` is the last revision the reader saw, null for live news alone; `disconnect`
   * cuts its connection. Throws Problem 503.
   */
  open({ userId, filter, after, disconnect }: EventRequest): ReadableStream<Uint8Array> {
    if (this.#readers.size >= MAX_EVENT_READERS) {
      throw new Problem(503, 'too_many_readers', 'Too many event streams are open.', {
        expected: `at most ${MAX_EVENT_READERS}`,
        next: 'close some tabs or programs',
      });
    }
    const reader: Reader = { userId, filter, stream: new BoundedStream(() => this.#remove(reader), disconnect) };
    reader.stream.write('retry: 1000\n\n');
    if (after === null) this.#writeReady(reader, 'ready');
    else this.#replay(reader, after);
    // Nothing can be committed between the replay and this: both are one turn of the event loop.
    this.#readers.add(reader);
    this.#start();
    return reader.stream.readable;
  }

  /** Ends every stream; pages come back by themselves. */
  [Symbol.dispose](): void {
    for (const reader of this.#readers) reader.stream.end();
    this.#readers.clear();
    this.#stop();
  }

  /** I1 */
  #replay(reader: Reader, after: number): void {
    const { transcript } = this.#parts;
    const changed = transcript.listChangedSince(after, MAX_REPLAY + 1);
    const events = changed
      .filter((message) => concerns(reader.filter, message))
      .map((message) => formatMessage(message, this.#parts));
    const bytes = events.reduce((sum, event) => sum + event.length, 0);
    if (after > transcript.revision || changed.length > MAX_REPLAY || bytes > MAX_READER_BYTES / 4) {
      this.#writeReady(reader, 'reset');
      return;
    }
    for (const event of events) reader.stream.write(event);
  }

  #writeReady(reader: Reader, event: 'ready' | 'reset'): void {
    const { revision } = this.#parts.transcript;
    reader.stream.write(`id: ${revision}\nevent: ${event}\ndata: ${JSON.stringify({ revision })}\n\n`);
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'messages':
        for (const message of news.messages) this.#tellMessage(message);
        return;
      case 'session':
        this.#changedSessions.add(news.sessionId);
        this.#sessionTimer ??= setTimeout(() => this.#tellSessions(), SESSION_NEWS_MS);
        return;
      case 'typing': {
        const { sessionId, typing } = news;
        this.#tellAll(sessionId, () => `event: typing\ndata: ${JSON.stringify({ sessionId, typing })}\n\n`);
        return;
      }
      default:
        news satisfies never;
    }
  }

  #tellMessage(message: TranscriptMessage): void {
    let event: string | null = null;
    for (const reader of this.#readers) {
      if (!concerns(reader.filter, message)) continue;
      event ??= formatMessage(message, this.#parts);
      reader.stream.write(event);
    }
  }

  #tellSessions(): void {
    this.#sessionTimer = null;
    const changed = [...this.#changedSessions];
    this.#changedSessions.clear();
    for (const id of changed) {
      const session = this.#parts.sessions.get(id);
      if (session === null) {
        this.#tellAll(id, () => `event: session-ended\ndata: ${JSON.stringify({ sessionId: id })}\n\n`);
        continue;
      }
      const format = (userId: UserId) =>
        `event: session\ndata: ${JSON.stringify(presentSession(session, userId, this.#parts))}\n\n`;
      this.#tellAll(id, format);
    }
  }

  /** Formats once for each person who listens: what is unread differs. */
  #tellAll(sessionId: SessionId, format: (userId: UserId) => string): void {
    const events = new Map<UserId, string>();
    for (const reader of this.#readers) {
      if (reader.filter !== null && reader.filter.sessionId !== sessionId) continue;
      const event = events.get(reader.userId) ?? format(reader.userId);
      events.set(reader.userId, event);
      reader.stream.write(event);
    }
  }

  /** I3 */
  #start(): void {
    this.#unsubscribe ??= this.#parts.feed.subscribe((news) => this.#hear(news));
    this.#heartbeat ??= setInterval(() => {
      for (const reader of this.#readers) reader.stream.beat();
    }, HEARTBEAT_MS).unref();
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
    if (this.#sessionTimer !== null) clearTimeout(this.#sessionTimer);
    this.#sessionTimer = null;
    this.#changedSessions.clear();
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#stop();
  }
}

function concerns(filter: EventFilter | null, message: TranscriptMessage): boolean {
  if (filter === null || message.sessionId === filter.sessionId) return true;
  // What other agents send into this session's chat belongs to its conversation.
  return (
    message.direction === 'out' &&
    message.messagingGroupId !== null &&
    message.messagingGroupId === filter.messagingGroupId
  );
}

function formatMessage(message: TranscriptMessage, parts: ApiParts): string {
  return `id: ${message.revision}\nevent: message\ndata: ${JSON.stringify(presentMessage(message, parts))}\n\n`;
}

const encoder = new TextEncoder();

/** I2: a stream that holds what its reader has not taken, up to MAX_READER_BYTES; then the reader is cut. */
class BoundedStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #onGone: () => void;
  readonly #disconnect: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #wanted = false;
  #idleBeats = 0;

  constructor(onGone: () => void, disconnect: () => void) {
    this.#onGone = onGone;
    this.#disconnect = disconnect;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#take(),
        cancel: () => this.#leave(),
      },
      // Nothing is buffered beside #waiting.
      { highWaterMark: 0 },
    );
  }

  write(text: string): void {
    if (this.#controller === null) return;
    const bytes = encoder.encode(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#wanted) this.#take();
    else if (this.#waitingBytes > MAX_READER_BYTES) this.#cut();
  }

  /** A comment that keeps the connection alive; a reader that took nothing for two beats is cut. */
  beat(): void {
    this.#idleBeats = this.#waitingBytes > 0 ? this.#idleBeats + 1 : 0;
    if (this.#idleBeats > 2) this.#cut();
    else this.write(':\n\n');
  }

  end(): void {
    const controller = this.#controller;
    this.#controller = null;
    controller?.close();
  }

  #take(): void {
    if (this.#waiting.length === 0) {
      this.#wanted = true;
      return;
    }
    this.#wanted = false;
    this.#idleBeats = 0;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#controller?.enqueue(bytes);
  }

  #cut(): void {
    this.#leave();
    this.#disconnect();
  }

  #leave(): void {
    this.#controller = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onGone();
  }
}
