import type { Session } from '../client/types.ts';
import { isFromAgent } from '../conversation/timeline.ts';

/** Newest activity first; equal times by id, so that the list never flickers. */
export function orderSessions(sessions: Iterable<Session>): Session[] {
  return [...sessions].sort((a, b) => b.lastActiveAt - a.lastActiveAt || (a.id < b.id ? 1 : -1));
}

/** What a session is called in the list and the header. */
export function nameSession(session: Session): string {
  return session.title ?? (session.lastMessage === null ? 'New chat' : session.agentName);
}

/** The last message in one grey line, with who wrote it when that was not the agent. */
export function describeSnippet({ lastMessage: last }: Pick<Session, 'lastMessage'>, myUserId: string | null): string {
  if (last === null) return 'No messages yet';
  const text = last.text.replaceAll(/\s+/g, ' ').trim() || 'Attachment';
  // Only people write as they mean it; Markdown marks of agents and of the host say nothing here.
  const isOther = last.direction === 'in' && last.author.id !== null;
  if (isOther && !isFromAgent(last))
    return `${last.author.id === myUserId ? 'You' : last.author.name || last.author.id}: ${text}`;
  const plain = text
    .replaceAll(/[*_`#>|]+/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return isOther && last.author.name !== '' ? `${last.author.name}: ${plain}` : plain;
}

/** Sessions that the typed words match, in any order, by title, agent and last message. */
export function matchSessions(sessions: readonly Session[], query: string): Session[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter((session) => {
    const text = `${nameSession(session)} ${session.agentName} ${session.lastMessage?.text ?? ''}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}
