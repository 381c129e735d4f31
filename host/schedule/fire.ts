/**
 * Puts one session's due tasks before its agent.
 *
 *   inbound.db: one row per run, its id made of task and due time ──► central: receipts, next time ──► wake
 *
 * I1. A crash between the two commits leaves the task due: the same ids are made again, and the rows found there
 *     stand for their runs. A run is in the inbox once.
 * I2. Every due time gets one receipt, in the same commit that moves the task on.
 */
import { deriveMessageId, type MessageId, makeId } from '../../shared/ids.ts';
import { Fault } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import type { InboxTables, NewInboundRow } from '../sessions/inbox-tables.ts';
import type { Firing, TaskFiringStore } from '../store/task-firings.ts';
import type { Task, TaskStore } from '../store/tasks.ts';
import { type FiringPlan, listDueTimes, type PlacedStatus, planFirings, planNext } from './plan.ts';

/** A task whose time has come. */
type DueTask = Task & { nextAt: number };

/** What is left to do in the central database once the rows stand. */
export interface Fired {
  task: DueTask;
  receipts: readonly Firing[];
  /** Ends of earlier firings that nobody noted. */
  settled: readonly { messageId: MessageId; outcome: 'answered' | 'failed' }[];
  nextAt: number | null;
  /** The rows that were put into the inbox. */
  rows: readonly NewInboundRow[];
}

/** The message of a run: the same task and time make the same id, always. */
function firingMessageId(task: Pick<Task, 'id' | 'sessionId'>, dueAt: number): MessageId {
  return deriveMessageId(task.sessionId, 'task', task.id, String(dueAt));
}

export function isDue(task: Task | null, now: number): task is DueTask {
  return task !== null && task.nextAt !== null && task.nextAt <= now;
}

/** Inside an inbox transaction: adds the rows of one due task. */
export function placeFirings(tables: InboxTables, firings: TaskFiringStore, task: DueTask, now: number): Fired {
  try {
    return place(tables, firings, task, now);
  } catch (error) {
    if (error instanceof Fault && error.code === 'schedule_unusable') return giveUp(task, error.message, now);
    throw error;
  }
}

function place(tables: InboxTables, firings: TaskFiringStore, task: DueTask, now: number): Fired {
  const due = listDueTimes(task, now);
  const placed = new Map<number, PlacedStatus>();
  for (const dueAt of due.times) {
    const status = tables.getStatus(firingMessageId(task, dueAt));
    if (status !== null) placed.set(dueAt, status);
  }
  const settled: { messageId: MessageId; outcome: 'answered' | 'failed' }[] = [];
  let open = 0;
  for (const { messageId } of firings.listOpenOfTask(task.id)) {
    if (messageId === null) continue;
    const status = tables.getStatus(messageId);
    if (status === 'pending') open++;
    else settled.push({ messageId, outcome: status === 'done' ? 'answered' : 'failed' });
  }
  const plan = planFirings({ due, policy: task.missed, placed, open, now });
  const rows = plan.fire.map((run) => makeRow(task, run, now));
  tables.append(rows);
  const lastDue = due.times.at(-1) ?? task.nextAt;
  return {
    task,
    receipts: toReceipts(task, plan, placed, now),
    settled,
    nextAt: planNext(task, Math.max(now, lastDue)),
    rows,
  };
}

function toReceipts(task: DueTask, plan: FiringPlan, placed: ReadonlyMap<number, PlacedStatus>, now: number): Firing[] {
  const firing = new Set(plan.fire.map((run) => run.dueAt));
  return plan.receipts.map(({ dueAt, outcome, note }) => {
    const hasRow = firing.has(dueAt) || placed.has(dueAt);
    const messageId = hasRow ? firingMessageId(task, dueAt) : null;
    return { taskId: task.id, dueAt, firedAt: hasRow ? now : null, messageId, outcome, note };
  });
}

function makeRow(task: DueTask, run: { dueAt: number; missed: number }, now: number): NewInboundRow {
  return {
    id: firingMessageId(task, run.dueAt),
    kind: 'task',
    timestamp: now,
    processAfter: null,
    trigger: true,
    onWake: false,
    channelType: task.channelType,
    platformId: task.platformId,
    threadId: task.threadId,
    senderId: null,
    sourceSessionId: null,
    inReplyTo: null,
    hop: 0,
    traceId: makeId('trace', now),
    content: JSON.stringify({
      text: task.prompt,
      senderName: 'schedule',
      attachments: [],
      task: {
        id: task.id,
        dueAt: run.dueAt,
        missed: run.missed,
        ...(task.script === null ? {} : { script: task.script }),
      },
    }),
  };
}

/** A run that cannot be put before the agent at all: it is receipted as failed, and the next one is tried again. */
export function giveUp(task: DueTask, reason: string, now: number): Fired {
  const receipt: Firing = {
    taskId: task.id,
    dueAt: task.nextAt,
    firedAt: null,
    messageId: null,
    outcome: 'failed',
    note: reason,
  };
  return { task, receipts: [receipt], settled: [], nextAt: nextOrNull(task, now), rows: [] };
}

function nextOrNull(task: DueTask, now: number): number | null {
  try {
    return planNext(task, now);
  } catch (error) {
    if (error instanceof Fault && error.code === 'schedule_unusable') return null;
    throw error;
  }
}

/** In one central transaction. */
export function recordFired(tasks: TaskStore, firings: TaskFiringStore, fired: readonly Fired[]): void {
  for (const { task, receipts, settled, nextAt } of fired) {
    for (const { messageId, outcome } of settled) firings.settle(messageId, outcome, null);
    firings.record(task.id, receipts);
    tasks.advance(task, nextAt);
    failpoint('schedule.recorded-one');
  }
}
