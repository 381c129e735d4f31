/** Tasks: what agents asked to be woken for. Times are epoch ms. */
import type { AgentGroupId, SessionId, TaskId } from '../../shared/ids.ts';
import type { MissedPolicy } from '../../shared/requests.ts';
import type { Scope } from '../access/console.ts';
import type { CentralDb } from './database.ts';
import { OPENED_SESSIONS, scopeParameters } from './visible.ts';

export const TASK_STATES = ['active', 'paused', 'done', 'cancelled'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** When a task fires: once at `at`, or by `cron`; exactly one of the two. */
export interface TaskTimes {
  at: number | null;
  cron: string | null;
  timezone: string;
  missed: MissedPolicy;
}

export interface Task extends TaskTimes {
  id: TaskId;
  sessionId: SessionId;
  agentGroupId: AgentGroupId;
  prompt: string;
  script: string | null;
  state: TaskState;
  /** The next firing; exactly while active. */
  nextAt: number | null;
  /** Where the request came from, so that the answer goes there. */
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  createdAt: number;
  updatedAt: number;
  /** Rises with what people and agents change, not with a firing. */
  revision: number;
}

export type NewTask = Omit<Task, 'updatedAt' | 'revision'>;
export type TaskChange = Partial<
  Pick<Task, 'prompt' | 'script' | 'at' | 'cron' | 'timezone' | 'missed' | 'state' | 'nextAt'>
>;

export interface TaskFilter {
  agentGroupId?: AgentGroupId;
  sessionId?: SessionId;
  /** `open`: active or paused. */
  state?: TaskState | 'open';
  /** Tasks of agents that somebody administers, and of their own chats. */
  scope?: Scope;
}

/** Tasks that ended and are still shown, per session. Higher: agents that schedule a lot fill the disk. Lower: no past. */
const KEPT_ENDED = 100;

const COLUMNS = `t.id, t.session_id AS sessionId, t.agent_group_id AS agentGroupId, t.prompt, t.at, t.cron, t.timezone,
  t.script, t.missed_policy AS missed, t.state, t.next_at AS nextAt, t.channel_type AS channelType,
  t.platform_id AS platformId, t.thread_id AS threadId, t.created_at AS createdAt, t.updated_at AS updatedAt, t.revision`;

/** Sorts what never fires again behind everything that does. */
const NEVER = Number.MAX_SAFE_INTEGER;

// Every SELECT names COLUMNS, which are the fields of Task with the values that the columns' CHECKs allow.
export class TaskStore {
  readonly #db: CentralDb;
  readonly #get;
  readonly #due;
  readonly #next;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string], Task>(`SELECT ${COLUMNS} FROM tasks t WHERE t.id = ?`);
    // Both walk tasks_next from its earliest entry; `except` is a JSON list of session ids.
    this.#due = db.prepare<[number, string, number], { id: TaskId; sessionId: SessionId }>(
      `SELECT id, session_id AS sessionId FROM tasks WHERE next_at IS NOT NULL AND next_at <= ?
         AND session_id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT ?`,
    );
    this.#next = db
      .prepare<[string], number>(
        `SELECT next_at FROM tasks WHERE next_at IS NOT NULL
         AND session_id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT 1`,
      )
      .pluck();
  }

  get(id: TaskId): Task | null {
    return this.#get.get(id) ?? null;
  }

  /** A task that is there under this id stays as it is. */
  create(task: NewTask): void {
    this.#db
      .prepare(
        `INSERT INTO tasks (id, session_id, agent_group_id, prompt, at, cron, timezone, script, missed_policy, state,
           next_at, channel_type, platform_id, thread_id, created_at, updated_at)
         VALUES (@id, @sessionId, @agentGroupId, @prompt, @at, @cron, @timezone, @script, @missed, @state,
           @nextAt, @channelType, @platformId, @threadId, @createdAt, @createdAt) ON CONFLICT (id) DO NOTHING`,
      )
      .run(task);
  }

  /** Null when `revision` no longer holds, or the task is gone. */
  change(task: Task, change: TaskChange, now: number): Task | null {
    const next = { ...task, ...change };
    const held = this.#db
      .prepare(
        `UPDATE tasks SET prompt = @prompt, at = @at, cron = @cron, timezone = @timezone, script = @script,
           missed_policy = @missed, state = @state, next_at = @nextAt, updated_at = @now, revision = revision + 1
         WHERE id = @id AND revision = @revision`,
      )
      .run({
        id: next.id,
        prompt: next.prompt,
        at: next.at,
        cron: next.cron,
        timezone: next.timezone,
        script: next.script,
        missed: next.missed,
        state: next.state,
        nextAt: next.nextAt,
        revision: task.revision,
        now,
      });
    if (held.changes === 0) return null;
    if (isEnded(next.state)) this.#forgetEnded(task.sessionId);
    return this.get(task.id);
  }

  /** After a firing: on to the next, or to the end. What was changed meanwhile stays as it was changed. */
  advance(task: Task, nextAt: number | null): void {
    this.#db
      .prepare(
        `UPDATE tasks SET next_at = @nextAt, state = CASE WHEN @nextAt IS NULL THEN 'done' ELSE state END
         WHERE id = @id AND state = 'active' AND next_at = @firedAt`,
      )
      .run({ id: task.id, nextAt, firedAt: task.nextAt });
    if (nextAt === null) this.#forgetEnded(task.sessionId);
  }

  /** The session is gone: none of its tasks fires any more. */
  cancelForSession(sessionId: SessionId, now: number): void {
    this.#db
      .prepare(
        `UPDATE tasks SET state = 'cancelled', next_at = NULL, updated_at = ?, revision = revision + 1
         WHERE session_id = ? AND state IN ('active', 'paused')`,
      )
      .run(now, sessionId);
  }

  #forgetEnded(sessionId: SessionId): void {
    this.#db
      .prepare(
        `DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE session_id = ? AND state IN ('done', 'cancelled')
           ORDER BY updated_at DESC, id LIMIT -1 OFFSET ?)`,
      )
      .run(sessionId, KEPT_ENDED);
  }

  countOpen(sessionId: SessionId): number {
    return Number(
      this.#db
        .prepare(`SELECT count(*) FROM tasks WHERE session_id = ? AND state IN ('active', 'paused')`)
        .pluck()
        .get(sessionId),
    );
  }

  countOpenOfAgent(agentGroupId: AgentGroupId): number {
    return Number(
      this.#db
        .prepare(`SELECT count(*) FROM tasks WHERE agent_group_id = ? AND state IN ('active', 'paused')`)
        .pluck()
        .get(agentGroupId),
    );
  }

  /** One-time tasks that have fired and were to fire after `since`; of those that ended, KEPT_ENDED are known. */
  countFiredOnce(sessionId: SessionId, since: number): number {
    return Number(
      this.#db
        .prepare(`SELECT count(*) FROM tasks WHERE session_id = ? AND state = 'done' AND at > ?`)
        .pluck()
        .get(sessionId, since),
    );
  }

  /** Active and paused ones, oldest first. */
  listOpen(sessionId: SessionId): Task[] {
    return this.#db
      .prepare<[string], Task>(
        `SELECT ${COLUMNS} FROM tasks t WHERE t.session_id = ? AND t.state IN ('active', 'paused')
         ORDER BY t.created_at, t.id`,
      )
      .all(sessionId);
  }

  /** The next to fire first, then those that do not; strictly after the cursor of the page before. */
  list(filter: TaskFilter, limit: number, after: { nextAt: number | null; id: string } | null): Task[] {
    const wheres = ['(coalesce(t.next_at, @never), t.id) > (@afterAt, @afterId)'];
    if (filter.agentGroupId !== undefined) wheres.push('t.agent_group_id = @agentGroupId');
    if (filter.sessionId !== undefined) wheres.push('t.session_id = @sessionId');
    if (filter.state === 'open') wheres.push(`t.state IN ('active', 'paused')`);
    else if (filter.state !== undefined) wheres.push('t.state = @state');
    const { scope, ...bounds } = filter;
    if (scope !== undefined) {
      wheres.push(
        `(t.agent_group_id IN (SELECT value FROM json_each(@adminOf)) OR t.session_id IN (${OPENED_SESSIONS}))`,
      );
    }
    return this.#db
      .prepare<[Record<string, string | number>], Task>(
        `SELECT ${COLUMNS} FROM tasks t WHERE ${wheres.join(' AND ')}
         ORDER BY coalesce(t.next_at, @never), t.id LIMIT @limit`,
      )
      .all({
        ...bounds,
        ...(scope === undefined ? {} : scopeParameters(scope)),
        never: NEVER,
        limit,
        afterAt: after === null ? -1 : (after.nextAt ?? NEVER),
        afterId: after?.id ?? '',
      });
  }

  /** The earliest firing of all, those of the sessions in `except` left out; from the index. */
  nextDue(except: readonly SessionId[]): number | null {
    return this.#next.get(JSON.stringify(except)) ?? null;
  }

  /** Tasks whose time has come, the earliest first. */
  listDue(now: number, limit: number, except: readonly SessionId[]): { id: TaskId; sessionId: SessionId }[] {
    return this.#due.all(now, JSON.stringify(except), limit);
  }
}

export function isEnded(state: TaskState): boolean {
  return state === 'done' || state === 'cancelled';
}
