/**
 * Sends that the host has not confirmed, in IndexedDB with their files, so that a reload or a closed
 * tab does not lose them. Where IndexedDB is forbidden they live as long as the page.
 */
import type { Pending } from './pending.ts';

export interface Outbox {
  put(pending: Pending): Promise<void>;
  remove(clientId: string): Promise<void>;
  all(): Promise<Pending[]>;
}

type Stored = Pick<Pending, 'clientId' | 'sessionId' | 'text' | 'files' | 'createdAt'>;

const STORE = 'pending';

export function createOutbox(factory: IDBFactory): Outbox {
  let opening: Promise<IDBDatabase | null> | null = null;

  function open(): Promise<IDBDatabase | null> {
    opening ??= openDatabase(factory);
    return opening;
  }

  async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
    const database = await open();
    if (database === null) return null;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => {
        // No room for the files: the send goes on from memory.
        if (transaction.error?.name === 'QuotaExceededError') resolve(null);
        else reject(transaction.error);
      };
    });
  }

  return {
    async put({ clientId, sessionId, text, files, createdAt }) {
      const stored: Stored = { clientId, sessionId, text, files, createdAt };
      await run('readwrite', (store) => store.put(stored));
    },
    async remove(clientId) {
      await run('readwrite', (store) => store.delete(clientId));
    },
    async all() {
      const rows: unknown[] = (await run('readonly', (store) => store.getAll())) ?? [];
      return rows
        .filter(isStored)
        .map((row) => ({ ...row, status: { kind: 'waiting' as const }, matchedId: null }))
        .sort((a, b) => a.createdAt - b.createdAt);
    },
  };
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    const request = factory.open('portolan', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: 'clientId' });
    };
    request.onsuccess = () => resolve(request.result);
    // Private windows and full disks: the outbox is a second net, not the first.
    request.onerror = () => resolve(null);
  });
}

function isStored(row: unknown): row is Stored {
  if (typeof row !== 'object' || row === null) return false;
  const one: Partial<Record<keyof Stored, unknown>> = row;
  return (
    typeof one.clientId === 'string' &&
    typeof one.sessionId === 'string' &&
    typeof one.text === 'string' &&
    typeof one.createdAt === 'number' &&
    Array.isArray(one.files) &&
    one.files.every((file) => file instanceof File)
  );
}
