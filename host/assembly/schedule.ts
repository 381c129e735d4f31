/** The tasks of sessions. */
import { systemClock } from '../runtime/wakeups.ts';
import { Schedule } from '../schedule/apply.ts';
import { TaskRequests } from '../schedule/requests.ts';
import { TaskFiles } from '../schedule/task-file.ts';
import type { EndFiring } from '../sessions/settle.ts';
import type { WithAsking } from './asking.ts';
import type { Ground } from './ground.ts';

export type WithSchedule = WithAsking & ReturnType<typeof buildSchedule>;

export function buildSchedule({ closers, paths, stores, later }: Ground, { inboxes }: WithAsking) {
  const { agents, chats, sessions, transcript, ledger, commit, tasks, taskFirings } = stores;
  const taskFiles = new TaskFiles(tasks, taskFirings);
  const schedule = closers.use(
    new Schedule({
      home: paths.home,
      tasks,
      firings: taskFirings,
      files: taskFiles,
      sessions,
      chats,
      inboxes,
      transcript,
      commit,
      onWorkChanged: (id) => later.life.workChanged(id),
      clock: systemClock,
    }),
  );
  const taskRequests = new TaskRequests({
    tasks,
    agents,
    ledger,
    commit,
    onChanged: (session) => schedule.changed(session),
  });
  const endFiring: EndFiring = (id, end) => schedule.settle(id, end);
  return { taskFiles, schedule, taskRequests, endFiring };
}
