/**
 * What the resource that a path names belongs to: the facts that its right is judged by. Null: there is none.
 * A new kind of resource needs its line in FINDERS, or nobody but global admins reaches it.
 */
import { type MessagingGroupId, parseId, parseUserId } from '../../../shared/ids.ts';
import { type Place, type Subject, toCardSubject, toCommandSubject } from '../../access/console.ts';
import type { Session } from '../../store/sessions.ts';
import type { TranscriptMessage } from '../../store/transcript.ts';
import type { ApiParts } from './ports.ts';

type Finder = (parts: ApiParts, id: string) => Subject | null;

/** By the first word of the path: `/agents/{id}/…` is about the agent. */
const FINDERS: Readonly<Record<string, Finder>> = {
  agents: ({ agents }, text) => {
    const id = parseId('agentGroup', text);
    if (id === null) return null;
    if (agents.get(id) !== null) return { ...ofAgent(id), isForMembers: true };
    return agents.getArchived(id) === null ? null : ofAgent(id);
  },
  destinations: ({ destinations }, id) => ofRow(destinations.get(id)),
  chats: (parts, text) => {
    const id = parseId('messagingGroup', text);
    return id === null ? null : subjectOfChat(parts, id);
  },
  wirings: ({ wirings }, text) => {
    const id = parseId('wiring', text);
    return id === null ? null : ofRow(wirings.get(id));
  },
  sessions: (parts, text) => {
    const id = parseId('session', text);
    const session = id === null ? null : parts.sessions.get(id);
    return session === null ? null : subjectOfSession(parts, session);
  },
  messages: (parts, text) => {
    const id = parseId('message', text);
    const message = id === null ? null : parts.transcript.get(id);
    if (message !== null) return subjectOfMessage(parts, message);
    // Requests, edits and reactions stand in the ledger alone.
    const sessionId = id === null ? null : (parts.ledger.listAbout(id, 1)[0]?.sessionId ?? null);
    const session = sessionId === null ? null : parts.sessions.get(sessionId);
    return session === null ? null : subjectOfSession(parts, session);
  },
  tasks: (parts, text) => {
    const id = parseId('task', text);
    const task = id === null ? null : parts.tasks.get(id);
    const session = task === null ? null : parts.sessions.get(task.sessionId);
    return session === null ? null : subjectOfSession(parts, session);
  },
  people: ({ people }, text) => {
    const id = parseUserId(text);
    const person = id === null ? null : people.get(id);
    if (person === null) return null;
    const agents = person.grants.flatMap(({ agentGroupId }) => (agentGroupId === null ? [] : [agentGroupId]));
    return { seenIn: agents.map((agentGroupId) => ({ agentGroupId, openedBy: null })), changedBy: [] };
  },
  builds: ({ images }, text) => {
    const id = parseId('imageBuild', text);
    return id === null ? null : ofRow(images.get(id));
  },
  approvals: ({ decisions }, text) => {
    const id = parseId('approval', text);
    return id === null ? null : ofRow(decisions.get(id));
  },
};

export function findSubject(parts: ApiParts, kind: string, id: string): Subject | null {
  return Object.hasOwn(FINDERS, kind) ? (FINDERS[kind]?.(parts, id) ?? null) : null;
}

/** A chat is of all agents that listen in it, and of who opened it; null when it is not there. */
export function subjectOfChat({ chats, wirings }: ApiParts, id: MessagingGroupId): Subject | null {
  const chat = chats.get(id);
  if (chat === null) return null;
  const agents = wirings.listFor(id).map(({ agentGroupId }) => agentGroupId);
  return { seenIn: agents.map((agentGroupId) => ({ agentGroupId, openedBy: chat.openedBy })), changedBy: agents };
}

export function subjectOfSession(
  { chats }: Pick<ApiParts, 'chats'>,
  { agentGroupId, messagingGroupId }: Pick<Session, 'agentGroupId' | 'messagingGroupId'>,
): Subject {
  const openedBy = messagingGroupId === null ? null : (chats.get(messagingGroupId)?.openedBy ?? null);
  return { seenIn: [{ agentGroupId, openedBy }], changedBy: [agentGroupId] };
}

type MessageParts = Pick<ApiParts, 'chats' | 'sessions' | 'visible' | 'asked' | 'decisions'>;

/** Null: its session is gone. */
export function subjectOfMessage(parts: MessageParts, message: TranscriptMessage): Subject | null {
  const subject = subjectOfPlace(parts, message);
  if (subject !== null && message.onlyFor !== null) return toCommandSubject(subject, message.onlyFor);
  if (subject === null || message.kind !== 'question' || message.authorId !== null) return subject;
  // Agents sign their questions: this is the host's, a card.
  const approvalId = parts.asked.get(message.id)?.approvalId ?? null;
  return toCardSubject(subject, approvalId === null ? null : (parts.decisions.get(approvalId)?.agentGroupId ?? null));
}

/** A message is shown in its own session, and what was sent into a chat in all sessions of that chat. */
function subjectOfPlace(
  parts: MessageParts,
  { sessionId, direction, messagingGroupId }: TranscriptMessage,
): Subject | null {
  const session = parts.sessions.get(sessionId) ?? parts.sessions.getEnded(sessionId);
  if (session === null) return null;
  const own = subjectOfSession(parts, session);
  if (direction !== 'out' || messagingGroupId === null || messagingGroupId === session.messagingGroupId) return own;
  const openedBy = parts.chats.get(messagingGroupId)?.openedBy ?? null;
  const shown: Place[] = parts.visible
    .agentsInChat(messagingGroupId)
    .map((agentGroupId) => ({ agentGroupId, openedBy }));
  return { ...own, seenIn: [...own.seenIn, ...shown] };
}

function ofAgent(id: string): Subject {
  return { seenIn: [{ agentGroupId: id, openedBy: null }], changedBy: [id] };
}

/** Of an agent's admins; of nobody but global admins when it is of no agent. */
function ofRow(row: { agentGroupId: string | null } | null): Subject | null {
  if (row === null) return null;
  return row.agentGroupId === null ? { seenIn: [], changedBy: [] } : ofAgent(row.agentGroupId);
}
