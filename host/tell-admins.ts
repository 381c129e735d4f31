/**
 * What one of an agent's admins should know without having asked: in a chat of theirs alone with the host, the
 * first person's who can be reached. Nobody decides anything by it.
 */
import { deriveMessageId, type MessagingGroupId, makeId } from '../shared/ids.ts';
import { listDeciders } from './approvals/plan.ts';
import type { Notices } from './delivery/notices.ts';
import { hostLog } from './observe/logger.ts';
import type { AgentGroup } from './store/agents.ts';
import type { ChatStore, MessagingGroup } from './store/chats.ts';
import type { Session, SessionStore } from './store/sessions.ts';
import type { UserStore } from './store/users.ts';

export interface AdminTellerParts {
  users: Pick<UserStore, 'listRoleHolders'>;
  chats: Pick<ChatStore, 'get'>;
  sessions: Pick<SessionStore, 'findInChat' | 'listRecent'>;
  /** Whether anything can be sent by this channel now. */
  isConnected: (channelType: string) => boolean;
  tell: Notices['tell'];
  now: () => number;
}

/** Tells once per agent and key. */
export function makeAdminTeller(parts: AdminTellerParts): (agent: AgentGroup, key: string, text: string) => void {
  return (agent, key, text) => {
    const chat = findChat(agent, parts);
    const session = chat === null ? null : findSession(agent, chat, parts);
    if (chat === null || session === null) {
      hostLog.warn({ agentGroupId: agent.id, key }, 'no admin could be told; the ledger and the console know more');
      return;
    }
    const about = { id: deriveMessageId(agent.id, 'admins', key), timestamp: parts.now() };
    parts.tell(
      session,
      {
        ...about,
        ...{ seq: 0, kind: 'system', tries: 0, trigger: false, processAfter: null, content: '{}' },
        ...{ channelType: chat.channelType, platformId: chat.platformId, threadId: null },
        ...{ senderId: null, sourceSessionId: null, traceId: makeId('trace', about.timestamp) },
      },
      key,
      text,
    );
  };
}

function findChat(agent: AgentGroup, { users, chats, isConnected }: AdminTellerParts): MessagingGroup | null {
  const people = listDeciders({ holders: users.listRoleHolders(agent.id), agentGroupId: agent.id });
  const places: { messagingGroupId: MessagingGroupId; channelType: string }[] = people.flatMap((one) => one.chats);
  const place = places.find(({ channelType }) => isConnected(channelType));
  return place === undefined ? null : chats.get(place.messagingGroupId);
}

/** Every message belongs to a session: the chat's own, else one of the agent it is about. */
function findSession(agent: AgentGroup, chat: MessagingGroup, { sessions }: AdminTellerParts): Session | null {
  return sessions.findInChat(chat.id) ?? sessions.listRecent(1, null, agent.id)[0] ?? null;
}
