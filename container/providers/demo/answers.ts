/** The demo provider's words. They are the first thing a new user reads. Pure. */

import type { TaskView } from '../../../shared/protocol.ts';
import { formatLocalTime } from '../../runner/zone.ts';
import type { PromptAttachment, PromptMessage } from '../provider.ts';

export const WHAT_I_AM = 'I am the **demo provider**: fixed rules, no model, no key.';

export function formatHelp(agentName: string): string {
  return `**Hello, I am ${agentName}.** ${WHAT_I_AM} I am here so that you can try the host before you connect a real model.

| Write | and I |
|---|---|
| \`who am i\` | say how I see you, and what I am |
| \`destinations\` | list the places I can write to |
| \`tell <name> <text>\` | pass a message on |
| \`ask <agent> <question>\` | ask another agent, and bring you its answer |
| \`ask me tea or coffee? tea, coffee\` | let you choose, and wait for it |
| \`remind me in 5 min to stretch\` | come back then (\`at 17:30\` works too) |
| \`every day at 9 water the plants\` | come back again and again (\`every monday…\`, \`every 10 minutes…\`) |
| \`tasks\`, \`pause task 1\`, \`resume task 1\`, \`cancel task 1\` | show and change what I come back for |
| \`remember <something>\`, \`recall\`, \`forget <something>\` | keep notes in this session |
| \`send a file\` | write a small file and send it |
| \`forward the file to <name>\` | pass on the file that you sent me last |
| \`make an agent called <name> that <does something>\` | make it, if I am an admin agent |
| \`slow task 10\` | work for 10 seconds and show progress; \`stop\` ends it |
| \`install apt cowsay\`, \`install npm cowsay because …\` | ask an admin for a program |
| \`run cowsay hello\` | run a program that I have |
| \`add mcp server <name>: <program> <words>\`, \`remove mcp server <name>\` | ask an admin for an MCP server |
| \`mcp tools\`, \`use <server> <tool> {"name": "value"}\` | show and call what MCP servers bring |
| \`fetch https://example.com/\` | look at what is there, if I am let out |
| \`ask for access to <host or service> because …\` | ask an admin to be let out |
| \`rebuild because …\`, \`restart\` | begin anew, with the newest packages or just so |
| \`react 👍\` | react to your message |
| \`time\` | tell the time |

Send me a file and I say what I got. \`/clear\` starts the conversation afresh.`;
}

export function formatGreeting(agentName: string, sender: string): string {
  return `Hello${sender ? ` ${sender}` : ''}! I am **${agentName}**. Write \`help\` to see what I can do.`;
}

export function formatWhoAmI(facts: {
  sender: string;
  from: string;
  agentName: string;
  timezone: string;
  seq: number;
  messageCount: number;
}): string {
  const you = facts.sender ? `**${facts.sender}**` : 'somebody without a name';
  const count = facts.messageCount === 1 ? 'the first message' : `message number ${facts.messageCount}`;
  return `You are ${you}, writing from **${facts.from}**.

- This is ${count} I got in this conversation, and its id is ${facts.seq}.
- My name is **${facts.agentName}**. ${WHAT_I_AM}
- My clock is set to ${facts.timezone}.`;
}

export interface ListedDestination {
  name: string;
  /** Renamed: these still lead there. */
  formerNames: readonly string[];
  displayName: string;
  type: string;
  channel: string | null;
}

export function formatDestinations(destinations: readonly ListedDestination[], from: string): string {
  if (destinations.length === 0) return 'I cannot write to anyone at the moment.';
  const lines = destinations.map(({ name, displayName, channel }) => {
    const here = name === from ? ' ← you are here' : '';
    return `- \`${name}\`: ${displayName} (${channel ? `chat on ${channel}` : 'another agent'})${here}`;
  });
  return `I can write to:\n\n${lines.join('\n')}\n\nTry \`tell ${destinations.at(-1)?.name} hello\`.`;
}

export function formatNotes(notes: readonly string[]): string {
  if (notes.length === 0) return 'I have no notes in this session. Try `remember the milk`.';
  return `I remember:\n\n${notes.map((note, index) => `${index + 1}. ${note}`).join('\n')}`;
}

