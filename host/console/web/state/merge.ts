import type { Message } from '../client/types.ts';

/**
 * Joins two sets of messages of one session: each id once, in its newest revision, by position.
 * Returns `old` itself when nothing changed, so that React can skip the drawing.
 */
export function mergeMessages(old: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const byId = new Map(old.map((message) => [message.id, message]));
  let changed = false;
  for (const message of incoming) {
    const known = byId.get(message.id);
    if (known !== undefined && known.revision >= message.revision) continue;
    byId.set(message.id, message);
    changed = true;
  }
  if (!changed) return old;
  return [...byId.values()].sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
}

/** Position before the `unread` newest messages of the agent; null when nothing is unread. */
export function findReadPosition(messages: readonly Message[], unread: number): number | null {
  if (unread <= 0) return null;
  const fromAgent = messages.filter((message) => message.direction === 'out');
  const first = fromAgent.at(-Math.min(unread, fromAgent.length));
  return first === undefined ? null : first.position - 1;
}
