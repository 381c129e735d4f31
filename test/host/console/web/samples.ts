import type { Message, Session } from '../../../../host/console/web/client/types.ts';
import type { Pending } from '../../../../host/console/web/state/pending.ts';

export const SESSION = 'ses_1';

export function sampleMessage(changes: Partial<Message> & { position: number }): Message {
  return {
    id: `msg_${changes.position}`,
    revision: changes.position,
    sessionId: SESSION,
    chatId: 'chat_1',
    threadId: null,
    direction: 'out',
    kind: 'chat',
    author: { id: 'agt_1', name: 'main' },
    destination: 'here',
    text: `text ${changes.position}`,
    attachments: [],
    inReplyTo: null,
    state: 'delivered',
    stateReason: null,
    clientId: null,
    reactions: [],
    traceId: 'trc_1',
    createdAt: changes.position * 1_000,
    editedAt: null,
    question: null,
    usage: null,
    ...changes,
  };
}

export function sampleSession(changes: Partial<Session> = {}): Session {
  return {
    id: SESSION,
    agentId: 'agt_1',
    agentName: 'main',
    provider: 'demo',
    model: null,
    chatId: 'chat_1',
    channelType: 'web',
    title: null,
    threadId: null,
    state: 'idle',
    stateReason: null,
    triesAgainAt: null,
    typing: false,
    unread: 0,
    lastMessage: null,
    writable: true,
    lastActiveAt: 1,
    createdAt: 1,
    revision: 1,
    ...changes,
  };
}

export function samplePending(changes: Partial<Pending> = {}): Pending {
  return {
    clientId: 'web-1',
    sessionId: SESSION,
    text: 'hello',
    files: [],
    createdAt: 50_000,
    status: { kind: 'sending', sentBytes: 0, totalBytes: 0 },
    matchedId: null,
    ...changes,
  };
}
