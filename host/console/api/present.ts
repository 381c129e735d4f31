/** Host facts as API resources. */
import type { MessageId, UserId } from '../../../shared/ids.ts';
import { modelServiceOf } from '../../../shared/providers.ts';
import { STAGES, type Stamps } from '../../../shared/trace.ts';
import { limitSight, type Standing } from '../../access/console.ts';
import { archivePath } from '../../agents/folders.ts';
import type { Removal } from '../../agents/removals.ts';
import { assertNever } from '../../config/errors.ts';
import { commandsFor } from '../../config/home.ts';
import { safeFileNames } from '../../sessions/attachments.ts';
import type { AgentGroup } from '../../store/agents.ts';
import type { MessagingGroup } from '../../store/chats.ts';
import type { DestinationRow } from '../../store/destinations.ts';
import type { DroppedMessages } from '../../store/dropped.ts';
import type { LedgerRecord } from '../../store/ledger.ts';
import type { Session as StoredSession } from '../../store/sessions.ts';
import type { TranscriptKind, TranscriptMessage } from '../../store/transcript.ts';
import type { Wiring as StoredWiring } from '../../store/wirings.ts';
import type { ApiParts } from './ports.ts';
import { presentUsage } from './present-usage.ts';
import type {
  Agent,
  AgentRemoval,
  Chat,
  Destination,
  Dropped,
  Message,
  Refusal,
  Session,
  Trace,
  Wiring,
} from './schemas.ts';

/** Channels whose chats live in this host: messages can be posted through the API. */
export const OWN_CHANNELS = new Set(['web', 'terminal']);
/** A row's time is whole milliseconds, taken at the commit that the turn stamps a moment before. */
const ROW_GRAIN_MS = 5;
/** Of a last message in a list. */
const SNIPPET_LENGTH = 140;

export function presentAgent(agent: AgentGroup): Agent {
  return {
    id: agent.id,
    name: agent.name,
    folder: agent.folder,
    isAdmin: agent.isAdmin,
    provider: agent.config.provider,
    model: agent.config.model,
    service: agent.config.service,
    effort: agent.config.effort,
    timezone: agent.config.timezone,
    createdAt: agent.createdAt,
    removedAt: agent.archivedAt,
    revision: agent.revision,
  };
}

export function presentRemoval(removal: Extract<Removal, { kind: 'removed' }>, now: number): AgentRemoval {
  const { agent, routes, archiveFolder, warning } = removal;
  return {
    agent: presentAgent({ ...agent, archivedAt: now }),
    archivedTo: archivePath(archiveFolder),
    wirings: routes.wirings,
    destinations: routes.destinations,
    pointing: routes.pointing.length,
    tasks: routes.tasks,
    questions: routes.questions.length,
    warning,
  };
}

/** `detail` was written by delivery, with what the container's row claimed. */
export function presentRefusal(record: LedgerRecord, { agents }: Pick<ApiParts, 'agents'>): Refusal {
  // Refusals are recorded under the agent that was refused.
  const agentId = record.actor as AgentGroup['id'] | null;
  const agent = agentId === null ? null : (agents.get(agentId) ?? agents.getArchived(agentId));
  const text = (key: string): string | null => {
    const value = record.detail[key];
    return typeof value === 'string' ? value : null;
  };
  return {
    position: record.position,
    at: record.at,
    agentId,
    agentName: agent?.name ?? null,
    sessionId: record.sessionId,
    messageId: record.messageId,
    destination: text('destination'),
    channelType: text('channelType'),
    platformId: text('platformId'),
    threadId: text('threadId'),
    reason: text('reason') ?? 'no reason was recorded',
  };
}

export function presentChat(chat: MessagingGroup): Chat {
  const { id, channelType, platformId, name, unknownSenderPolicy, createdAt, revision } = chat;
  return { id, channelType, platformId, name, unknownSenderPolicy, createdAt, revision };
}

