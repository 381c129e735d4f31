/** `portolan destinations`: where an agent may send. Each change holds for its next send. */
import type { Agent, Destination } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findChat, findDestination, namePlace } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { idColumn, type ListOptions, printPage } from './page.ts';

/** Chats and agents looked at for names to show. */
const MAX_NAMED = 10_000;
/** Names tried for the way back. */
const MAX_TRIED = 20;

export async function listDestinations(context: Context, name: string, options: ListOptions): Promise<void> {
  const agent = await findAgent(context.api, name);
  const page = await context.api.listDestinations(agent.id, options.limit);
  const targets = context.json ? new Map<string, string>() : await readTargets(context);
  printPage(
    context,
    page,
    [
      { title: 'NAME', value: (destination) => destination.name, minColumns: 8, paint: () => context.style.bold },
      { title: 'TO', value: ({ type }) => (type === 'channel' ? 'chat' : 'agent') },
      { title: 'WHICH', value: (destination) => targets.get(destination.targetId) ?? 'gone', minColumns: 8 },
      { title: 'SHOWN AS', value: (destination) => destination.displayName ?? '–', minColumns: 8 },
      { title: 'BEFORE', value: (destination) => destination.formerNames.join(', '), minColumns: 6 },
      idColumn(page.items),
    ],
    `${oneLine(agent.name)} may send nowhere. Give it a place: ${context.typeable(`portolan destinations add ${shellWord(agent.name)} <name> --chat <chat>`)}`,
  );
}

/** Chats and agents as commands take them, by id. */
async function readTargets({ api }: Context): Promise<Map<string, string>> {
  const [chats, agents] = await Promise.all([api.listChats(MAX_NAMED), api.listAgents(MAX_NAMED)]);
  return new Map([
    ...chats.items.map((chat): [string, string] => [chat.id, namePlace(chat)]),
    ...agents.items.map((agent): [string, string] => [agent.id, agent.name]),
  ]);
}

export interface AddOptions {
  chat?: string;
  agent?: string;
  both?: boolean;
}

/** Throws CliError `no_target`, those of `find…`, and the API's `name_taken`, `bad_input`. */
export async function addDestination(
  context: Context,
  agentName: string,
  name: string,
  options: AddOptions,
): Promise<void> {
  const { api } = context;
  const agent = await findAgent(api, agentName);
  const target = await findTarget(context, options);
  const made = await api.addDestination(agent.id, { name, type: target.type, targetId: target.id });
  const back = options.both === true && target.agent !== null ? await addWayBack(context, target.agent, agent) : null;
  if (context.json) return context.printJson(back === null ? made : { made, back });
  context.print(`${context.style.green('✓')} ${oneLine(agent.name)} may send to ${target.shown}, as “${made.name}”.`);
  if (back !== null) context.print(`  ${target.shown} may answer and write to it, as “${back.name}”.`);
  tellUndo(context, `portolan destinations remove ${shellWord(agent.name)} ${made.name}`);
}

async function findTarget({ api }: Context, options: AddOptions) {
  if (options.chat !== undefined && options.agent === undefined && options.both !== true) {
    const chat = await findChat(api, options.chat);
    return { type: 'channel' as const, id: chat.id, shown: oneLine(chat.name || namePlace(chat)), agent: null };
  }
  if (options.agent !== undefined && options.chat === undefined) {
    const agent = await findAgent(api, options.agent);
    return { type: 'agent' as const, id: agent.id, shown: oneLine(agent.name), agent };
  }
  throw new CliError(EXIT.usage, 'no_target', 'A destination is one chat or one agent.', {
    expected: 'either --chat <chat> or --agent <agent>; --both goes with --agent',
    next: 'portolan chats',
  });
}

/** Under the other's folder name, numbered when that is taken. */
async function addWayBack({ api }: Context, from: Agent, to: Agent): Promise<Destination> {
  const { items } = await api.listDestinations(from.id, MAX_NAMED);
  const known = items.find((destination) => destination.targetId === to.id);
  if (known !== undefined) return known;
  const taken = new Set(items.flatMap((destination) => [destination.name, ...destination.formerNames]));
  const names = Array.from({ length: MAX_TRIED }, (_, at) => (at === 0 ? to.folder : `${to.folder}-${at + 1}`));
  const name = names.find((one) => !taken.has(one)) ?? to.folder;
  return api.addDestination(from.id, { name, type: 'agent', targetId: to.id });
}

/** Throws CliError `destination_not_found`, and the API's `name_taken`, `stale`. */
export async function renameDestination(
  context: Context,
  agentName: string,
  name: string,
  newName: string,
): Promise<void> {
  const agent = await findAgent(context.api, agentName);
  const destination = await findDestination(context.api, agent, name);
  const renamed = await context.api.renameDestination(destination, newName);
  if (context.json) return context.printJson(renamed);
  context.print(
    `${context.style.green('✓')} “${destination.name}” of ${oneLine(agent.name)} is “${renamed.name}” now. Answers under the old name still arrive.`,
  );
  tellUndo(context, `portolan destinations rename ${shellWord(agent.name)} ${renamed.name} ${destination.name}`);
}

/** Throws CliError `destination_not_found`, `not_confirmed`, and the API's `stale`. */
export async function removeDestination(
  context: Context,
  agentName: string,
  name: string,
  options: { yes?: boolean },
): Promise<void> {
  const agent = await findAgent(context.api, agentName);
  const destination = await findDestination(context.api, agent, name);
  const word = shellWord(agent.name);
  const targets = await readTargets(context);
  const which = targets.get(destination.targetId);
  await confirm(context, {
    question: `Take “${destination.name}” from ${oneLine(agent.name)}? Its next send there is refused.`,
    yes: options.yes,
    command: `portolan destinations remove ${word} ${destination.name} --yes`,
    unattended: 'allow',
  });
  await context.api.removeDestination(destination);
  if (context.json) return context.printJson(destination);
  context.print(`${context.style.green('✓')} ${oneLine(agent.name)} may not send to “${destination.name}” any more.`);
  if (which === undefined) return;
  const option = destination.type === 'channel' ? '--chat' : '--agent';
  tellUndo(context, `portolan destinations add ${word} ${destination.name} ${option} ${shellWord(which)}`);
}

function tellUndo(context: Context, command: string): void {
  context.print(context.style.dim(`To undo: ${context.typeable(oneLine(command))}`));
}
