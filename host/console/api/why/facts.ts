/** Gathers what the ledger and the tables say about a message. Reads, and decides nothing. */
import {
  type AgentGroupId,
  isId,
  type MessageId,
  type MessagingGroupId,
  parseId,
  parseUserId,
  type SessionId,
} from '../../../../shared/ids.ts';
import type { LedgerRecord } from '../../../store/ledger.ts';
import type { NameOf } from '../ledger-words.ts';
import type { ApiParts } from '../ports.ts';
import type { WhyFacts } from './plan.ts';

type WhyParts = Pick<
  ApiParts,
  'transcript' | 'ledger' | 'agents' | 'chats' | 'users' | 'sessions' | 'destinations' | 'approvals' | 'decisions'
>;

/** Entries about one thing. Higher: longer answers about what changes often. Lower: its beginning is missing. */
const MAX_ABOUT = 100;
/** Things that a decision may stand on, one through another: destination, wiring, approval. */
const MAX_GROUNDS = 20;
/** Fields of an entry that name what it stands on. */
const GROUND_FIELDS = ['destinationId', 'wiring', 'approval', 'approvalId', 'request'];
/** What is said of a person that lets them write. */
const STANDING_KINDS = /^(role|member|owner|person)\./;

/** Null: neither the transcript nor the ledger knows the message. */
export function findWhyFacts(parts: WhyParts, id: MessageId): WhyFacts | null {
  const { transcript, ledger } = parts;
  const message = transcript.get(id);
  const own = ledger.listAbout(id, MAX_ABOUT);
  if (message === null && own.length === 0) return null;
  const sessionId = message?.sessionId ?? own.find((record) => record.sessionId !== null)?.sessionId ?? null;
  const agentGroupId = sessionId === null ? null : findAgentOf(parts, sessionId);
  const nameOf = makeNameOf(parts);
  return {
    message,
    agentName: agentGroupId === null ? 'An agent that is gone' : nameOf(agentGroupId),
    own,
    grounds: [
      ...gatherGrounds(parts, own, sessionId === null ? [] : findApproval(parts, sessionId, id)),
      ...gatherStanding(parts, own, agentGroupId),
    ],
    destinationNow: findDestination(parts, agentGroupId, own),
    recordedSince: ledger.firstOf(message?.direction === 'in' ? 'message.heard' : 'delivery.delivered')?.at ?? null,
    nameOf,
  };
}

function findAgentOf({ sessions }: WhyParts, id: SessionId): AgentGroupId | null {
  return (sessions.get(id) ?? sessions.getEnded(id))?.agentGroupId ?? null;
}

/** What an agent asked for by this message. */
function findApproval({ approvals }: WhyParts, sessionId: SessionId, id: MessageId): string[] {
  const approval = approvals.findByRequest(sessionId, id);
  return approval === null ? [] : [approval.id];
}

function gatherGrounds({ ledger }: WhyParts, own: readonly LedgerRecord[], first: readonly string[]): LedgerRecord[] {
  const seen = new Set<string>();
  const found: LedgerRecord[] = [];
  const waiting = [...first, ...own.flatMap(listGrounds)];
  for (let next = waiting.shift(); next !== undefined && seen.size < MAX_GROUNDS; next = waiting.shift()) {
    if (seen.has(next) || own.some(({ messageId }) => messageId === next)) continue;
    seen.add(next);
    const records = ledger.listAbout(next, MAX_ABOUT);
    found.push(...records);
    waiting.push(...records.flatMap(listGrounds));
  }
  return found;
}

function listGrounds({ detail }: LedgerRecord): string[] {
  return GROUND_FIELDS.flatMap((field) => {
    const value = detail[field];
    return typeof value === 'string' ? [value] : [];
  });
}

/** What made its sender somebody who may write to this agent, up to then; and by which approvals. */
function gatherStanding(
  parts: WhyParts,
  own: readonly LedgerRecord[],
  agentGroupId: AgentGroupId | null,
): LedgerRecord[] {
  const heard = own.find(({ kind }) => kind === 'message.heard');
  const sender = heard?.actor == null ? null : parseUserId(heard.actor);
  if (heard === undefined || sender === null) return [];
  const records = parts.users
    .identitiesOf(sender)
    .flatMap((id) => parts.ledger.listAbout(id, MAX_ABOUT))
    .filter(({ kind, position, detail }) => {
      const of = detail.agent ?? null;
      return STANDING_KINDS.test(kind) && position < heard.position && (of === null || of === agentGroupId);
    });
  return [...records, ...gatherGrounds(parts, records, [])];
}

/** The name that the row had, as the agent's chart has it now. */
function findDestination(
  { destinations, chats, agents }: WhyParts,
  agentGroupId: AgentGroupId | null,
  own: readonly LedgerRecord[],
): WhyFacts['destinationNow'] {
  const name = own.findLast(({ kind }) => kind.startsWith('delivery.'))?.detail.destination;
  const row = agentGroupId === null || typeof name !== 'string' ? null : destinations.find(agentGroupId, name);
  if (row === null) return null;
  if (row.targetType === 'agent') {
    const agent = agents.get(row.targetId as AgentGroupId);
    return { channelType: 'agent', platformId: row.targetId, displayName: agent?.name ?? null };
  }
  // The table holds messaging group ids for targets of type 'channel'.
  const chat = chats.get(row.targetId as MessagingGroupId);
  return {
    channelType: chat?.channelType ?? null,
    platformId: chat?.platformId ?? null,
    displayName: chat?.name ?? null,
  };
}

/** Names as they are now, with what tells two of a name apart. */
export function makeNameOf({
  agents,
  chats,
  users,
  decisions,
}: Pick<ApiParts, 'agents' | 'chats' | 'users' | 'decisions'>): NameOf {
  return (id) => {
    const approvalId = parseId('approval', id);
    if (approvalId !== null) return decisions.get(approvalId)?.code ?? id;
    if (isId('agentGroup', id)) return (agents.get(id) ?? agents.getArchived(id))?.name ?? id;
    const chatId = parseId('messagingGroup', id);
    if (chatId !== null) {
      const chat = chats.get(chatId);
      return chat === null ? id : `the chat “${chat.name}” (${chat.channelType}/${chat.platformId})`;
    }
    const userId = parseUserId(id);
    const name = userId === null ? '' : (users.get(userId)?.displayName ?? '');
    return name === '' ? id : `${name} (${id})`;
  };
}
