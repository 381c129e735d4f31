/** The commands about chats: who may write there, and which agents listen. */
import { InvalidArgumentError, Option } from 'commander';
import { type Add, limitOption } from './add.ts';

export function addChatCommands(add: Add): void {
  add(
    'chats list',
    'chats the host knows, on every channel, and who may write there',
    ['chats', 'chats --json'],
    (command) => async (context) => (await import('./commands/chats.ts')).listChats(context, command.opts()),
    true,
  ).addOption(limitOption());
  add(
    'chats set <chat>',
    'who may write in a chat: nobody that the agent does not know (strict), who an admin lets in, or everybody',
    ['chats set family --unknown-senders request_approval', 'chats set telegram:-100123 --unknown-senders strict'],
    (command) =>
      async (context, chat = '') =>
        (await import('./commands/chats.ts')).setChat(context, chat, command.opts()),
  ).option('--unknown-senders <policy>', 'strict, request_approval or public');
  addWirings(add);
}

function addWirings(add: Add): void {
  add(
    'wirings',
    'which agent listens in which chat',
    ['wirings', 'wirings --json'],
    (command) => async (context) => (await import('./commands/wirings.ts')).listWirings(context, command.opts()),
  ).addOption(limitOption());
  add(
    'wire <chat> <agent>',
    'have an agent listen in a chat, or change how it does; it may answer there, too',
    [
      'wire telegram/123 main',
      'wire family main --engage always --sender-scope all',
      "wire family main --pattern '^bot'",
    ],
    (command) =>
      async (context, chat = '', agent = '') =>
        (await import('./commands/wirings.ts')).wire(context, chat, agent, command.opts()),
  )
    .addOption(
      new Option('--engage <when>', 'when it answers').choices(['always', 'pattern', 'mention', 'mention-sticky']),
    )
    .option('--pattern <expression>', 'with --engage pattern: what it answers')
    .addOption(
      new Option('--session-mode <mode>', 'one conversation per chat, per thread, or for all its chats').choices([
        'shared',
        'per-thread',
        'agent-shared',
      ]),
    )
    .addOption(new Option('--sender-scope <who>', 'whom it hears').choices(['all', 'known']))
    .addOption(
      new Option('--ignored <what>', 'what becomes of messages it does not answer').choices(['drop', 'accumulate']),
    )
    .addOption(new Option('--priority <n>', 'who comes first where several listen').argParser(parsePriority));
  add(
    'unwire <chat> <agent>',
    'have an agent listen in a chat no longer; it may still send there',
    ['unwire telegram/123 main'],
    (command) =>
      async (context, chat = '', agent = '') =>
        (await import('./commands/wirings.ts')).unwire(context, chat, agent, command.opts()),
  ).option('--yes', 'do not ask');
}

function parsePriority(text: string): number {
  const value = Number(text);
  if (/^-?\d{1,4}$/.test(text) && Math.abs(value) <= 1_000) return value;
  throw new InvalidArgumentError('Expected a whole number from -1000 to 1000.');
}
