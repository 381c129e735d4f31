/** `portolan tasks`: what agents asked to be woken for, one of them in full, and a person's hand on it. */
import type { Task, TaskDetail } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findTask } from '../find.ts';
import { shortenIds } from '../match.ts';
import { type Column, formatFields, formatTable } from '../output/table.ts';
import { oneLine, plainText, truncate } from '../output/text.ts';
import { formatAge, formatZoned } from '../output/units.ts';

export interface TaskListOptions {
  limit: number;
  agent?: string;
  /** Those that ended, too. */
  all?: boolean;
}

const HOW_TASKS_COME = `An agent makes one when it is asked: write "remind me at 5 to call Ann" to it.`;

/** `tasks`, `tasks show <id>`, `tasks pause|resume|cancel <id>`. */
export async function runTasks(context: Context, words: readonly string[], options: TaskListOptions): Promise<void> {
  const [what, id, ...rest] = words;
  if (what === undefined) return listTasks(context, options);
  if (what !== 'show' && what !== 'pause' && what !== 'resume' && what !== 'cancel') {
    throw new CliError(EXIT.usage, 'bad_action', `There is no "portolan tasks ${oneLine(what)}".`, {
      expected: 'show, pause, resume or cancel, then the id of a task',
      next: 'portolan tasks --help',
    });
  }
  if (id === undefined || rest.length > 0) {
    throw new CliError(EXIT.usage, 'bad_task', `"portolan tasks ${what}" takes the id of one task.`, {
      expected: `portolan tasks ${what} <id>`,
      next: 'portolan tasks',
    });
  }
  const task = await findTask(context.api, id);
  if (what === 'show') return showTask(context, task.id);
  const changed = await context.api.changeTask(task, what);
  if (context.json) return context.printJson(changed);
  context.print(`${DONE[what]}: ${describeOutcome(changed, context.terminal.now())}`);
}

const DONE = { pause: 'Paused', resume: 'Resumed', cancel: 'Cancelled' } as const;

function describeOutcome(task: Task, now: number): string {
  const name = `${task.id} “${truncate(oneLine(task.prompt), 40)}”`;
  if (task.nextAt === null)
    return `${name} does not fire${task.state === 'paused' ? ' until it is resumed' : ' any more'}.`;
  return `${name} fires next ${formatTime(task.nextAt, task, now)}.`;
}

async function listTasks(context: Context, options: TaskListOptions): Promise<void> {
  const { api, style } = context;
  const agent = options.agent === undefined ? undefined : await findAgent(api, options.agent);
  const state = options.all === true ? undefined : 'open';
  const page = await api.listTasks({ agent: agent?.id, state }, options.limit);
  if (context.json) return context.printJson(page);
  if (page.items.length === 0) {
    const whose = agent === undefined ? '' : ` of ${oneLine(agent.name)}`;
    context.print(`No ${state === undefined ? '' : 'open '}tasks${whose}. ${HOW_TASKS_COME}`);
    return;
  }
  const now = context.terminal.now();
  const short = shortenIds(page.items.map((task) => task.id));
  const columns: Column<Task>[] = [
    { title: 'ID', value: (task) => short.get(task.id) ?? task.id },
    { title: 'TASK', value: (task) => task.prompt, minColumns: 14, paint: () => style.bold },
    { title: 'AGENT', value: describeOwner, minColumns: 8 },
    { title: 'WHEN', value: describeSchedule, minColumns: 9 },
    { title: 'NEXT', value: (task) => (task.nextAt === null ? '–' : formatTime(task.nextAt, task, now)) },
    {
      title: 'STATE',
      value: (task) => task.state,
      paint: (task) => (task.state === 'active' ? style.green : task.state === 'paused' ? style.yellow : style.dim),
    },
  ];
  context.print(formatTable(page.items, columns, style, context.tableColumns()));
  if (page.nextCursor !== null) context.print(style.dim('… more; ask for them with --limit'));
}

function describeOwner(task: Task): string {
  return task.sessionTitle === null ? task.agentName : `${task.agentName}/${task.sessionTitle}`;
}

function describeSchedule(task: Task): string {
  return task.cron ?? 'once';
}

/** `2026-11-24 09:00 Europe/Berlin (in 20h)`: in the task's own zone, which is named. */
function formatTime(at: number, task: Pick<Task, 'timezone'>, now: number): string {
  return `${formatZoned(at, task.timezone)} ${task.timezone} (${formatAge(at, now)})`;
}

async function showTask(context: Context, id: string): Promise<void> {
  const task = await context.api.readTask(id);
  if (context.json) return context.printJson(task);
  const { style } = context;
  const now = context.terminal.now();
  const fields: [string, string][] = [
    ['task', task.id],
    ['agent', oneLine(describeOwner(task))],
    ['session', task.sessionId],
    ['when', task.cron === null ? 'once' : `${oneLine(task.cron)} in ${task.timezone}`],
    ['if missed', MISSED[task.missed]],
    ['state', task.state],
    ['check first', task.hasScript ? 'a script decides whether the agent is woken' : 'no'],
  ];
  const parts = [
    formatFields(fields, style),
    `${style.dim('asks the agent')}\n${indent(plainText(task.prompt))}`,
    ...(task.script === null ? [] : [`${style.dim('its check')}\n${indent(plainText(task.script))}`]),
    `${style.dim(describeNext(task))}${task.nextTimes.map((at) => `\n  ${formatTime(at, task, now)}`).join('')}`,
    formatFirings(task, context, now),
  ];
  context.print(parts.join('\n\n'));
}

const MISSED: Record<Task['missed'], string> = {
  skip: 'left out',
  once: 'fired once, for all that were missed',
  all: 'each fired, oldest first',
};

function describeNext(task: TaskDetail): string {
  if (task.nextTimes.length === 0) return 'fires no more';
  return task.state === 'paused' ? 'would fire, if it were resumed now' : 'fires next';
}

function formatFirings(task: TaskDetail, context: Context, now: number): string {
  const { style } = context;
  if (task.firings.length === 0) return style.dim('has not fired yet');
  const columns: Column<TaskDetail['firings'][number]>[] = [
    { title: 'WAS DUE', value: (firing) => formatTime(firing.dueAt, task, now) },
    {
      title: 'OUTCOME',
      value: (firing) => firing.outcome,
      paint: (firing) =>
        firing.outcome === 'answered' ? style.green : firing.outcome === 'failed' ? style.red : style.dim,
    },
    { title: 'NOTE', value: (firing) => firing.note ?? '', minColumns: 12 },
  ];
  return formatTable(task.firings, columns, style, context.tableColumns());
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