export function presentWiring(wiring: StoredWiring): Wiring {
  const { id, messagingGroupId, agentGroupId, ...settings } = wiring;
  return { id, chatId: messagingGroupId, agentId: agentGroupId, ...settings };
}

export function presentDestination(
  row: DestinationRow,
  parts: Pick<ApiParts, 'chats' | 'agents' | 'destinations'>,
): Destination {
  // The table holds messaging group ids for targets of type 'channel', agent group ids for 'agent'.
  const name =
    row.targetType === 'channel'
      ? parts.chats.get(row.targetId as MessagingGroup['id'])?.name
      : parts.agents.get(row.targetId as AgentGroup['id'])?.name;
  return {
    id: row.id,
    agentId: row.agentGroupId,
    name: row.localName,
    type: row.targetType,
    targetId: row.targetId,
    formerNames: parts.destinations.listFormerNames(row.agentGroupId).get(row.id) ?? [],
    displayName: name ?? null,
    createdAt: row.createdAt,
    revision: row.revision,
  };
}

/** Why routing turned messages of people away. */
const DROP_REASONS: ReadonlyMap<string, string> = new Map([
  ['unwired', 'No agent listens in this chat.'],
  ['unknown_sender', 'The agents there do not know this person.'],
  ['sender_turned_away', 'An admin turned this person away.'],
  ['not_addressed', 'The message was for none of the agents there.'],
  ['command_refused', 'They gave a command that they have no right to give.'],
  ['too_many_commands', 'They gave commands faster than those are taken.'],
  ['unclear_answer', 'Several questions are open there, and it was not clear which it answers.'],
  ['too_many_strangers', 'Too many strangers wait for an admin already.'],
  ['held_full', 'Too much waits for an admin already.'],
  ['admission_expired', 'No admin decided in time.'],
  ['unreadable', 'What was kept of it could not be read.'],
]);

export function presentDropped({ row: _row, ...entry }: DroppedMessages & { row: number }): Dropped {
  return { ...entry, why: DROP_REASONS.get(entry.reason) ?? entry.reason };
}

/** Whom a session is shown to: what is unread and said last differs. */
export interface Viewer {
  userId: UserId;
  standing: Standing;
}

export function presentSession(session: StoredSession, { userId, standing }: Viewer, parts: ApiParts): Session {
  const agent = parts.agents.get(session.agentGroupId);
  const chat = session.messagingGroupId === null ? null : parts.chats.get(session.messagingGroupId);
  const live = parts.control.liveState(session);
  const sight = limitSight(standing, chat?.openedBy ?? null);
  const last = parts.transcript.last(session, sight);
  return {
    id: session.id,
    agentId: session.agentGroupId,
    agentName: agent?.name ?? '',
    provider: agent?.config.provider ?? null,
    model: agent === null || modelServiceOf(agent.config) === null ? null : agent.config.model,
    chatId: session.messagingGroupId,
    channelType: chat?.channelType ?? null,
    title: session.title === '' ? null : session.title,
    threadId: session.threadId,
    state: live.state,
    stateReason: live.reason === null || !standing.isGlobalAdmin ? live.reason : commandsFor(parts.home, live.reason),
    triesAgainAt: live.untilMs,
    typing: parts.feed.isTyping(session.id),
    unread: parts.readMarks.countUnread(userId, session, sight),
    lastMessage:
      last === null
        ? null
        : {
            text: last.text.slice(0, SNIPPET_LENGTH),
            at: last.createdAt,
            direction: last.direction,
            author: { id: last.authorId, name: last.authorName },
          },
    writable: chat !== null && OWN_CHANNELS.has(chat.channelType),
    lastActiveAt: session.lastActiveAt,
    createdAt: session.createdAt,
    revision: session.revision,
  };
}

