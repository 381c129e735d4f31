/**
 * What agents and people ask of tasks. An agent reaches the tasks of its own session alone; to it, all others do
 * not exist.
 */
import { deriveTaskId, parseId, type TaskId } from '../../shared/ids.ts';
import type { RequestOf } from '../../shared/requests.ts';
import { assertNever } from '../config/errors.ts';
import type { Answered, Asked } from '../sessions/asked.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Session } from '../store/sessions.ts';
import { isEnded, type Task, type TaskChange, type TaskStore } from '../store/tasks.ts';
import { FIRED_WINDOW_MS, MAX_FIRED_ONCE, MAX_OPEN_TASKS, MAX_OPEN_TASKS_OF_AGENT } from './limits.ts';
import { planState, planTimes } from './plan.ts';

interface TaskRequestParts {
  tasks: TaskStore;
  agents: AgentStore;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  /** The session's tasks are not what they were: the timer and the agent's list follow. */
  onChanged: (session: Pick<Session, 'id' | 'agentGroupId'>) => void;
}

export type TaskAct = 'pause' | 'resume' | 'cancel';

export type TaskActOutcome =
  | { kind: 'changed'; task: Task }
  /** The revision no longer holds. */
  | { kind: 'stale' }
  | { kind: 'refused'; reason: string };

export class TaskRequests {
  readonly #parts: TaskRequestParts;

  constructor(parts: TaskRequestParts) {
    this.#parts = parts;
  }

  create(asked: Asked<RequestOf<'create_task'>>): Answered {
    const { tasks, agents } = this.#parts;
    const { session, request, origin, now } = asked;
    const id = deriveTaskId(session.id, asked.messageId);
    // Carried out before the host died, and asked again.
    if (tasks.get(id) !== null) return this.#done(asked);
    const times = {
      at: request.at ?? null,
      cron: request.cron ?? null,
      timezone: request.timezone ?? agents.get(session.agentGroupId)?.config.timezone ?? 'UTC',
    };
    // Before the times: working them out costs more than counting.
    const full = this.#refuseMore(session);
    if (full !== null) return refuse(full);
    const plan = planTimes(times, now);
    if (plan.kind === 'refuse') return refuse(plan.reason);
    const loop = this.#refuseLoop(session.id, times, now);
    if (loop !== null) return refuse(loop);
    tasks.create({
      id,
      sessionId: session.id,
      agentGroupId: session.agentGroupId,
      prompt: request.prompt,
      ...times,
      script: request.script ?? null,
      missed: request.missed,
      state: 'active',
      nextAt: plan.nextAt,
      channelType: origin?.channelType ?? null,
      platformId: origin?.platformId ?? null,
      threadId: origin?.threadId ?? null,
      createdAt: now,
    });
    return this.#done(asked);
  }

