/**
 * Unsent text, one per session, kept in localStorage so that it survives a reload.
 * Where storage is full or forbidden the draft lives as long as the page.
 */
export interface Drafts {
  read(sessionId: string): string;
  /** Empty text removes the draft. */
  write(sessionId: string, text: string): void;
}

const PREFIX = 'portolan:draft:';

export function createDrafts(storage: Storage): Drafts {
  const memory = new Map<string, string>();
  return {
    read: (sessionId) => memory.get(sessionId) ?? attempt(() => storage.getItem(PREFIX + sessionId)) ?? '',
    write(sessionId, text) {
      memory.set(sessionId, text);
      attempt(() => (text === '' ? storage.removeItem(PREFIX + sessionId) : storage.setItem(PREFIX + sessionId, text)));
    },
  };
}

const EXPECTED = new Set(['QuotaExceededError', 'SecurityError']);

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof DOMException && EXPECTED.has(error.name)) return null;
    throw error;
  }
}
