/** The commands that list: agents, wirings, destinations, dropped, sessions. */
import type { Agent, Page, Session, SessionState } from '../client/types.ts';
import { isSessionState, SESSION_STATES } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { shortenIds } from '../match.ts';
import type { Paint, Style } from '../output/style.ts';
import { type Column, formatTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';

export interface ListOptions {
  limit: number;
}

/** Prints a page: the API's own shape for scripts, else a table, or `empty` and what to type next. */
function printPage<T>(context: Context, page: Page<T>, columns: readonly Column<T>[], empty: string): void {
  if (context.json) {
    context.printJson(page);
    return;
  }
  if (page.items.length === 0) {
    context.print(empty);
    return;
  }
  context.print(formatTable(page.items, columns, context.style, context.tableColumns()));
  if (page.nextCursor !== null) context.print(context.style.dim(`… more; ask for them with --limit`));
}

function idColumn<T extends { id: string }>(items: readonly T[]): Column<T> {
  const short = shortenIds(items.map((item) => item.id));
  return { title: 'ID', value: (item) => short.get(item.id) ?? item.id };
}

export async function listAgents(context: Context, options: ListOptions): Promise<void> {
  const page = await context.api.listAgents(options.limit);
  printPage(
    context,
    page,
    [
      { title: 'NAME', value: (agent) => agent.name, minColumns: 8, paint: () => context.style.bold },
      { title: 'PROVIDER', value: (agent) => agent.provider },
      { title: 'MODEL', value: (agent) => agent.model ?? '–', minColumns: 5 },
      { title: 'TIME ZONE', value: (agent) => agent.timezone, minColumns: 9 },
      { title: 'ADMIN', value: (agent) => (agent.isAdmin ? 'yes' : 'no') },
      { title: 'FOLDER', value: (agent) => `groups/${agent.folder}`, minColumns: 10 },
      idColumn(page.items),
    ],
    'No agents yet.',
  );
}

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
      {
        title: 'ENGAGES',
        value: (wiring) =>
          wiring.engagePattern ? `${wiring.engageMode} /${wiring.engagePattern}/` : wiring.engageMode,
        minColumns: 7,
      },
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
async function readNames(context: Context): Promise<Map<string, string>> {
  const limit = 10_000;
  const [agents, chats] = await Promise.all([context.api.listAgents(limit), context.api.listChats(limit)]);
  return new Map([
    ...agents.items.map((agent): [string, string] => [agent.id, agent.name]),
    ...chats.items.map((chat): [string, string] => [chat.id, chat.name || `${chat.channelType}:${chat.platformId}`]),
  ]);
}

export async function listDestinations(context: Context, agentName: string, options: ListOptions): Promise<void> {
  const agent = await findAgent(context.api, agentName);
  const page = await context.api.listDestinations(agent.id, options.limit);
  printPage(
    context,
    page,
    [
      { title: 'NAME', value: (destination) => destination.name, minColumns: 8, paint: () => context.style.bold },
      { title: 'TYPE', value: (destination) => destination.type },
      { title: 'SHOWN AS', value: (destination) => destination.displayName ?? '–', minColumns: 8 },
      { title: 'TARGET', value: (destination) => destination.targetId, minColumns: 10 },
      idColumn(page.items),
    ],
    `${agent.name} may send nowhere: it has no destinations.`,
  );
}

export async function listDropped(context: Context, options: ListOptions): Promise<void> {
  const page = await context.api.listDropped(options.limit);
  const now = context.terminal.now();
  printPage(
    context,
    page,
    [
      { title: 'LAST', value: (dropped) => formatAge(dropped.lastAt, now) },
      { title: 'TIMES', value: (dropped) => String(dropped.count), align: 'right' },
      { title: 'SENDER', value: (dropped) => dropped.senderId, minColumns: 8 },
      { title: 'CHAT', value: (dropped) => `${dropped.channelType}:${dropped.platformId}`, minColumns: 10 },
      { title: 'WHY', value: (dropped) => dropped.reason, minColumns: 12 },
    ],
    'Nothing was dropped.',
  );
}

export interface SessionFilter extends ListOptions {
  agent?: string;
  state?: string;
}

export async function listSessions(context: Context, options: SessionFilter): Promise<void> {
  const state = options.state === undefined ? undefined : parseState(options.state);
  const agent: Agent | undefined =
    options.agent === undefined ? undefined : await findAgent(context.api, options.agent);
  const page = await context.api.listSessions({ agent: agent?.id, state }, options.limit);
  const now = context.terminal.now();
  printPage(
    context,
    page,
    [
      idColumn(page.items),
      {
        title: 'STATE',
        value: (session) => session.state,
        paint: (session) => paintState(context.style, session.state),
      },
      { title: 'AGENT', value: (session) => session.agentName, minColumns: 6 },
      { title: 'CHANNEL', value: (session) => session.channelType ?? 'all chats' },
      { title: 'ACTIVE', value: (session) => formatAge(session.lastActiveAt, now) },
      { title: 'UNREAD', value: (session) => (session.unread === 0 ? '' : String(session.unread)), align: 'right' },
      { title: 'ABOUT', value: describeSession, minColumns: 16 },
    ],
    state === undefined && agent === undefined
      ? 'No sessions yet. Start one: portolan chat'
      : 'No session fits. All of them: portolan sessions',
  );
}

function describeSession(session: Session): string {
  if (session.stateReason !== null) return session.stateReason;
  return session.title || session.lastMessage?.text || '';
}

function parseState(text: string): SessionState {
  if (isSessionState(text)) return text;
  throw new CliError(EXIT.usage, 'bad_state', `There is no session state "${text}".`, {
    expected: `one of ${SESSION_STATES.join(', ')}`,
  });
}

/** Green works, yellow waits, red needs a person. */
export function paintState(style: Style, state: SessionState): Paint {
  switch (state) {
    case 'running':
    case 'starting':
      return style.green;
    case 'waiting':
    case 'stopping':
      return style.yellow;
    case 'paused':
      return style.cyan;
    case 'failed':
    case 'quarantined':
      return style.red;
    case 'idle':
      return style.dim;
  }
}
