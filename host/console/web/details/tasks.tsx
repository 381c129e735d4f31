/** What the agent will be woken for in this conversation, and the person's hand on it. */
import { Button, Group, Loader, Text } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { changeTask, fetchTasks } from '../client/api.ts';
import type { Session, Task, TaskAct } from '../client/types.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import { useNotices } from '../style/notices.tsx';
import { formatTimeIn } from '../style/time.ts';
import classes from './details.module.css';

export function Tasks({ session }: { session: Session }) {
  const tasks = useQuery({
    // What happens in the session may have changed them.
    queryKey: ['tasks', session.id, session.lastActiveAt],
    queryFn: () => fetchTasks(session.id),
    placeholderData: keepPreviousData,
  });
  return (
    <section>
      <h3 className={classes.heading}>Tasks</h3>
      {tasks.isPending && <Loader size="xs" />}
      {tasks.isError && (
        <Text size="sm" c="red">
          They could not be loaded.
        </Text>
      )}
      {tasks.data?.items.length === 0 && (
        <Text size="xs" c="dimmed">
          None. Ask the agent for one: “remind me at 5 to call Ann”.
        </Text>
      )}
      <ul className={classes.tasks}>
        {tasks.data?.items.map((task) => (
          <TaskItem key={task.id} task={task} />
        ))}
      </ul>
    </section>
  );
}

function TaskItem({ task }: { task: Task }) {
  const notices = useNotices();
  const queries = useQueryClient();
  const isAdmin = administers(useMe(), task.agentId);
  const act = (what: TaskAct) =>
    notices.attempt(async () => {
      try {
        await changeTask(task, what);
      } finally {
        // Also when it was refused: somebody else changed it.
        await queries.invalidateQueries({ queryKey: ['tasks', task.sessionId] });
      }
    });
  const name = task.prompt.split('\n', 1)[0] ?? '';
  return (
    <li>
      <p className={classes.taskPrompt}>{name}</p>
      <Text size="xs" c="dimmed">
        {describeWhen(task)}
      </Text>
      {isAdmin && (
        <Group gap={8} mt={6}>
          {task.state === 'active' ? (
            <Button variant="default" size="xs" aria-label={`Pause: ${name}`} onClick={() => act('pause')}>
              Pause
            </Button>
          ) : (
            <Button variant="light" size="xs" aria-label={`Resume: ${name}`} onClick={() => act('resume')}>
              Resume
            </Button>
          )}
          <Button
            variant="subtle"
            color="red"
            c="var(--bad)"
            size="xs"
            aria-label={`Cancel: ${name}`}
            onClick={() => act('cancel')}
          >
            Cancel
          </Button>
        </Group>
      )}
    </li>
  );
}

function describeWhen({ cron, nextAt, timezone }: Task): string {
  const when = nextAt === null ? 'Paused' : `Next ${formatTimeIn(nextAt, timezone)}, ${timezone}`;
  return cron === null ? when : `${when} · ${cron}`;
}
