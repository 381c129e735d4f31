/** `portolan wirings`, `wire` and `unwire`: which agent listens in which chat, and when it engages. */
import type { Agent, Chat, Wiring } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findChat, namePlace } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { idColumn, type ListOptions, printPage } from './page.ts';

/** Agents, chats and wirings looked at for names, or for the one that is meant. */
const MAX_LOOKED_AT = 10_000;

export async function listWirings(context: Context, options: ListOptions): Promise<void> {
  const page = await context.api.listWirings(options.limit);
  const names = context.json ? null : await readNames(context);
  const nameOf = (id: string): string => names?.get(id) ?? id;
  printPage(
    context,
    page,
    [
      { title: 'CHAT', value: (wiring) => nameOf(wiring.chatId), minColumns: 8 },
      { title: 'AGENT', value: (wiring) => nameOf(wiring.agentId), minColumns: 6, paint: () => context.style.bold },
      { title: 'ENGAGES', value: describeEngagement, minColumns: 7 },
      { title: 'SENDERS', value: (wiring) => wiring.senderScope },
      { title: 'IGNORED', value: (wiring) => wiring.ignoredMessagePolicy },
      { title: 'SESSIONS', value: (wiring) => wiring.sessionMode },
      { title: 'PRIORITY', value: (wiring) => String(wiring.priority), align: 'right' },
      idColumn(page.items),
    ],
    'No wirings yet: no agent listens anywhere.',
  );
}

/** Names of agents and chats, to show instead of ids. */
async function readNames({ api }: Context): Promise<Map<string, string>> {
  const [agents, chats] = await Promise.all([api.listAgents(MAX_LOOKED_AT), api.listChats(MAX_LOOKED_AT)]);
  return new Map([
    ...agents.items.map((agent): [string, string] => [agent.id, agent.name]),
    ...chats.items.map((chat): [string, string] => [chat.id, chat.name || namePlace(chat)]),
  ]);
}

function describeEngagement(wiring: Wiring): string {
  return wiring.engagePattern === null ? wiring.engageMode : `${wiring.engageMode} /${wiring.engagePattern}/`;
}

export interface WireOptions {
  engage?: string;
  pattern?: string;
  sessionMode?: string;
  senderScope?: string;
  ignored?: string;
  priority?: number;
}

/** Wires, or changes what the options name of a wiring that is there. Throws CliError of `find…`, and the API's `bad_pattern`. */
export async function wire(context: Context, chatName: string, agentName: string, options: WireOptions): Promise<void> {
  const { api } = context;
  const [chat, agent] = [await findChat(api, chatName), await findAgent(api, agentName)];
  const settings = readSettings(options);
  const known = await findWiring(context, chat, agent);
  if (known !== null && Object.keys(settings).length === 0) {
    throw new CliError(EXIT.refused, 'already_wired', `${oneLine(agent.name)} listens there already.`, {
      expected: 'a setting to change, such as --engage always',
      next: 'portolan wirings',
    });
  }
  const wiring =
    known === null
      ? await api.createWiring({ chatId: chat.id, agentId: agent.id, ...settings })
      : await api.changeWiring(known, settings);
  if (context.json) return context.printJson(wiring);
  const done = known === null ? 'listens' : 'goes on listening';
  context.print(
    `${context.style.green('✓')} ${oneLine(agent.name)} ${done} in ${nameChat(chat)}: ${ENGAGES[wiring.engageMode](wiring)}.`,
  );
  const name = await readDestinationName(context, agent, chat);
  if (name !== null) context.print(`  It answers there as “${name}”.`);
  if (wiring.senderScope === 'known')
    context.print(context.style.dim('  Only people it knows are heard; for everybody: --sender-scope all'));
  if (known === null) tellUndo(context, `portolan unwire ${shellWord(namePlace(chat))} ${shellWord(agent.name)}`);
}

/** When an agent answers, in words. */
const ENGAGES: Readonly<Record<Wiring['engageMode'], (wiring: Wiring) => string>> = {
  always: () => 'it answers every message',
  pattern: (wiring) => `it answers what matches /${oneLine(wiring.engagePattern ?? '')}/`,
  mention: () => 'it answers when it is mentioned',
  'mention-sticky': () => 'it answers from its first mention on',
};

/** The API checks the values; a pattern alone means that it engages by it. */
function readSettings(options: WireOptions): Record<string, unknown> {
  const engage = options.engage ?? (options.pattern === undefined ? undefined : 'pattern');
  const settings = {
    engageMode: engage,
    engagePattern: options.pattern,
    sessionMode: options.sessionMode,
    senderScope: options.senderScope,
    ignoredMessagePolicy: options.ignored,
    priority: options.priority,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

async function findWiring({ api }: Context, chat: Chat, agent: Agent): Promise<Wiring | null> {
  const { items } = await api.listWirings(MAX_LOOKED_AT);
  return items.find((wiring) => wiring.chatId === chat.id && wiring.agentId === agent.id) ?? null;
}

/** What the agent calls this chat; null when it may not send there. */
async function readDestinationName({ api }: Context, agent: Agent, chat: Chat): Promise<string | null> {
  const { items } = await api.listDestinations(agent.id, MAX_LOOKED_AT);
  return items.find((destination) => destination.targetId === chat.id)?.name ?? null;
}

/** Throws CliError `wiring_not_found`, `not_confirmed`, those of `find…`, and the API's `stale`. */
export async function unwire(
  context: Context,
  chatName: string,
  agentName: string,
  options: { yes?: boolean },
): Promise<void> {
  const { api } = context;
  const [chat, agent] = [await findChat(api, chatName), await findAgent(api, agentName)];
  const wiring = await findWiring(context, chat, agent);
  if (wiring === null) {
    throw new CliError(
      EXIT.notFound,
      'wiring_not_found',
      `${oneLine(agent.name)} does not listen in ${nameChat(chat)}.`,
      {
        next: 'portolan wirings',
      },
    );
  }
  const words = `${shellWord(namePlace(chat))} ${shellWord(agent.name)}`;
  await confirm(context, {
    question: `Should ${oneLine(agent.name)} no longer listen in ${nameChat(chat)}?`,
    yes: options.yes,
    command: `portolan unwire ${words} --yes`,
    unattended: 'allow',
  });
  await api.removeWiring(wiring);
  if (context.json) return context.printJson(wiring);
  context.print(`${context.style.green('✓')} ${oneLine(agent.name)} no longer listens in ${nameChat(chat)}.`);
  const name = await readDestinationName(context, agent, chat);
  if (name !== null) {
    context.print(`It may still send there, as “${name}”. To take that too:`);
    context.print(`  ${context.typeable(`portolan destinations remove ${shellWord(agent.name)} ${name}`)}`);
  }
  tellUndo(context, `portolan wire ${words} ${formatSettings(wiring)}`);
}

function formatSettings(wiring: Wiring): string {
  const pattern = wiring.engagePattern === null ? '' : ` --pattern ${shellWord(wiring.engagePattern)}`;
  const priority = wiring.priority === 0 ? '' : ` --priority=${wiring.priority}`;
  return `--engage ${wiring.engageMode}${pattern} --session-mode ${wiring.sessionMode} --sender-scope ${wiring.senderScope} --ignored ${wiring.ignoredMessagePolicy}${priority}`;
}

function nameChat(chat: Chat): string {
  return oneLine(chat.name === '' ? namePlace(chat) : `${chat.name} (${namePlace(chat)})`);
}

function tellUndo(context: Context, command: string): void {
  context.print(context.style.dim(`To undo: ${context.typeable(oneLine(command))}`));
}
