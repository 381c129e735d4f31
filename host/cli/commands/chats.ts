/** `portolan chats`: the chats that the host knows, who listens there, and who may write. */
import type { Chat } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findChat } from '../find.ts';
import { shortenIds } from '../match.ts';
import { formatTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';

/** Wirings and agents looked at for the names beside chats. */
const MAX_NAMED = 10_000;

export async function listChats(context: Context, { limit }: { limit: number }): Promise<void> {
  const page = await context.api.listChats(limit);
  if (context.json) {
    context.printJson(page);
    return;
  }
  if (page.items.length === 0) {
    context.print('No chats yet: a chat appears with its first message to the bot.');
    return;
  }
  const listening = await readListening(context);
  const short = shortenIds(page.items.map(({ id }) => id));
  const columns = [
    { title: 'CHANNEL', value: (chat: Chat) => chat.channelType },
    { title: 'NAME', value: (chat: Chat) => chat.name, minColumns: 8, paint: () => context.style.bold },
    { title: 'AGENTS', value: (chat: Chat) => listening.get(chat.id)?.join(', ') ?? '–', minColumns: 6 },
    { title: 'STRANGERS', value: (chat: Chat) => chat.unknownSenderPolicy },
    { title: 'PLATFORM ID', value: (chat: Chat) => chat.platformId, minColumns: 11 },
    { title: 'ID', value: (chat: Chat) => short.get(chat.id) ?? chat.id },
  ];
  context.print(formatTable(page.items, columns, context.style, context.tableColumns()));
  if (page.nextCursor !== null) context.print(context.style.dim('… more; ask for them with --limit'));
}

/** Names of the agents that listen, by chat. */
async function readListening(context: Context): Promise<Map<string, string[]>> {
  const [wirings, agents] = await Promise.all([context.api.listWirings(MAX_NAMED), context.api.listAgents(MAX_NAMED)]);
  const names = new Map(agents.items.map(({ id, name }) => [id, name]));
  const listening = new Map<string, string[]>();
  for (const { chatId, agentId } of wirings.items) {
    listening.set(chatId, [...(listening.get(chatId) ?? []), names.get(agentId) ?? agentId]);
  }
  return listening;
}

export interface ChatSettings {
  unknownSenders?: string;
}

/** Throws CliError `chat_not_found`, `ambiguous`, `nothing_to_set`, `bad_policy`, and the API's `stale`. */
export async function setChat(context: Context, text: string, { unknownSenders }: ChatSettings): Promise<void> {
  if (unknownSenders === undefined) {
    throw new CliError(EXIT.usage, 'nothing_to_set', 'Nothing to set.', {
      expected: `--unknown-senders ${Object.keys(EFFECT).join('|')}`,
      next: 'portolan chats set --help',
    });
  }
  const unknownSenderPolicy = parsePolicy(unknownSenders);
  const chat = await context.api.changeChat(await findChat(context.api, text), { unknownSenderPolicy });
  if (context.json) context.printJson(chat);
  else context.print(`${oneLine(chat.name || chat.platformId)}: ${EFFECT[unknownSenderPolicy]}`);
}

type Policy = Chat['unknownSenderPolicy'];

/** What a policy means, in words. */
const EFFECT: Readonly<Record<Policy, string>> = {
  strict: 'messages of people that an agent does not know are dropped and counted.',
  request_approval: 'an admin is asked about people that an agent does not know; their messages wait.',
  public: 'everybody may write to the agents there.',
};

function parsePolicy(text: string): Policy {
  if (text === 'strict' || text === 'request_approval' || text === 'public') return text;
  throw new CliError(EXIT.usage, 'bad_policy', `"${oneLine(text)}" is no policy for strangers.`, {
    expected: `one of ${Object.keys(EFFECT).join(', ')}`,
  });
}