/** `usage`: of the messages of a page, looked up together. */
export function presentMessage(
  message: TranscriptMessage,
  parts: MessageParts,
  usage: ReturnType<typeof presentUsage> = presentUsage(message.direction === 'in' ? [message.id] : [], parts),
): Message {
  return {
    id: message.id,
    position: message.position,
    revision: message.revision,
    sessionId: message.sessionId,
    chatId: message.messagingGroupId,
    threadId: message.threadId,
    direction: message.direction,
    kind: presentKind(message.kind),
    author: { id: message.authorId, name: message.authorName },
    destination: message.destination,
    text: message.text,
    attachments: presentAttachments(message),
    inReplyTo: message.inReplyTo,
    state: message.state,
    stateReason: message.stateReason,
    clientId: message.clientId,
    reactions: message.reactions,
    traceId: message.traceId,
    createdAt: message.createdAt,
    editedAt: message.editedAt,
    question: message.kind === 'question' ? presentQuestion(message.id, parts) : null,
    usage: usage.get(message.id) ?? null,
  };
}

type QuestionParts = Pick<ApiParts, 'asked' | 'decisions'>;
type MessageParts = QuestionParts & Pick<ApiParts, 'modelCalls'>;

/** A question that was refused was never put to anybody. */
function presentQuestion(messageId: MessageId, { asked, decisions }: QuestionParts): Message['question'] {
  const found = asked.get(messageId);
  if (found === null) return null;
  const { title, question, options, state, answer, answeredByName, answeredAt, expiresAt, approvalId } = found;
  const outcome = approvalId === null ? null : (decisions.get(approvalId)?.outcome ?? null);
  return {
    title,
    question,
    options,
    state,
    answer,
    answeredBy: answeredByName,
    answeredAt,
    expiresAt,
    approvalId,
    outcome,
  };
}

/** Under the names that the host's copies have: an agent's own names are input like any other. */
function presentAttachments(message: TranscriptMessage): Message['attachments'] {
  const names = safeFileNames(message.attachments.map((attachment) => attachment.name));
  return message.attachments.map(({ sizeBytes, contentType, gone }, at) => {
    const name = names[at] ?? 'file';
    const url = `/api/v1/messages/${message.id}/files/${encodeURIComponent(name)}`;
    return { name, sizeBytes, contentType, url, isKept: gone !== true };
  });
}

function presentKind(kind: TranscriptKind): Message['kind'] {
  switch (kind) {
    case 'chat':
    case 'question':
      return 'chat';
    case 'task':
    case 'webhook':
      return 'task';
    case 'system':
    case 'request':
      return 'system';
    default:
      return assertNever(kind);
  }
}

/** A message's stages, and those of its answers. */
export function presentTrace(message: TranscriptMessage, replies: readonly TranscriptMessage[]): Trace {
  return {
    id: message.id,
    traceId: message.traceId,
    stages: listStages(message.stamps),
    replies: replies.map((reply) => ({
      id: reply.id,
      destination: reply.destination,
      stages: listStages(mergeStamps(message.stamps, reply.stamps)),
    })),
  };
}

/**
 * A reply's path: its message's, then its own. A row that was written when the turn ended has the turn's
 * finer stamp; one written earlier, by a tool, has its own time, in whole milliseconds.
 */
function mergeStamps(message: Stamps, reply: Stamps): Stamps {
  const merged = { ...message, ...reply };
  const [turn, row] = [message.row_committed, reply.row_committed];
  if (turn === undefined || row === undefined) return merged;
  if (turn - row < ROW_GRAIN_MS) return { ...merged, row_committed: turn };
  const { first_output: firstOutput = row } = merged;
  return { ...merged, row_committed: Math.max(row, firstOutput) };
}

function listStages(stamps: Stamps): Trace['stages'] {
  let previous: number | null = null;
  return STAGES.flatMap((stage) => {
    const at = stamps[stage];
    if (at === undefined) return [];
    const since: number | null = previous === null ? null : Math.round((at - previous) * 1_000) / 1_000;
    previous = at;
    return [{ stage, at, sincePreviousMs: since }];
  });
}
