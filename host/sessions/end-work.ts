/**
 * Ends everything that is open in a session whose agent was removed, so that people see it: messages that wait
 * for an answer fail, deliveries that wait are refused. Repeated, it finds what is left.
 */
import type { MessageId, SessionId } from '../../shared/ids.ts';
import { Fault } from '../config/errors.ts';
import type { Transcript } from '../store/transcript.ts';
import { describeDelivery } from './delivery-record.ts';
import type { Inboxes, SessionRef } from './inbox.ts';
import type { DeliveryRow, OpenInbound } from './inbox-tables.ts';
import type { EndFiring, TellChat } from './settle.ts';

export interface EndWorkParts {
  inboxes: Inboxes;
  transcript: Transcript;
  tellChat: TellChat;
  endFiring: EndFiring;
}

export interface EndWords {
  /** What became of each message, for lists: no full sentence. */
  reason: string;
  /** Said once in each chat and thread that waits for an answer. */
  notice: string;
}

export interface EndedWork {
  failed: number;
  refused: number;
  /** Sessions of other agents that wrote to this one and get no answer. */
  askers: SessionId[];
}

/** Rows ended in one commit. Higher: a longer stop of the host. Lower: more commits. */
const MAX_ENDED = 500;

/** Throws Fault `session_busy`, `disk_full`, `disk_failed`: nothing of this commit was done, try again. */
export async function endWork(
  session: SessionRef,
  { inboxes, transcript, tellChat, endFiring }: EndWorkParts,
  words: EndWords,
  now: number,
): Promise<EndedWork> {
  const ended: EndedWork = { failed: 0, refused: 0, askers: [] };
  for (;;) {
    const left = readLeft(session, inboxes);
    if (left === null) return showLost(session, transcript, words, ended);
    if (left.open.length === 0 && left.deliveries.length === 0) return ended;
    // Told before it fails, like any message that fails: a crash in between tells again, once by its key.
    for (const about of lastOfEachPlace(left.open)) tellChat(session, about, 'agent-removed', words.notice);
    const deliveries = left.deliveries.map((row) => endDelivery(row, words.reason, now));
    await inboxes.commit(session, (tables) => {
      for (const row of left.open) tables.setStatus(row.id, 'failed');
      for (const row of deliveries) tables.putDelivery(row);
    });
    for (const row of left.open) {
      if (row.trigger) transcript.change(row.id, { state: 'failed', stateReason: words.reason });
      if (row.kind === 'task') endFiring(row.id, { outcome: 'failed', note: words.reason });
      if (row.sourceSessionId !== null && row.kind === 'chat') ended.askers.push(row.sourceSessionId);
    }
    for (const row of deliveries) {
      // The table holds ids of messages.
      transcript.change(row.messageOutId as MessageId, { state: row.state, stateReason: row.reason });
      transcript.record(describeDelivery(session, row), now);
    }
    ended.failed += left.open.length;
    ended.refused += deliveries.length;
    ended.askers = [...new Set(ended.askers)];
  }
}

/** Null when its database is gone or not to be read: nothing can be written there either. */
function readLeft(session: SessionRef, inboxes: Inboxes): { open: OpenInbound[]; deliveries: DeliveryRow[] } | null {
  try {
    return inboxes.read(session, (tables) => ({
      open: tables.listOpen(MAX_ENDED),
      deliveries: tables.listOpenDeliveries(MAX_ENDED),
    }));
  } catch (error) {
    if (error instanceof Fault && (error.code === 'session_missing' || error.code === 'session_corrupt')) return null;
    throw error;
  }
}

/** What people see is all there is. */
function showLost(session: SessionRef, transcript: Transcript, { reason }: EndWords, ended: EndedWork): EndedWork {
  for (const message of transcript.listUnsettled(session.id, MAX_ENDED)) {
    const state = message.direction === 'in' ? 'failed' : 'refused';
    transcript.change(message.id, { state, stateReason: reason });
    ended[state]++;
  }
  return ended;
}

/** The newest message that waits for an answer, of each chat and thread: one notice is enough. */
function lastOfEachPlace(open: readonly OpenInbound[]): OpenInbound[] {
  const last = new Map<string, OpenInbound>();
  for (const row of open) {
    if (!row.trigger || row.kind === 'system' || row.sourceSessionId !== null) continue;
    last.set(JSON.stringify([row.channelType, row.platformId, row.threadId]), row);
  }
  return [...last.values()];
}

function endDelivery(row: DeliveryRow, reason: string, now: number): DeliveryRow {
  const ended =
    row.state === 'sending'
      ? { state: 'unknown' as const, reason: `${reason} while it was being sent` }
      : { state: 'refused' as const, reason };
  return { ...row, ...ended, nextAttemptAt: null, updatedAt: now };
}
