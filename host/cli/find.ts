/** Finds the agent, session or message that a person names on the command line; says what fits when none does. */
import { isId } from '../../shared/ids.ts';
import type { HostApi } from './client/api.ts';
import type { Agent, Chat, Destination, Message, Session, Task } from './client/types.ts';
import { CliError, EXIT } from './errors.ts';
import { isIdPart, type Match, MIN_ID_PART, matchNamed, type Named } from './match.ts';
import { shellWord } from './output/shell.ts';
import { oneLine } from './output/text.ts';

/** Agents looked at; more than anybody names by hand. */
const MAX_AGENTS = 10_000;
/** Chats looked at. */
const MAX_CHATS = 10_000;
/** Destinations of one agent looked at. */
const MAX_DESTINATIONS = 10_000;
/** Tasks looked at for a shortened id. */
const MAX_TASKS = 2_000;
/** How far back a shortened message id is looked for: so many sessions, so many messages of each. */
const RECENT_SESSIONS = 20;
const RECENT_MESSAGES = 200;

/** By name or id. Throws CliError `agent_not_found`, `ambiguous`. */
export async function findAgent(api: HostApi, text: string): Promise<Agent> {
  const { items } = await api.listAgents(MAX_AGENTS);
  const known = items.slice(0, 10).map((agent) => oneLine(agent.name));
  return settle(matchNamed(items, text), text, 'agent', known.length > 0 ? `one of ${known.join(', ')}` : 'an agent');
}

/**
 * By name, id, a part of the id, or place: `<channel>/<platform id>` (or with ":"). Two of a name are told apart
 * by their places. Throws CliError `chat_not_found`, `ambiguous`.
 */
export async function findChat(api: HostApi, text: string): Promise<Chat> {
  const { items } = await api.listChats(MAX_CHATS);
  const byPlace = items.find((chat) => namePlace(chat) === text || namePlace(chat, ':') === text);
  if (byPlace !== undefined) return byPlace;
  const match = matchNamed(items, text);
  if (match.kind !== 'ambiguous') return settle(match, text, 'chat', 'a name, an id or `<channel>/<platform id>`');
  const places = match.items.map((chat) => ({ id: namePlace(chat), name: chat.name }));
  throw describeAmbiguity(places, text, 'chat', 'one of these places');
}

/** Where a chat is, as commands take it. */
export function namePlace(chat: Pick<Chat, 'channelType' | 'platformId'>, separator = '/'): string {
  return `${chat.channelType}${separator}${chat.platformId}`;
}

/** Of those that were removed, by name or id. Throws CliError `agent_not_found`, `ambiguous`. */
export async function findRemovedAgent(api: HostApi, text: string): Promise<Agent> {
  const { items } = await api.listRemovedAgents(MAX_AGENTS);
  const known = items.slice(0, 10).map((agent) => oneLine(agent.name));
  const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'an agent that was removed; there is none';
  return settle(matchNamed(items, text), text, 'agent', expected);
}

/** Of one agent's, by its name there, a former one, or id. Throws CliError `destination_not_found`, `ambiguous`. */
export async function findDestination(api: HostApi, agent: Agent, text: string): Promise<Destination> {
  const { items } = await api.listDestinations(agent.id, MAX_DESTINATIONS);
  const match = matchNamed(items, text);
  if (match.kind === 'found') return match.item;
  const former = items.find((destination) => destination.formerNames.includes(text));
  if (former !== undefined) return former;
  const names = items.slice(0, 10).map((destination) => destination.name);
  return settle(
    match,
    text,
    'destination',
    names.length > 0 ? `one of ${names.join(', ')}` : 'a destination; it has none',
    `portolan destinations ${shellWord(oneLine(agent.name))}`,
  );
}

/** By id or a part of it. Throws CliError `session_not_found`, `ambiguous`. */
export async function findSession(api: HostApi, text: string): Promise<Session> {
  // What has the shape of an id may be of a page that nobody wants to walk to.
  if (isId('session', text)) return api.readSession(text);
  const matches: Session[] = [];
  if (text.length >= MIN_ID_PART) {
    for await (const page of api.walkSessions()) matches.push(...page.filter((session) => isIdPart(session.id, text)));
  }
  const named = matches.map((session) => ({ ...session, name: session.title }));
  return settle(matchNamed(named, text), text, 'session', 'an id, or its beginning or end, from `portolan sessions`');
}

