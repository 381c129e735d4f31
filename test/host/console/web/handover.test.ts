import { expect, it } from 'vitest';
import { createDrafts, type TextStorage } from '../../../../host/console/web/state/drafts.ts';
import { handOver } from '../../../../host/console/web/state/handover.ts';

class MemoryStorage implements TextStorage {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  key(at: number): string | null {
    return [...this.#items.keys()][at] ?? null;
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

function makeBrowser() {
  const storage = new MemoryStorage();
  const sends = new Map<string, { clientId: string }>();
  const keep = (clientId: string) => sends.set(clientId, { clientId });
  const outbox = {
    all: async () => [...sends.values()],
    remove: async (clientId: string) => void sends.delete(clientId),
  };
  const drafts = createDrafts(storage);
  return { storage, sends, keep, drafts, left: { storage, outbox, drafts } };
}

it('what a person left unsent is theirs again when they come back', async () => {
  const { drafts, keep, sends, left } = makeBrowser();
  expect(await handOver('web:anna', left)).toBe(false);
  keep('one');
  drafts.write('ses_1', 'half a thought');
  expect(await handOver('web:anna', left)).toBe(false);
  expect([[...sends.keys()], drafts.read('ses_1')]).toEqual([['one'], 'half a thought']);
});

it('what a person left unsent is neither sent nor shown when somebody else signs in', async () => {
  const { storage, drafts, keep, sends, left } = makeBrowser();
  await handOver('web:owner', left);
  keep('one');
  keep('two');
  drafts.write('ses_1', 'a secret');
  storage.setItem('portolan:draft:ses_2', 'of another tab');
  storage.setItem('mantine-color-scheme-value', 'dark');
  expect(await handOver('web:anna', left)).toBe(true);
  expect([sends.size, drafts.read('ses_1'), drafts.read('ses_2')]).toEqual([0, '', '']);
  expect(storage.getItem('mantine-color-scheme-value')).toBe('dark');
  expect(await handOver('web:anna', left)).toBe(false);
});
