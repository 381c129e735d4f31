/** The commands about agents: who there is, and where each may send. */
import { type Add, limitOption } from './add.ts';

export function addAgentCommands(add: Add): void {
  addLives(add);
  addDestinations(add);
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
