import type { Session } from '../client/types.ts';

/** Newest activity first; equal times by id, so that the list never flickers. */
export function orderSessions(sessions: Iterable<Session>): Session[] {
  return [...sessions].sort((a, b) => b.lastActiveAt - a.lastActiveAt || (a.id < b.id ? 1 : -1));
}

/** What a session is called in the list and the header. */
export function nameSession(session: Session): string {
  return session.title ?? (session.lastMessage === null ? 'New chat' : session.agentName);
}

/** Sessions that the typed words match, in any order, by title, agent and last message. */
export function matchSessions(sessions: readonly Session[], query: string): Session[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter((session) => {
    const text = `${nameSession(session)} ${session.agentName} ${session.lastMessage?.text ?? ''}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}
