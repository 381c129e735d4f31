/** `in/tasks.json`: the session's open tasks, as its runner lists them. Replaced atomically. */
import { existsSync } from 'node:fs';
import type { TaskList, TaskView } from '../../shared/protocol.ts';
import { MODES, type SessionPaths } from '../../shared/session-files.ts';
import { replaceFile } from '../sessions/atomic-file.ts';
import type { Session } from '../store/sessions.ts';
import type { TaskFiringStore } from '../store/task-firings.ts';
import type { Task, TaskStore } from '../store/tasks.ts';
import { MAX_LISTED_PROMPT } from './limits.ts';

export class TaskFiles {
  readonly #tasks: TaskStore;
  readonly #firings: TaskFiringStore;

  constructor(tasks: TaskStore, firings: TaskFiringStore) {
    this.#tasks = tasks;
    this.#firings = firings;
  }

  /** Writes nothing into a folder that is not made yet, nor for a session that never had a task. */
  write(session: Pick<Session, 'id'>, paths: SessionPaths): void {
    const tasks = this.#tasks.listOpen(session.id);
    if (!existsSync(tasks.length === 0 ? paths.tasks : paths.in)) return;
    const list: TaskList = { version: 1, tasks: tasks.map((task) => this.#describe(task)) };
    replaceFile(paths.tasks, `${JSON.stringify(list, null, 2)}\n`, MODES.inFile);
  }

  #describe(task: Task): TaskView {
    const { id, prompt, at, cron, timezone, missed, nextAt } = task;
    return {
      id,
      prompt: prompt.length > MAX_LISTED_PROMPT ? `${prompt.slice(0, MAX_LISTED_PROMPT)}…` : prompt,
      at,
      cron,
      timezone,
      hasScript: task.script !== null,
      missed,
      // Only active and paused ones are listed.
      state: task.state === 'paused' ? 'paused' : 'active',
      nextAt,
      lastFiredAt: this.#firings.lastFiredAt(id),
    };
  }
}
