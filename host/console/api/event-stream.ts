/**
 * `GET /events`: Server-sent events, one reader per open stream.
 *
 * I1. A reader that names the last revision it saw hears every message changed after it, once, in its
 *     newest form and in order of revision, then what is new; or `reset`, when that would be too much.
 * I2. What waits for a slow reader is bounded: past the bound it is cut, and comes back by I1.
 * I3. One timer serves all readers, and none runs without readers.
 * I4. Each event goes to those who may see it at that moment: a role that was taken away a moment ago shows
 *     nothing more, and a sign-in that ended ends its streams. Whose an event is is looked up once for all readers,
 *     and what somebody is once for all of their streams.
 * I5. Whoever was given something, or lost it, is told so, and nobody else is.
 */
import type { ApprovalId, MessagingGroupId, SessionId, UserId } from '../../../shared/ids.ts';
import type { Standing, Subject } from '../../access/console.ts';
import type { Session } from '../../store/sessions.ts';
import type { TranscriptMessage } from '../../store/transcript.ts';
import { Audience, type Listener } from './audience.ts';
import { BoundedStream } from './bounded-stream.ts';
import type { News } from './feed.ts';
import {
  HEARTBEAT_MS,
  MAX_EVENT_READERS,
  MAX_OWN_EVENT_READERS,
  MAX_READER_BYTES,
  MAX_REPLAY,
  SESSION_NEWS_MS,
} from './limits.ts';
import type { ApiParts } from './ports.ts';
import { presentMessage, presentSession, type Viewer } from './present.ts';
import { presentApproval } from './present-approval.ts';
import { Problem } from './problem.ts';
import { standingOf } from './rights.ts';
import { findSubject, subjectOfMessage, subjectOfSession } from './subjects.ts';

/** Limits it to one session's conversation. */
export interface EventFilter {
  sessionId: SessionId;
  messagingGroupId: MessagingGroupId | null;
}

export interface EventRequest {
  listener: Listener;
  filter: EventFilter | null;
  after: number | null;
  disconnect: () => void;
}

