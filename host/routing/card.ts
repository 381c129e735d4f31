/**
 * What an admin is asked about strangers. Names and texts of strangers appear in these cards: only letters, digits
 * and plain signs get through (`showSafely`), inside quotation marks that they cannot close.
 */
import type { AgentGroupId, MessagingGroupId, UserId } from '../../shared/ids.ts';
import type { ApprovalRequest } from '../approvals/approval.ts';
import { showSafely } from '../approvals/show.ts';
import { ADMISSION_OPEN_MS, MAX_OFFERED_AGENTS } from './limits.ts';

/** Characters of an id. */
const MAX_SHOWN_ID = 80;
/** Characters of what the stranger wrote. */
const MAX_SHOWN_TEXT = 160;

export const LET_IN = 'Let in';
export const TURN_AWAY = 'Turn away';
export const NOT_NOW = 'Not now';
export const NEVER = 'Never';

/** An id of a platform, which a stranger may have chosen. */
function showId(id: string): string {
  const plain = id.replace(/[^A-Za-z0-9:._+-]/g, '·').replace(/\.(?=[A-Za-z])/g, '·');
  return plain.length <= MAX_SHOWN_ID ? plain : `${plain.slice(0, MAX_SHOWN_ID - 1)}…`;
}

interface Stranger {
  senderId: UserId;
  senderName: string;
  text: string;
}

interface Place {
  channelType: string;
  platformId: string;
  name: string;
  isPrivate: boolean;
}

function describeWriting({ senderId, senderName, text }: Stranger, place: Place): string {
  const where = place.isPrivate
    ? 'in a private chat'
    : `in “${showSafely(place.name)}” (${showId(`${place.channelType}:${place.platformId}`)})`;
  const said = showSafely(text, MAX_SHOWN_TEXT);
  const wrote = said === '' ? '' : ` They wrote: “${said}”.`;
  return `“${showSafely(senderName)}” (${showId(senderId)}) wrote ${where}.${wrote}`;
}

/** May this sender talk to this agent? */
export function formatAdmission(
  stranger: Stranger,
  place: Place,
  agent: { id: AgentGroupId; name: string },
  now: number,
): ApprovalRequest {
  const name = showSafely(agent.name);
  return {
    action: 'admit_sender',
    subjectKey: admissionSubject(agent.id, stranger.senderId),
    agentGroupId: agent.id,
    requester: { kind: 'host', sessionId: null },
    title: 'Someone new',
    question: `${describeWriting(stranger, place)} May they talk to ${name}?`,
    options: [LET_IN, TURN_AWAY],
    approving: [LET_IN],
    payload: { agentGroupId: agent.id, senderId: stranger.senderId, senderName: showSafely(stranger.senderName) },
    expiresAt: now + ADMISSION_OPEN_MS,
  };
}

/** Which agent listens in this chat? */
export function formatWiring(
  stranger: Stranger,
  place: Place & { id: MessagingGroupId },
  agents: readonly { id: AgentGroupId; name: string }[],
  now: number,
): ApprovalRequest {
  const offers = offerAgents(agents);
  return {
    action: 'wire_chat',
    subjectKey: wiringSubject(place.id),
    agentGroupId: null,
    requester: { kind: 'host', sessionId: null },
    title: place.isPrivate ? 'Someone new' : 'A new chat',
    question: `${describeWriting(stranger, place)} No agent listens there yet.`,
    options: [...offers.map(({ option }) => option), NOT_NOW, NEVER],
    approving: offers.map(({ option }) => option),
    payload: {
      messagingGroupId: place.id,
      isPrivate: place.isPrivate,
      senderId: stranger.senderId,
      senderName: showSafely(stranger.senderName),
      offers,
    },
    expiresAt: now + ADMISSION_OPEN_MS,
  };
}

export function admissionSubject(agentGroupId: AgentGroupId, senderId: UserId): string {
  return `${agentGroupId} ${senderId}`;
}

export function wiringSubject(id: MessagingGroupId): string {
  return id;
}

/** An option per agent; no two alike, none that reads like a no, and none that is the number of another. */
function offerAgents(
  agents: readonly { id: AgentGroupId; name: string }[],
): { option: string; agentGroupId: AgentGroupId }[] {
  const taken = new Set<string>();
  return agents.slice(0, MAX_OFFERED_AGENTS).map(({ id, name }) => {
    const shown = showSafely(name) || 'agent';
    const plain = readsOtherwise(shown) ? `agent ${shown}` : shown;
    let option = plain;
    for (let number = 2; taken.has(fold(option)); number++) option = `${plain} ${number}`;
    taken.add(fold(option));
    return { option, agentGroupId: id };
  });
}

/** Like an answer that approves nothing, or like the number of another option: agents are called by agents. */
function readsOtherwise(name: string): boolean {
  const isNo = /^(no|not|never|none|nobody|cancel|reject|deny|stop)(?![\p{L}\p{M}\p{N}])/iu.test(name);
  return isNo || /^\d+$/.test(fold(name)) || [NOT_NOW, NEVER].some((no) => fold(no) === fold(name));
}

function fold(option: string): string {
  return option.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
}
