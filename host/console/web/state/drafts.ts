/**
 * Unsent text, one per session, kept in localStorage so that it survives a reload.
 * Where storage is full or forbidden the draft lives as long as the page.
 */
export interface Drafts {
  read(sessionId: string): string;
  /** Empty text removes the draft. */
  write(sessionId: string, text: string): void;
  /** All of them, of this page and of others. */
  clear(): void;
}

/** What is used of the browser's storage. */
export interface TextStorage {
  readonly length: number;
  key(at: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

const PREFIX = 'portolan:draft:';

export function createDrafts(storage: TextStorage): Drafts {
  const memory = new Map<string, string>();
  return {
    read: (sessionId) => memory.get(sessionId) ?? attempt(() => storage.getItem(PREFIX + sessionId)) ?? '',
    write(sessionId, text) {
      memory.set(sessionId, text);
      attempt(() => (text === '' ? storage.removeItem(PREFIX + sessionId) : storage.setItem(PREFIX + sessionId, text)));
    },
    clear() {
      memory.clear();
      const keys = attempt(() => Array.from({ length: storage.length }, (_, at) => storage.key(at))) ?? [];
      for (const key of keys) if (key?.startsWith(PREFIX) === true) attempt(() => storage.removeItem(key));
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
