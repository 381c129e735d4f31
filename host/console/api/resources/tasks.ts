/** Tasks over the API: what agents asked to be woken for, and a person's hand on it. */
import type { Context } from 'hono';
import { type AgentGroupId, parseId, type SessionId } from '../../../../shared/ids.ts';
import { listTimes } from '../../../schedule/plan.ts';
import type { TaskAct } from '../../../schedule/requests.ts';
import type { Task as StoredTask } from '../../../store/tasks.ts';
import { newApi, paginate } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { Env } from '../door.ts';
import type { ApiParts } from '../ports.ts';
import { notFound, Problem } from '../problem.ts';
import { requireSight, scopeOf } from '../rights.ts';
import type { Task, TaskDetail } from '../schemas.ts';
import { findSubject } from '../subjects.ts';
import * as routes from '../task-routes.ts';
import { findAgent } from './agents.ts';
import { findSession } from './sessions.ts';

/** Firings shown ahead, and receipts shown, of one task. */
const SHOWN_TIMES = 5;
const SHOWN_FIRINGS = 20;

export function taskRoutes(parts: ApiParts) {
  return newApi()
    .openapi(routes.listTasks, (c) => {
      const { cursor, limit, agent, session, state } = c.req.valid('query');
      const agentGroupId: AgentGroupId | undefined = agent === undefined ? undefined : findAgent(parts, agent).id;
      const sessionId: SessionId | undefined = session === undefined ? undefined : findSession(parts, session).id;
      if (agentGroupId !== undefined) requireSight(c, 'agent', findSubject(parts, 'agents', agentGroupId));
      if (sessionId !== undefined) requireSight(c, 'session', findSubject(parts, 'sessions', sessionId));
      const scope = scopeOf(c);
      const filter = {
        ...(scope === null ? {} : { scope }),
        ...(agentGroupId === undefined ? {} : { agentGroupId }),
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(state === undefined ? {} : { state }),
      };
      const page = paginate(limit, (n) => parts.tasks.list(filter, n, readCursor(cursor)), formatCursor);
      return c.json({ ...page, items: page.items.map((task) => presentTask(parts, task)) }, 200);
    })
    .openapi(routes.getTask, (c) => {
      const task = findTask(parts, c.req.valid('param').id);
      setEtag(c, task);
      return c.json(presentDetail(parts, task), 200);
    })
    .openapi(routes.pauseTask, (c) => c.json(act(parts, c, c.req.valid('param').id, 'pause'), 200))
    .openapi(routes.resumeTask, (c) => c.json(act(parts, c, c.req.valid('param').id, 'resume'), 200))
    .openapi(routes.cancelTask, (c) => c.json(act(parts, c, c.req.valid('param').id, 'cancel'), 200));
}

/** Throws Problem 404, 409, 412, 428. */
function act(parts: ApiParts, c: Context<Env>, id: string, what: TaskAct): Task {
  const { tasks, taskRequests, now } = parts;
  const task = findTask(parts, id);
  const outcome = taskRequests.act(task, what, readIfMatch(c), c.var.userId, now());
  switch (outcome.kind) {
    case 'stale':
      throw refuseChange('task', tasks.get(task.id));
    case 'refused':
      throw new Problem(409, 'task_not_possible', `This cannot be: ${outcome.reason}.`);
    case 'changed':
      setEtag(c, outcome.task);
      return presentTask(parts, outcome.task);
  }
}

function findTask({ tasks }: ApiParts, id: string): StoredTask {
  const taskId = parseId('task', id);
  const task = taskId === null ? null : tasks.get(taskId);
  if (task === null) throw notFound('task');
  return task;
}

function presentTask({ agents, sessions, taskFirings }: ApiParts, task: StoredTask): Task {
  const title = sessions.get(task.sessionId)?.title ?? '';
  return {
    id: task.id,
    agentId: task.agentGroupId,
    agentName: agents.get(task.agentGroupId)?.name ?? '',
    sessionId: task.sessionId,
    sessionTitle: title === '' ? null : title,
    prompt: task.prompt,
    at: task.at,
    cron: task.cron,
    timezone: task.timezone,
    hasScript: task.script !== null,
    missed: task.missed,
    state: task.state,
    nextAt: task.nextAt,
    lastFiredAt: taskFirings.lastFiredAt(task.id),
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
    revision: task.revision,
  };
}

function presentDetail(parts: ApiParts, task: StoredTask): TaskDetail {
  return {
    ...presentTask(parts, task),
    script: task.script,
    nextTimes: listTimes(task, parts.now(), SHOWN_TIMES),
    firings: parts.taskFirings
      .list(task.id, SHOWN_FIRINGS)
      .map(({ dueAt, firedAt, messageId, outcome, note }) => ({ dueAt, firedAt, messageId, outcome, note })),
  };
}

/** The place of the last task of a page: when it fires next, and its id. */
function formatCursor(task: StoredTask): string {
  return `${task.nextAt ?? 'never'}.${task.id}`;
}

function readCursor(cursor: string | undefined): { nextAt: number | null; id: string } | null {
  if (cursor === undefined) return null;
  const match = /^(\d{1,15}|never)\.(tsk_[a-z0-9]{20})$/.exec(cursor);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Problem(400, 'bad_input', 'The cursor is not one of this list.', {
      expected: 'the nextCursor of an earlier page',
    });
  }
  return { nextAt: match[1] === 'never' ? null : Number(match[1]), id: match[2] };
}
