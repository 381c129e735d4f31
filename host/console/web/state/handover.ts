/**
 * One browser, one person after the other: what somebody left unsent is not sent, nor shown, as somebody else's.
 */
import type { Drafts, TextStorage } from './drafts.ts';

const KEY = 'portolan:person';

export interface Left {
  storage: Pick<TextStorage, 'getItem' | 'setItem'>;
  outbox: { all(): Promise<readonly { clientId: string }[]>; remove(clientId: string): Promise<void> };
  drafts: Pick<Drafts, 'clear'>;
}

/** Whether somebody else was signed in here before: then nothing of theirs is left, and the page is to begin anew. */
export async function handOver(userId: string, { storage, outbox, drafts }: Left): Promise<boolean> {
  const before = storage.getItem(KEY);
  if (before === userId) return false;
  if (before !== null) {
    for (const { clientId } of await outbox.all()) await outbox.remove(clientId);
    drafts.clear();
  }
  storage.setItem(KEY, userId);
  return before !== null;
}
