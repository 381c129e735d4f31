/** What a fresh home needs: an owner, and the agent `main` with a first chat. Running it again changes nothing. */
import { randomBytes } from 'node:crypto';
import type { AgentGroupId, UserId } from '../shared/ids.ts';
import type { AgentGroup, AgentStore } from './store/agents.ts';
import type { ChatStore } from './store/chats.ts';
import type { Ledger } from './store/ledger.ts';
import type { Session, SessionStore } from './store/sessions.ts';
import type { UserStore } from './store/users.ts';
import type { WiringStore } from './store/wirings.ts';

export const OWNER = 'web:owner' as UserId;
export const FIRST_AGENT = 'main';

export interface ChatStores {
  agents: AgentStore;
  chats: ChatStore;
  wirings: WiringStore;
  sessions: SessionStore;
}

export interface FirstRunStores extends ChatStores {
  users: UserStore;
  ledger: Ledger;
  /** Runs the work in one transaction. */
  commit: <T>(work: () => T) => T;
}

/** Whether anything was made. The owner comes last: until then a crash has the next start make the rest. */
export function ensureFirstRun(stores: FirstRunStores, now: number): boolean {
  const { users, agents, sessions, ledger, commit } = stores;
  if (users.hasOwner()) return false;
  const main = agents.findByName(FIRST_AGENT) ?? makeFirstAgent(stores, now);
  users.ensure(OWNER, 'Owner', now);
  if (sessions.listForAgent(main.id).length === 0) openChat(stores, main.id, 'web', 'First chat', OWNER, now);
  commit(() => {
    users.grant(OWNER, 'owner', null, null, now);
    const detail = { role: 'owner', agent: null, isNew: true };
    ledger.append({ kind: 'role.granted', sessionId: null, messageId: OWNER, actor: null, detail }, now);
  });
  return true;
}

function makeFirstAgent({ agents, ledger, commit }: FirstRunStores, now: number): AgentGroup {
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const named = { name: FIRST_AGENT, folder: FIRST_AGENT, isAdmin: true };
  return commit(() => {
    const agent = agents.create({ ...named, provider: 'demo', timezone, now });
    const detail = { agent: agent.id, ...named };
    ledger.append({ kind: 'agent.made', sessionId: null, messageId: null, actor: null, detail }, now);
    return agent;
  });
}

/**
 * A chat of this host's own channels with an agent: messaging group, wiring, destination and session.
 * The terminal has one per agent, the web as many as people open, each its opener's own. Null when there is no such
 * agent. `by` is a user of this host.
 */
export function openChat(
  stores: ChatStores,
  agentId: AgentGroupId,
  channel: 'web' | 'terminal',
  title: string | undefined,
  by: UserId,
  now: number,
): Session | null {
  const agent = stores.agents.get(agentId);
  if (agent === null) return null;
  const platformId = channel === 'terminal' ? agent.id : randomBytes(9).toString('base64url');
  const name = title === undefined || title === '' ? channel : title;
  const chat = stores.chats.ensure({
    channelType: channel,
    platformId,
    name,
    unknownSenderPolicy: 'strict',
    // What is written in the terminal's chat is for whoever sits at this machine.
    openedBy: channel === 'terminal' ? null : by,
    now,
  });
  stores.wirings.create(
    chat.id,
    agent.id,
    {
      engageMode: 'always',
      engagePattern: null,
      senderScope: 'known',
      ignoredMessagePolicy: 'drop',
      sessionMode: 'shared',
      priority: 0,
    },
    now,
    { by },
  );
  const key = { agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null };
  return stores.sessions.find(key) ?? stores.sessions.create(key, title ?? '', now);
}
