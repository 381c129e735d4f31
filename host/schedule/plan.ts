/** What a task's time means, and which times are taken. Pure. */
import { MAX_TASK_AHEAD_MS } from '../../shared/limits.ts';
import type { MissedPolicy } from '../../shared/requests.ts';
import { assertNever, Fault } from '../config/errors.ts';
import type { TaskState, TaskTimes } from '../store/tasks.ts';
import { listLastRuns, listNextRuns, nextRun, refuseCron, refuseTimezone } from './cron.ts';
import { MAX_CATCH_UP, MAX_COUNTED_MISSED, ON_TIME_MS, PAST_GRACE_MS } from './limits.ts';

/** Times that have come for a task, oldest first. */
export interface DueTimes {
  times: readonly number[];
  /** There were more before these, too many to count. */
  hasMore: boolean;
}

/** What the session's database says of a firing that an earlier host put there before it died. */
export type PlacedStatus = 'pending' | 'done' | 'failed';

export interface FiringFacts {
  due: DueTimes;
  policy: MissedPolicy;
  /** Firings of `due` that are placed already, by due time. */
  placed: ReadonlyMap<number, PlacedStatus>;
  /** Earlier firings that the agent has not come to the end of. */
  open: number;
  now: number;
}

export interface PlannedReceipt {
  dueAt: number;
  outcome: 'fired' | 'missed' | 'answered' | 'failed';
  note: string | null;
}

export interface FiringPlan {
  /** What to put before the agent, oldest first. `missed`: runs before it that passed without firing. */
  fire: readonly { dueAt: number; missed: number }[];
  /** One for each of the due times, `fire` included, oldest first. */
  receipts: readonly PlannedReceipt[];
}

const PASSED = 'its time passed while the host could not fire it';
const AND_MORE = `${PASSED}, and so did more before it`;
const STILL_OPEN = 'the run before was not at its end';
const PLACED_BEFORE = 'fired before the host stopped';

/**
 * Which runs fire, and a receipt for every one. On time is what is at most ON_TIME_MS late; the rest is missed:
 * `skip` leaves it out, `once` fires one for all of it, `all` fires the newest MAX_CATCH_UP.
 * A run does not fire while the one before is open (with `all`: while MAX_CATCH_UP are).
 */
export function planFirings(facts: FiringFacts): FiringPlan {
  const { due, placed, policy, now } = facts;
  // What was placed by the host before stands for all before it.
  const lastPlaced = Math.max(Number.NEGATIVE_INFINITY, ...placed.keys());
  const candidates = due.times.filter((at) => at > lastPlaced);
  const chosen = chooseRuns(candidates, policy, now);
  const stillOpen = facts.open + [...placed.values()].filter((status) => status === 'pending').length;
  const room = Math.max(0, (policy === 'all' ? MAX_CATCH_UP : 1) - stillOpen);
  const fire = room === 0 ? [] : chosen.slice(-room);
  const crowdedOut = new Set(chosen.slice(0, chosen.length - fire.length));
  const isUncounted = due.hasMore && placed.size === 0;
  return {
    fire: fire.map((dueAt, at) => ({
      dueAt,
      missed: at > 0 ? 0 : candidates.filter((one) => one < dueAt).length + (isUncounted ? 1 : 0),
    })),
    receipts: due.times.map((dueAt): PlannedReceipt => {
      const status = placed.get(dueAt);
      if (status !== undefined) return receiptOfPlaced(dueAt, status);
      if (fire.includes(dueAt)) return { dueAt, outcome: 'fired', note: null };
      const passed = due.hasMore && dueAt === due.times[0] ? AND_MORE : PASSED;
      return { dueAt, outcome: 'missed', note: crowdedOut.has(dueAt) ? STILL_OPEN : passed };
    }),
  };
}

function chooseRuns(candidates: readonly number[], policy: MissedPolicy, now: number): readonly number[] {
  switch (policy) {
    case 'skip':
      return candidates.slice(-1).filter((at) => now - at <= ON_TIME_MS);
    case 'once':
      return candidates.slice(-1);
    case 'all':
      return candidates.slice(-MAX_CATCH_UP);
    default:
      return assertNever(policy);
  }
}

function receiptOfPlaced(dueAt: number, status: PlacedStatus): PlannedReceipt {
  switch (status) {
    case 'pending':
      return { dueAt, outcome: 'fired', note: null };
    case 'done':
      return { dueAt, outcome: 'answered', note: PLACED_BEFORE };
    case 'failed':
      return { dueAt, outcome: 'failed', note: PLACED_BEFORE };
    default:
      return assertNever(status);
  }
}

/**
 * The times from `nextAt` (which is one) up to `now`, oldest first; the newest MAX_COUNTED_MISSED of them.
 * Throws Fault `schedule_unusable`.
 */
