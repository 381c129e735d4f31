/** What agents will be woken for. */
import type { Requests } from '../requests.ts';
import type { Page, Task, TaskDetail } from '../types.ts';

export function taskCalls(requests: Requests) {
  return {
    /** The next to fire first. */
    listTasks(query: { agent?: string | undefined; state?: string | undefined }, limit: number): Promise<Page<Task>> {
      return requests.list('/tasks', query, limit);
    },

    readTask(id: string): Promise<TaskDetail> {
      return requests.get(`/tasks/${encodeURIComponent(id)}`);
    },

    /** On top of what was seen: a task that changed meanwhile stays as it is, and the call is refused. */
    changeTask({ id, revision }: { id: string; revision: number }, act: 'pause' | 'resume' | 'cancel'): Promise<Task> {
      return requests.post(`/tasks/${encodeURIComponent(id)}/${act}`, {}, { revision });
    },
  };
}
