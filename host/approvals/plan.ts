/** Whom to ask, and what exactly was asked. Pure. */
import { createHash } from 'node:crypto';
import type { MessagingGroupId } from '../../shared/ids.ts';
import type { Approval, JsonValue } from '../store/approvals.ts';
import type { Decision } from './approval.ts';

interface AskableChat {
  messagingGroupId: MessagingGroupId;
  channelType: string;
}

export interface RoleHolder {
  /** Linked identities are one person. */
  personId: string;
  role: 'owner' | 'admin';
  /** Null: global. */
  agentGroupId: string | null;
  /** Chats of this person alone with the host, most likely read first. */
  chats: readonly AskableChat[];
}

export interface AskFacts {
  agentGroupId: string | null;
  /** In the order in which they got their roles. */
  holders: readonly RoleHolder[];
  /** Where the request came from. */
  preferredChannel: string | null;
  /** How many people must be asked, counting those who are and those who approved. */
  atLeast: number;
  /** How many are to be asked beside them. */
  more: number;
  /** An open card stands there. */
  isAsked: (chat: AskableChat) => boolean;
  /** Who approved already, wherever they did. */
  voters: readonly string[];
  /** A card cannot go there now. */
  isClosed: (chat: AskableChat) => boolean;
}

/**
 * The chats that cards go to now, one for each person who is asked anew: admins of the agent group before global
 * admins before owners; of a person's chats one on the preferred channel. Empty: nobody is missing, or nobody more
 * can be asked.
 */
export function planAsk(facts: AskFacts): MessagingGroupId[] {
  const { preferredChannel, isAsked, isClosed } = facts;
  const people = listDeciders(facts);
  const asked = new Set(facts.voters);
  for (const { personId, chats } of people) if (chats.some(isAsked)) asked.add(personId);
  const wanted = Math.max(facts.atLeast, asked.size + facts.more);
  const chosen: MessagingGroupId[] = [];
  for (const { personId, chats } of people) {
    if (asked.size >= wanted) break;
    if (asked.has(personId)) continue;
    const open = chats.filter((chat) => !isClosed(chat) && !chosen.includes(chat.messagingGroupId));
    const chat = open.find(({ channelType }) => channelType === preferredChannel) ?? open[0];
    if (chat === undefined) continue;
    asked.add(personId);
    chosen.push(chat.messagingGroupId);
  }
  return chosen;
}

/** Everybody who may decide what is about this agent group, once each, in the order in which they are asked. */
export function listDeciders({
  holders,
  agentGroupId,
}: Pick<AskFacts, 'holders' | 'agentGroupId'>): { personId: string; chats: AskableChat[] }[] {
  const ranked = holders
    .flatMap((holder) => {
      const rank = rankOf(holder, agentGroupId);
      return rank === null ? [] : [{ holder, rank }];
    })
    .toSorted((one, other) => one.rank - other.rank);
  const people = new Map<string, { personId: string; chats: AskableChat[] }>();
  for (const { holder } of ranked) {
    const person = people.get(holder.personId) ?? { personId: holder.personId, chats: [] };
    person.chats.push(...holder.chats);
    people.set(holder.personId, person);
  }
  return [...people.values()];
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
  if (state === 'expired' || state === 'superseded' || choice === null || decidedBy === null) {
    return { kind: 'expired' };
  }
  return { kind: state === 'rejected' ? 'rejected' : 'approved', choice, by: decidedBy };
}
