/**
 * Live news for pages and programs: one fan-out of what was committed.
 *
 * I1. A message is told after its row is committed, never before.
 * I2. Typing is derived: an agent types in a session while a message to it is read and not yet answered.
 */
import type { ApprovalId, MessageId, SessionId, UserId } from '../../../shared/ids.ts';
import type { PersonStore } from '../../store/persons.ts';
import type { Transcript, TranscriptMessage } from '../../store/transcript.ts';
import type { UserStore } from '../../store/users.ts';

export type News =
  | { kind: 'messages'; messages: readonly TranscriptMessage[] }
  | { kind: 'session'; sessionId: SessionId }
  | { kind: 'approval'; approvalId: ApprovalId }
  /** What these identities may do changed, or where they are signed in. */
  | { kind: 'people'; userIds: ReadonlySet<UserId> }
  | { kind: 'typing'; sessionId: SessionId; typing: boolean };

export interface FeedSources {
  transcript: Pick<Transcript, 'onFlush'>;
  users: Pick<UserStore, 'onChanged'>;
  persons: Pick<PersonStore, 'onChanged'>;
}

export class Feed {
  readonly #listeners = new Set<(news: News) => void>();
  readonly #beingRead = new Map<SessionId, Set<MessageId>>();

  #changedPeople: Set<UserId> | null = null;

  constructor({ transcript, users, persons }: FeedSources) {
    for (const store of [users, persons]) store.onChanged((ids) => this.tellPeople(ids));
    transcript.onFlush((messages) => {
      // In order of revision, so that a reader cut in the middle has seen all up to its last.
      const ordered = messages.toSorted((one, other) => one.revision - other.revision);
      this.#tell({ kind: 'messages', messages: ordered });
      for (const message of messages) if (message.direction === 'in') this.#followTyping(message);
      for (const id of new Set(messages.map((message) => message.sessionId))) this.tellSession(id);
    });
  }

  /** After a start: messages that an earlier host saw being read. */
  resume(messages: readonly TranscriptMessage[]): void {
    for (const message of messages) if (message.direction === 'in') this.#followTyping(message);
  }

  /** Readers of the stream now. */
  get readers(): number {
    return this.#listeners.size;
  }

  /** Something people see of this session changed: state, title, reading. */
  tellSession(sessionId: SessionId): void {
    this.#tell({ kind: 'session', sessionId });
  }

  /** An approval was asked for, decided, or carried out. */
  tellApproval(approvalId: ApprovalId): void {
    this.#tell({ kind: 'approval', approvalId });
  }

  /** May be called inside the transaction that changes them: told once that is committed, and once for all of it. */
  tellPeople(userIds: Iterable<UserId>): void {
    if (this.#changedPeople === null) {
      this.#changedPeople = new Set();
      queueMicrotask(() => {
        const changed = this.#changedPeople ?? new Set();
        this.#changedPeople = null;
        this.#tell({ kind: 'people', userIds: changed });
      });
    }
    for (const id of userIds) this.#changedPeople.add(id);
  }

  isTyping(sessionId: SessionId): boolean {
    return this.#beingRead.has(sessionId);
  }

  /** Listeners must not throw. Returns the way to stop. */
  subscribe(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** I2 */
  #followTyping(message: TranscriptMessage): void {
    const { sessionId, id } = message;
    const reading = this.#beingRead.get(sessionId);
    if (message.state === 'read') {
      if (reading !== undefined) {
        reading.add(id);
        return;
      }
      this.#beingRead.set(sessionId, new Set([id]));
      this.#tell({ kind: 'typing', sessionId, typing: true });
    } else if (reading?.delete(id) === true && reading.size === 0) {
      this.#beingRead.delete(sessionId);
      this.#tell({ kind: 'typing', sessionId, typing: false });
    }
  }

  #tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }
}
