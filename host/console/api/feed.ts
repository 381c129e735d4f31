/** Live news for pages and programs: one fan-out, bounded per reader. */
import type { SessionId } from '../../../shared/ids.ts';
import type { Transcript, TranscriptMessage } from '../../store/transcript.ts';

export type News =
  | { kind: 'message'; message: TranscriptMessage }
  | { kind: 'session'; sessionId: SessionId }
  | { kind: 'typing'; sessionId: SessionId; typing: boolean };

export class Feed {
  readonly #listeners = new Set<(news: News) => void>();
  readonly #typing = new Set<SessionId>();

  constructor(transcript: Transcript) {
    transcript.onFlush((messages) => {
      for (const message of messages) this.#tell({ kind: 'message', message });
      for (const id of new Set(messages.map((message) => message.sessionId))) this.tellSession(id);
    });
  }

  get readers(): number {
    return this.#listeners.size;
  }

  tellSession(sessionId: SessionId): void {
    this.#tell({ kind: 'session', sessionId });
  }

  setTyping(sessionId: SessionId, typing: boolean): void {
    if (this.#typing.has(sessionId) === typing) return;
    if (typing) this.#typing.add(sessionId);
    else this.#typing.delete(sessionId);
    this.#tell({ kind: 'typing', sessionId, typing });
  }

  isTyping(sessionId: SessionId): boolean {
    return this.#typing.has(sessionId);
  }

  subscribe(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }
}