export function formatReminderSet(dueMs: number, timezone: string, text: string): string {
  return `⏰ I will remind you on **${formatLocalTime(dueMs)}** (${timezone}): ${text}`;
}

export function formatRepeatSet(cron: string, timezone: string, text: string): string {
  return `🔁 I will come back for this again and again (\`${cron}\`, ${timezone}): ${text}\n\n\`tasks\` shows it, and its number.`;
}

export const REPEAT_UNCLEAR =
  'How often, and of what? For example `every day at 9 water the plants`, `every monday at 17:30 put the bins out`, or `every 10 minutes look up`. Minutes and hours must divide the hour or the day evenly.';

export const ASK_ME_UNCLEAR = 'What, and which answers? For example `ask me tea or coffee? tea, coffee`.';

/** Times are the session's, so its zone is named. */
export function formatTasks(tasks: readonly TaskView[], timezone: string): string {
  if (tasks.length === 0)
    return 'I have no tasks. Try `remind me in 5 min to stretch`, or `every day at 9 water the plants`.';
  const lines = tasks.map((task, index) => {
    const rule = task.cron === null ? '' : `, \`${task.cron}\``;
    const next = task.nextAt === null ? task.state : `next on ${formatLocalTime(task.nextAt)} ${timezone}`;
    return `${index + 1}. ${taskText(task)} (${task.state === 'paused' ? 'paused' : next}${rule})`;
  });
  return `I come back for:\n\n${lines.join('\n')}\n\n\`pause task 1\`, \`resume task 1\` and \`cancel task 1\` change them.`;
}

/** A task's words without what this provider put before them. */
export function taskText(task: TaskView): string {
  return task.prompt.replace(/^Reminder for [a-z0-9-]+: /, '');
}

/** What the task's own check found, for the end of a message. */
export function formatCheck(check: PromptMessage['check']): string {
  if (check === null) return '';
  if (check.kind === 'failed') return `\n\n(Its check went wrong: ${check.problem}.)`;
  return check.json === null ? '' : `\n\nIts check found: \`${check.json.replaceAll('`', "'")}\``;
}

export function formatInstructions(name: string, what: string): string {
  return `# ${name}\n\nYou are ${name}, an agent that ${what}\n`;
}

export function formatNoMaker(): string {
  return 'I may not make agents: only admin agents can. An admin of this host can make one with `npx portolan agents create`.';
}

export function formatAgentMade(name: string, data: unknown): string {
  const localName = typeof data === 'object' && data !== null && 'agent' in data ? data.agent : null;
  const reach =
    typeof localName === 'string' ? ` Try \`ask ${localName} who are you\`.` : ' `destinations` will list it soon.';
  return `The agent **${name}** is made.${reach}`;
}

export const REMIND_UNCLEAR =
  'When, and of what? For example `remind me in 5 min to stretch`, `remind me at 17:30 to call home`, or `remind me to water the plants tomorrow at 9`.';

export function formatFiles(files: readonly PromptAttachment[], details: readonly string[]): string {
  const lines = files.map((file, index) => {
    const detail = details[index] ? `: ${details[index]}` : '';
    return `**${file.name}**, ${formatSize(file.sizeBytes)}${detail}`;
  });
  if (lines.length === 1) return `📎 I got ${lines[0]}.`;
  return `📎 I got ${lines.length} files:\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

export function formatUnknown(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  const quote = line.length > 200 ? `${line.slice(0, 200).replace(/\p{Surrogate}$/u, '')}…` : line;
  return `I read this, and have no rule for it:\n\n> ${quote}\n\n${WHAT_I_AM} Write \`help\` to see what I understand.`;
}

/** `▰▰▰▱▱▱▱▱▱▱ 30 %` */
export function formatProgress(doneS: number, totalS: number): string {
  const tenths = Math.floor((doneS / totalS) * 10);
  const bar = '▰'.repeat(tenths) + '▱'.repeat(10 - tenths);
  const head = doneS >= totalS ? '✅' : '⏳';
  return `${head} **Slow task** ${bar} ${Math.floor((doneS / totalS) * 100)} % of ${totalS} s`;
}

function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
