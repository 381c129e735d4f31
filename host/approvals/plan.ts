/** Whom to ask, and what exactly was asked. Pure. */
import { createHash } from 'node:crypto';
import type { MessagingGroupId, UserId } from '../../shared/ids.ts';
import type { Approval, JsonValue } from '../store/approvals.ts';
import type { Decision } from './approval.ts';

export interface RoleHolder {
  userId: UserId;
  role: 'owner' | 'admin';
  /** Null: global. */
  agentGroupId: string | null;
  /** Chats of this person alone with the host, most likely read first. */
  chats: readonly { messagingGroupId: MessagingGroupId; channelType: string }[];
}

export interface AskFacts {
  agentGroupId: string | null;
  /** In the order in which they got their roles. */
  holders: readonly RoleHolder[];
  /** Where the request came from. */
  preferredChannel: string | null;
  /** A card cannot go there now. */
  isClosed: (chat: { messagingGroupId: MessagingGroupId; channelType: string }) => boolean;
}

/**
 * The one chat that the card goes to: of the first person who has one, admins of the agent group before global
 * admins before owners; of their chats one on the preferred channel. Null: nobody can be asked now.
 */
export function planAsk({ agentGroupId, holders, preferredChannel, isClosed }: AskFacts): MessagingGroupId | null {
  const ranked = holders
    .map((holder) => ({ holder, rank: rankOf(holder, agentGroupId) }))
    .filter(({ rank }) => rank !== null)
    .toSorted((one, other) => (one.rank ?? 0) - (other.rank ?? 0));
  for (const { holder } of ranked) {
    const open = holder.chats.filter((chat) => !isClosed(chat));
    const chat = open.find(({ channelType }) => channelType === preferredChannel) ?? open[0];
    if (chat !== undefined) return chat.messagingGroupId;
  }
  return null;
}

function rankOf({ role, agentGroupId: of }: RoleHolder, agentGroupId: string | null): number | null {
  if (role === 'owner') return 2;
  if (of === null) return 1;
  return agentGroupId !== null && of === agentGroupId ? 0 : null;
}

/** SHA-256, in hex, of the action and the payload; the order of keys does not matter. */
export function hashRequest(action: string, payload: JsonValue): string {
  return createHash('sha256')
    .update(JSON.stringify([action, spell(payload)]))
    .digest('hex');
}

/** One spelling per value. Objects as pairs: a key like "1" or "__proto__" would go elsewhere in an object. */
function spell(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return ['list', value.map(spell)];
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value).toSorted();
  return ['record', keys.map((key) => [key, spell(value[key] ?? null)])];
}

/** What was decided, as the row says. Null while it is pending. */
export function readDecision({ state, choice, decidedBy }: Approval): Decision | null {
  if (state === 'pending') return null;
  if (state === 'expired' || choice === null || decidedBy === null) return { kind: 'expired' };
  return { kind: state === 'rejected' ? 'rejected' : 'approved', choice, by: decidedBy };
}
