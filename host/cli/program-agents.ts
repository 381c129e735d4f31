/** The commands about agents: who there is, where each may send, where each listens, what was refused. */
import { InvalidArgumentError, Option } from 'commander';
import { type Add, limitOption } from './add.ts';

export function addAgentCommands(add: Add): void {
  addLives(add);
  addDestinations(add);
  addWirings(add);
  add(
    'dropped',
    'messages that were turned away, and what agents were refused: who, where, why, when',
    ['dropped', 'dropped --json'],
    (command) => async (context) => (await import('./commands/dropped.ts')).listDropped(context, command.opts()),
  ).addOption(limitOption());
}

function addLives(add: Add): void {
  add(
    'agents list',
    'agents and what thinks in them',
    ['agents', 'agents list --removed'],
    (command) => async (context) => (await import('./commands/agents.ts')).listAgents(context, command.opts()),
    true,
  )
    .option('--removed', 'those that were removed, and can be restored')
    .addOption(limitOption());
  add(
    'agents create <name>',
    'make an agent',
    ['agents create researcher', 'agents create writer --instructions writer.md'],
    (command) =>
      async (context, name = '') =>
        (await import('./commands/agents.ts')).createAgent(context, name, command.opts()),
  )
    .option('--admin', 'it may create agents itself')
    .option('--provider <provider>', 'what thinks in it')
    .option('--instructions <file>', 'what it is to do: a text file, its AGENTS.md');
  add(
    'agents remove <agent>',
    'remove an agent and all that leads to it; its folder is kept',
    ['agents remove writer', 'agents remove writer --yes'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/agents.ts')).removeAgent(context, agent, command.opts()),
  ).option('--yes', 'do not ask');
  add(
    'agents restore <agent>',
    'bring a removed agent back, with its folder and conversations',
    ['agents restore writer'],
    () =>
      async (context, agent = '') =>
        (await import('./commands/agents.ts')).restoreAgent(context, agent),
  );
}

function addDestinations(add: Add): void {
  add(
    'destinations list <agent>',
    'where an agent may send',
    ['destinations main'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/destinations.ts')).listDestinations(context, agent, command.opts()),
    true,
  ).addOption(limitOption());
  add(
    'destinations add <agent> <name>',
    'let an agent send to a chat or to another agent, under a name of its own',
    ['destinations add main family --chat telegram/123', 'destinations add desk researcher --agent researcher --both'],
    (command) =>
      async (context, agent = '', name = '') =>
        (await import('./commands/destinations.ts')).addDestination(context, agent, name, command.opts()),
  )
    .option('--chat <chat>', 'a chat, by <channel>/<platform id>, name or id')
    .option('--agent <agent>', 'an agent')
    .option('--both', 'the other agent may write to this one, too');
  add(
    'destinations rename <agent> <name> <new-name>',
    'rename a destination; answers under the old name still arrive',
    ['destinations rename main family relatives'],
    () =>
      async (context, agent = '', name = '', newName = '') =>
        (await import('./commands/destinations.ts')).renameDestination(context, agent, name, newName),
  );
  add(
    'destinations remove <agent> <name>',
    'take a destination from an agent: its next send there is refused',
    ['destinations remove main family'],
    (command) =>
      async (context, agent = '', name = '') =>
        (await import('./commands/destinations.ts')).removeDestination(context, agent, name, command.opts()),
  ).option('--yes', 'do not ask');
}

function addWirings(add: Add): void {
  add(
    'wirings',
    'which agent listens in which chat',
    [],
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
