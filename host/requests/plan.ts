/** What becomes of a request of an agent. Pure. */
import { deriveMessageId, type MessageId, type SessionId, type TraceId } from '../../shared/ids.ts';
import type { Request, RequestOf } from '../../shared/requests.ts';
import type { NewInboundRow } from '../sessions/inbox-tables.ts';

/** Open tasks of one session. Higher: an agent fills its own inbox. Lower: people's reminders are refused. */
export const MAX_OPEN_TASKS = 500;
/** Furthest that a task may lie ahead. */
const MAX_AHEAD_MS = 5 * 366 * 24 * 3_600_000;

export interface RequestFacts {
  sessionId: SessionId;
  /** The row that asks: the same row always makes the same task (nothing is done twice after a crash). */
  messageId: MessageId;
  traceId: TraceId;
  openRows: number;
  /** Where the asking message came from, so that the answer to the task goes there. */
  origin: { channelType: string; platformId: string; threadId: string | null } | null;
}

export type RequestPlan = { kind: 'schedule'; row: NewInboundRow } | { kind: 'refuse'; reason: string };

export function planRequest(request: Request, facts: RequestFacts, now: number): RequestPlan {
  switch (request.action) {
    case 'create_task': {
      if (request.at === undefined) return { kind: 'refuse', reason: 'this host cannot do that yet' };
      if (request.at > now + MAX_AHEAD_MS) return { kind: 'refuse', reason: 'a task may lie at most five years ahead' };
      if (facts.openRows >= MAX_OPEN_TASKS)
        return { kind: 'refuse', reason: `at most ${MAX_OPEN_TASKS} tasks may be open` };
      return { kind: 'schedule', row: taskRow(request, request.at, facts, now) };
    }
    default:
      return { kind: 'refuse', reason: 'this host cannot do that yet' };
  }
}

function taskRow(request: RequestOf<'create_task'>, at: number, facts: RequestFacts, now: number): NewInboundRow {
  return {
    id: deriveMessageId(facts.sessionId, 'task', facts.messageId),
    kind: 'task',
    timestamp: now,
    processAfter: at,
    trigger: true,
    onWake: false,
    channelType: facts.origin?.channelType ?? null,
    platformId: facts.origin?.platformId ?? null,
    threadId: facts.origin?.threadId ?? null,
    senderId: null,
    sourceSessionId: facts.sessionId,
    inReplyTo: facts.messageId,
    hop: 0,
    traceId: facts.traceId,
    content: JSON.stringify({ text: request.prompt, senderName: 'schedule', attachments: [] }),
  };
}
