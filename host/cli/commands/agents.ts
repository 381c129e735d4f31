/** `portolan agents`: list, make, remove, restore. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MAX_INSTRUCTIONS_BYTES } from '../../../shared/limits.ts';
import { errorCode } from '../../config/errors.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findRemovedAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { idColumn, type ListOptions, printPage } from './page.ts';

export async function listAgents(context: Context, options: ListOptions & { removed?: boolean }): Promise<void> {
  const removed = options.removed === true;
  const page = removed
    ? await context.api.listRemovedAgents(options.limit)
    : await context.api.listAgents(options.limit);
  const now = context.terminal.now();
  printPage(
    context,
    page,
    [
      { title: 'NAME', value: (agent) => agent.name, minColumns: 8, paint: () => context.style.bold },
      { title: 'PROVIDER', value: (agent) => agent.provider },
      { title: 'MODEL', value: (agent) => agent.model ?? '–', minColumns: 5 },
      { title: 'TIME ZONE', value: (agent) => agent.timezone, minColumns: 9 },
      { title: 'ADMIN', value: (agent) => (agent.isAdmin ? 'yes' : 'no') },
      removed
        ? { title: 'REMOVED', value: (agent) => formatAge(agent.removedAt ?? now, now) }
        : { title: 'FOLDER', value: (agent) => `groups/${agent.folder}`, minColumns: 10 },
      idColumn(page.items),
    ],
    removed ? 'No agent was removed.' : 'No agents yet.',
  );
}

export interface NewAgentOptions {
  admin?: boolean;
  provider?: string;
  instructions?: string;
}

/** Throws CliError `no_such_file`, `too_long`, and the API's `name_refused`. */
export async function createAgent(context: Context, name: string, options: NewAgentOptions): Promise<void> {
  const { instructions } = options;
  const agent = await context.api.createAgent({
    name,
    ...(options.admin === true ? { isAdmin: true } : {}),
    ...(options.provider === undefined ? {} : { provider: options.provider }),
    ...(instructions === undefined ? {} : { instructions: await readInstructions(context, instructions) }),
  });
  if (context.json) return context.printJson(agent);
  const word = shellWord(agent.name);
  context.print(`${context.style.green('✓')} ${oneLine(agent.name)} is there; its folder is groups/${agent.folder}.`);
  context.print(`Talk to it: portolan chat --agent ${word}. To have it listen in a chat: portolan wire <chat> ${word}`);
}

async function readInstructions({ terminal }: Context, file: string): Promise<string> {
  const text = await readFile(resolve(terminal.cwd, file), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === '') throw error;
    throw new CliError(EXIT.usage, 'no_such_file', `${oneLine(file)} cannot be read (${errorCode(error)}).`, {
      expected: 'a text file with what the agent is to do',
    });
  });
  if (text.trim() !== '' && Buffer.byteLength(text) <= MAX_INSTRUCTIONS_BYTES) return text;
  throw new CliError(EXIT.usage, 'bad_instructions', `${oneLine(file)} is empty or too long.`, {
    expected: `1 to ${MAX_INSTRUCTIONS_BYTES} bytes of text`,
  });
}

/** Throws CliError `agent_not_found`, `ambiguous`, `not_confirmed`, and the API's `only_agent`, `stale`. */
export async function removeAgent(context: Context, name: string, options: { yes?: boolean }): Promise<void> {
  const agent = await findAgent(context.api, name);
  const word = shellWord(agent.name);
  await confirm(context, {
    question: `Remove the agent ${oneLine(agent.name)}${agent.isAdmin ? ' (an admin)' : ''}, its wirings, destinations and tasks? Its folder is kept.`,
    yes: options.yes,
    command: `portolan agents remove ${word} --yes`,
    unattended: 'refuse',
  });
  const removal = await context.api.removeAgent(agent);
  if (context.json) return context.printJson(removal);
  const { style } = context;
  const gone = [
    count(removal.wirings, 'wiring'),
    count(removal.destinations, 'destination'),
    count(removal.tasks, 'task'),
    count(removal.questions, 'open question'),
  ];
  context.print(`${style.green('✓')} ${oneLine(agent.name)} is removed, with ${gone.join(', ')}.`);
  if (removal.pointing > 0) context.print(`It was a destination of ${count(removal.pointing, 'other agent')}.`);
  context.print(`Its folder is kept in ${removal.archivedTo}.`);
  if (removal.warning !== null) context.print(style.yellow(`! ${oneLine(removal.warning)}`));
  context.print(style.dim(`To undo: portolan agents restore ${word} (wirings and destinations are to be given anew)`));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Throws CliError `agent_not_found`, `ambiguous`, and the API's `still_removing`, `name_taken`. */
export async function restoreAgent(context: Context, name: string): Promise<void> {
  const agent = await findRemovedAgent(context.api, name);
  const restored = await context.api.restoreAgent(agent.id);
  if (context.json) return context.printJson(restored);
  const word = shellWord(restored.name);
  context.print(`${context.style.green('✓')} ${oneLine(restored.name)} is back, with its folder and conversations.`);
  context.print(`It listens nowhere yet: portolan wire <chat> ${word}; portolan destinations add ${word} <name> …`);
}