  #refuseMore(session: Session): string | null {
    const { tasks } = this.#parts;
    if (tasks.countOpen(session.id) >= MAX_OPEN_TASKS) {
      return `at most ${MAX_OPEN_TASKS} tasks may be open in one session: cancel some first, list_tasks shows them`;
    }
    if (tasks.countOpenOfAgent(session.agentGroupId) >= MAX_OPEN_TASKS_OF_AGENT) {
      return `at most ${MAX_OPEN_TASKS_OF_AGENT} tasks of one agent may be open, over all its sessions`;
    }
    return null;
  }

  /** An agent that asks, whenever it is woken, to be woken again soon. */
  #refuseLoop(sessionId: Session['id'], { at }: { at: number | null }, now: number): string | null {
    if (at === null || at >= now + FIRED_WINDOW_MS) return null;
    if (this.#parts.tasks.countFiredOnce(sessionId, now - FIRED_WINDOW_MS) < MAX_FIRED_ONCE) return null;
    return `${MAX_FIRED_ONCE} one-time tasks fired here within the last hour: let this one be an hour from now or later, or use "cron"`;
  }

  update(asked: Asked<RequestOf<'update_task'>>): Answered {
    const { request, now } = asked;
    const task = this.#findOwn(asked);
    if (task === null) return unknownTask(request.taskId);
    if (isEnded(task.state)) return refuse('the task has ended: create a new one');
    const change: TaskChange = {
      ...(request.prompt === undefined ? {} : { prompt: request.prompt }),
      ...(request.script === undefined ? {} : { script: request.script }),
      ...(request.missed === undefined ? {} : { missed: request.missed }),
    };
    const { at, cron, timezone } = request;
    if (at !== undefined || cron !== undefined || timezone !== undefined) {
      const times =
        at === undefined && cron === undefined
          ? { at: task.at, cron: task.cron, timezone: timezone ?? task.timezone }
          : { at: at ?? null, cron: cron ?? null, timezone: timezone ?? task.timezone };
      const plan = planTimes(times, now);
      if (plan.kind === 'refuse') return refuse(plan.reason);
      const loop = this.#refuseLoop(task.sessionId, times, now);
      if (loop !== null) return refuse(loop);
      Object.assign(change, times, task.state === 'active' ? { nextAt: plan.nextAt } : {});
    }
    this.#parts.tasks.change(task, change, now);
    return this.#done(asked);
  }

  setState(asked: Asked<RequestOf<'pause_task' | 'resume_task' | 'cancel_task'>>): Answered {
    const task = this.#findOwn(asked);
    if (task === null) return unknownTask(asked.request.taskId);
    const plan = planState(task, toAct(asked.request.action), asked.now);
    if (plan.kind === 'refuse') return refuse(plan.reason);
    if (plan.kind === 'change') this.#parts.tasks.change(task, plan, asked.now);
    return this.#done(asked);
  }

  /** A person's decision, recorded in the ledger. */
  act(task: Task, act: TaskAct, revision: number, by: string, now: number): TaskActOutcome {
    const { tasks, ledger, commit, onChanged } = this.#parts;
    if (task.revision !== revision) return { kind: 'stale' };
    const plan = planState(task, act, now);
    if (plan.kind === 'refuse') return { kind: 'refused', reason: plan.reason };
    if (plan.kind === 'keep') return { kind: 'changed', task };
    const { state, nextAt } = plan;
    const changed = commit(() => {
      const changed = tasks.change(task, { state, nextAt }, now);
      const detail = { taskId: task.id, agentGroupId: task.agentGroupId };
      if (changed !== null) {
        ledger.append({ kind: `task.${act}`, sessionId: task.sessionId, messageId: null, actor: by, detail }, now);
      }
      return changed;
    });
    if (changed === null) return { kind: 'stale' };
    onChanged({ id: task.sessionId, agentGroupId: task.agentGroupId });
    return { kind: 'changed', task: changed };
  }

  #findOwn(asked: Asked<RequestOf<'update_task' | 'pause_task' | 'resume_task' | 'cancel_task'>>): Task | null {
    const id: TaskId | null = parseId('task', asked.request.taskId);
    const task = id === null ? null : this.#parts.tasks.get(id);
    return task === null || task.sessionId !== asked.session.id ? null : task;
  }

  #done({ session }: Asked): Answered {
    return { answer: { kind: 'done' }, after: () => this.#parts.onChanged(session) };
  }
}

function toAct(action: 'pause_task' | 'resume_task' | 'cancel_task'): TaskAct {
  switch (action) {
    case 'pause_task':
      return 'pause';
    case 'resume_task':
      return 'resume';
    case 'cancel_task':
      return 'cancel';
    default:
      return assertNever(action);
  }
}

function unknownTask(id: string): Answered {
  return refuse(`there is no task ${id} of yours; list_tasks shows those there are`);
}

function refuse(reason: string): Answered {
  return { answer: { kind: 'refused', reason } };
}