/** Either of both: a name of an agent wins over a part of a session's id. */
export async function findAgentOrSession(
  api: HostApi,
  text: string,
): Promise<{ kind: 'agent'; agent: Agent } | { kind: 'session'; session: Session }> {
  if (isId('session', text)) return { kind: 'session', session: await api.readSession(text) };
  const agents = await api.listAgents(MAX_AGENTS);
  const match = matchNamed(agents.items, text);
  if (match.kind === 'found') return { kind: 'agent', agent: match.item };
  if (match.kind === 'ambiguous') throw describeAmbiguity(match.items, text, 'agent');
  try {
    return { kind: 'session', session: await findSession(api, text) };
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'session_not_found') throw error;
    const known = agents.items.slice(0, 10).map((agent) => oneLine(agent.name));
    throw new CliError(EXIT.notFound, 'target_not_found', `There is no agent or session "${oneLine(text)}".`, {
      expected: `an agent (${known.join(', ')}) or a session id`,
      next: 'portolan sessions',
    });
  }
}

/** By id or a part of it. Throws CliError `task_not_found`, `ambiguous`. */
export async function findTask(api: HostApi, text: string): Promise<Task> {
  if (isId('task', text)) return api.readTask(text);
  const { items } = await api.listTasks({}, MAX_TASKS);
  const named = items.filter((task) => isIdPart(task.id, text)).map((task) => ({ ...task, name: task.prompt }));
  return settle(matchNamed(named, text), text, 'task', 'an id, or its beginning or end, from `portolan tasks --all`');
}

/**
 * By whole id, a part of the id of a recent one, or `last` for the newest that `mayBeLast` takes: what a person
 * wrote, unless told otherwise. Throws `message_not_found`.
 */
export async function findMessage(
  api: HostApi,
  text: string,
  mayBeLast: (message: Message) => boolean = (message) => message.direction === 'in',
): Promise<Message> {
  if (isId('message', text)) return api.readMessage(text);
  const { items: sessions } = await api.listSessions({}, RECENT_SESSIONS);
  const matches: Message[] = [];
  for (const session of sessions) {
    const { items } = await api.listMessages(session.id, { limit: RECENT_MESSAGES });
    matches.push(...items.filter((message) => (text === 'last' ? mayBeLast(message) : isIdPart(message.id, text))));
  }
  const unique = [...new Map(matches.map((message) => [message.id, message])).values()];
  if (text === 'last') unique.splice(0, unique.length, ...unique.sort((a, b) => b.createdAt - a.createdAt).slice(0, 1));
  const [first] = unique;
  const match: Match<Message> =
    first === undefined
      ? { kind: 'none' }
      : unique.length === 1
        ? { kind: 'found', item: first }
        : { kind: 'ambiguous', items: unique };
  const named = match.kind === 'ambiguous' ? { ...match, items: match.items.map(nameMessage) } : match;
  const next = text === 'last' ? 'portolan chat' : 'portolan trace last';
  return settle(named, text, 'message', 'a message id, a part of a recent one, or "last"', next);
}

function nameMessage(message: Message): Message & { name: string } {
  return { ...message, name: message.text.slice(0, 40) };
}

const NEXT_BY_NOUN: Readonly<Record<string, string>> = {
  agent: 'portolan agents',
  chat: 'portolan chats',
  task: 'portolan tasks',
};

function settle<T extends { id: string; name?: string | null }>(
  match: Match<T>,
  text: string,
  noun: string,
  expected: string,
  next = NEXT_BY_NOUN[noun] ?? 'portolan sessions',
): T {
  switch (match.kind) {
    case 'found':
      return match.item;
    case 'ambiguous':
      throw describeAmbiguity(
        match.items.map(({ id, name }) => ({ id, name: name ?? null })),
        text,
        noun,
      );
    case 'none':
      throw new CliError(EXIT.notFound, `${noun}_not_found`, `There is no ${noun} "${oneLine(text)}".`, {
        expected,
        next,
      });
  }
}

function describeAmbiguity(items: readonly Named[], text: string, noun: string, expected = 'more of the id'): CliError {
  const shown = items.slice(0, 5).map((item) => (item.name ? `${item.id} (${oneLine(item.name)})` : item.id));
  const more = items.length > 5 ? ` and ${items.length - 5} more` : '';
  return new CliError(
    EXIT.usage,
    'ambiguous',
    `"${oneLine(text)}" fits ${items.length} ${noun}s: ${shown.join(', ')}${more}.`,
    {
      expected,
    },
  );
}