export function listDueTimes(task: TaskTimes & { nextAt: number }, now: number): DueTimes {
  const { cron, timezone, nextAt } = task;
  if (nextAt > now) return { times: [], hasMore: false };
  if (cron === null) return { times: [nextAt], hasMore: false };
  const following = nextRun(cron, timezone, nextAt);
  if (following === null || following > now) return { times: [nextAt], hasMore: false };
  const last = listLastRuns(cron, timezone, now, MAX_COUNTED_MISSED + 1).filter((at) => at > nextAt);
  const times = last.slice(-MAX_COUNTED_MISSED);
  if (last.length < MAX_COUNTED_MISSED) return { times: [nextAt, ...times], hasMore: false };
  return { times, hasMore: true };
}

/**
 * The next `count` firings, the dry run that people see; empty for a task that ended, or whose schedule this
 * program no longer understands.
 */
export function listTimes(
  task: TaskTimes & { state: TaskState; nextAt: number | null },
  now: number,
  count: number,
): number[] {
  if (task.state === 'done' || task.state === 'cancelled') return [];
  const { cron, timezone, at, nextAt } = task;
  if (cron === null) return at === null || (nextAt === null && at <= now) ? [] : [at];
  try {
    // What is due and not fired yet is still to come.
    return nextAt === null ? listNextRuns(cron, timezone, now, count) : listNextRuns(cron, timezone, nextAt - 1, count);
  } catch (error) {
    if (error instanceof Fault && error.code === 'schedule_unusable') return [];
    throw error;
  }
}

/** When the task fires after `now`, null when it does not any more. Throws Fault `schedule_unusable`. */
export function planNext(times: Pick<TaskTimes, 'cron' | 'timezone'>, now: number): number | null {
  return times.cron === null ? null : nextRun(times.cron, times.timezone, now);
}

export type TimesPlan = { kind: 'ok'; nextAt: number } | { kind: 'refuse'; reason: string };

/** Checks times that an agent gave; `reason` says what was expected. */
export function planTimes(times: { at: number | null; cron: string | null; timezone: string }, now: number): TimesPlan {
  const { at, cron, timezone } = times;
  const zoneRefused = refuseTimezone(timezone);
  if (zoneRefused !== null) return { kind: 'refuse', reason: zoneRefused };
  if ((at === null) === (cron === null)) {
    return { kind: 'refuse', reason: 'a task needs either "at" (once) or "cron" (again and again), not both' };
  }
  if (at !== null) return planAt(at, now);
  const cronRefused = refuseCron(cron ?? '');
  if (cronRefused !== null) return { kind: 'refuse', reason: cronRefused };
  const nextAt = nextRun(cron ?? '', timezone, now);
  if (nextAt === null) return { kind: 'refuse', reason: 'the cron expression never fires' };
  return { kind: 'ok', nextAt };
}

function planAt(at: number, now: number): TimesPlan {
  if (at < now - PAST_GRACE_MS) {
    return {
      kind: 'refuse',
      reason: `the time ${formatUtc(at)} is in the past; it is ${formatUtc(now)} now: give a later one`,
    };
  }
  if (at > now + MAX_TASK_AHEAD_MS) {
    return {
      kind: 'refuse',
      reason: `the time ${formatUtc(at)} is too far ahead; a task may lie at most five years ahead`,
    };
  }
  return { kind: 'ok', nextAt: at };
}

/** Beyond the years that a date can hold, the number itself. */
function formatUtc(at: number): string {
  return Math.abs(at) > 8.64e15 ? `${at} (epoch milliseconds)` : new Date(at).toISOString();
}

/** What a change of its state does to a task: the next firing, nothing at all, or a refusal in words. */
export type StatePlan =
  | { kind: 'change'; state: TaskState; nextAt: number | null }
  | { kind: 'keep' }
  | { kind: 'refuse'; reason: string };

/** `wanted` is what an agent or a person asked for. Asking twice is no error: a request may be carried out again. */
export function planState(
  task: TaskTimes & { state: TaskState },
  wanted: 'pause' | 'resume' | 'cancel',
  now: number,
): StatePlan {
  if (task.state === 'done') return { kind: 'refuse', reason: 'the task is done: it will not fire again' };
  switch (wanted) {
    case 'cancel':
      return task.state === 'cancelled' ? { kind: 'keep' } : { kind: 'change', state: 'cancelled', nextAt: null };
    case 'pause':
      if (task.state === 'cancelled') return { kind: 'refuse', reason: 'the task was cancelled' };
      return task.state === 'paused' ? { kind: 'keep' } : { kind: 'change', state: 'paused', nextAt: null };
    case 'resume': {
      if (task.state === 'cancelled') return { kind: 'refuse', reason: 'the task was cancelled: create a new one' };
      if (task.state === 'active') return { kind: 'keep' };
      const times = planTimes(task, now);
      return times.kind === 'refuse' ? times : { kind: 'change', state: 'active', nextAt: times.nextAt };
    }
    default:
      return assertNever(wanted);
  }
}