interface Reader {
  listener: Listener;
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
  open({ listener, filter, after, disconnect }: EventRequest): ReadableStream<Uint8Array> {
    this.#requireRoom(listener);
    const reader: Reader = { listener, filter, stream: new BoundedStream(() => this.#remove(reader), disconnect) };
    reader.stream.write('retry: 1000\n\n');
    if (after === null) this.#writeReady(reader, 'ready');
    else this.#replay(reader, after);
    // Nothing can be committed between the replay and this: both are one turn of the event loop.
    this.#readers.add(reader);
    this.#start();
    return reader.stream.readable;
  }

  /** Throws Problem 503. Nobody but who sees everything takes the room of all others. */
  #requireRoom({ userId, isMachine }: Listener): void {
    const isBounded = !standingOf(this.#parts, userId, isMachine).isGlobalAdmin;
    const own = [...this.#readers].filter((reader) => reader.listener.userId === userId).length;
    const most = isBounded ? MAX_OWN_EVENT_READERS : MAX_EVENT_READERS;
    if (this.#readers.size < MAX_EVENT_READERS && own < most) return;
    throw new Problem(503, 'too_many_readers', 'Too many event streams are open.', {
      expected: `at most ${most}`,
      next: 'close some tabs or programs',
    });
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
    const audience = new Audience(this.#parts);
    const events = changed
      .filter((message) => concerns(reader.filter, message))
      .filter((message) => audience.admits(reader.listener, message.id, () => subjectOfMessage(this.#parts, message)))
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
      case 'messages': {
        const audience = new Audience(this.#parts);
        for (const message of news.messages) this.#tellMessage(message, audience);
        return;
      }
      case 'session':
        this.#changedSessions.add(news.sessionId);
        this.#sessionTimer ??= setTimeout(() => this.#tellSessions(), SESSION_NEWS_MS);
        return;
      case 'typing': {
        const { sessionId, typing } = news;
        const event = `event: typing\ndata: ${JSON.stringify({ sessionId, typing })}\n\n`;
        this.#tellAll(sessionId, new Audience(this.#parts), () => event);
        return;
      }
      case 'approval':
        this.#tellApproval(news.approvalId);
        return;
      case 'people':
        this.#tellPeople(news.userIds);
        return;
      default:
        news satisfies never;
    }
  }

  #tellMessage(message: TranscriptMessage, audience: Audience): void {
    let event: string | null = null;
    for (const reader of this.#readers) {
      if (!concerns(reader.filter, message)) continue;
      if (!this.#mayHear(reader, audience, message.id, () => subjectOfMessage(this.#parts, message))) continue;
      event ??= formatMessage(message, this.#parts);
      reader.stream.write(event);
    }
  }

  /** Not to who follows one conversation alone. */
  #tellApproval(id: ApprovalId): void {
    const audience = new Audience(this.#parts);
    let event: string | null = null;
    for (const reader of this.#readers) {
      if (reader.filter !== null) continue;
      if (!this.#mayHear(reader, audience, id, () => findSubject(this.#parts, 'approvals', id))) continue;
      const approval = this.#parts.decisions.get(id);
      if (approval === null) return;
      event ??= `event: approval\ndata: ${JSON.stringify(presentApproval(approval, this.#parts))}\n\n`;
      reader.stream.write(event);
    }
  }

  /** I5. To themselves alone, and no more than that: what they are now is theirs to ask. */
  #tellPeople(userIds: ReadonlySet<UserId>): void {
    for (const reader of this.#readers) {
      if (!userIds.has(reader.listener.userId)) continue;
      if (reader.listener.isSignedIn()) reader.stream.write('event: me\ndata: {}\n\n');
      else this.#end(reader);
    }
  }

  #tellSessions(): void {
    this.#sessionTimer = null;
    const changed = [...this.#changedSessions];
    this.#changedSessions.clear();
    const audience = new Audience(this.#parts);
    for (const id of changed) {
      const session = this.#parts.sessions.get(id);
      if (session === null) {
        const event = `event: session-ended\ndata: ${JSON.stringify({ sessionId: id })}\n\n`;
        this.#tellAll(id, audience, () => event);
        continue;
      }
      const format = (viewer: Viewer) =>
        `event: session\ndata: ${JSON.stringify(presentSession(session, viewer, this.#parts))}\n\n`;
      this.#tellAll(id, audience, format);
    }
  }

  /** Formats once for each person who listens: what is unread differs. */
  #tellAll(sessionId: SessionId, audience: Audience, format: (viewer: Viewer) => string): void {
    const events = new Map<Standing, string>();
    const findSubject = () => this.#subjectOfSession(sessionId);
    for (const reader of this.#readers) {
      if (reader.filter !== null && reader.filter.sessionId !== sessionId) continue;
      if (!this.#mayHear(reader, audience, sessionId, findSubject)) continue;
      const standing = audience.standingOf(reader.listener);
      const event = events.get(standing) ?? format({ userId: reader.listener.userId, standing });
      events.set(standing, event);
      reader.stream.write(event);
    }
  }

  #subjectOfSession(id: SessionId): Subject | null {
    const { sessions } = this.#parts;
    const session: Session | null = sessions.get(id) ?? sessions.getEnded(id);
    return session === null ? null : subjectOfSession(this.#parts, session);
  }

  /** I4 */
  #mayHear(reader: Reader, audience: Audience, key: string, findSubject: () => Subject | null): boolean {
    if (!audience.isSignedIn(reader.listener)) {
      this.#end(reader);
      return false;
    }
    return audience.admits(reader.listener, key, findSubject);
  }

  /** The page comes back by itself, and hears 401. */
  #end(reader: Reader): void {
    reader.stream.end();
    this.#remove(reader);
  }

  /** I3 */
  #start(): void {
    this.#unsubscribe ??= this.#parts.feed.subscribe((news) => this.#hear(news));
    this.#heartbeat ??= setInterval(() => {
      for (const reader of this.#readers) {
        if (reader.listener.isSignedIn()) reader.stream.beat();
        else this.#end(reader);
      }
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
