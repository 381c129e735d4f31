/** How a command is declared: its words, its help, its options. Loads commander alone. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from './context.ts';

/** Returns an exit code, or anything else when all went well. */
export type Action = (context: Context, ...words: string[]) => Promise<unknown>;

/**
 * Adds a command. `usage` is its words, then its arguments: `agents create <name>` is the command `create` of
 * the group `agents`; `isDefault` makes it what the group's name alone does.
 */
export type Add = (
  usage: string,
  description: string,
  examples: readonly string[],
  run: (command: Command) => Action,
  isDefault?: boolean,
) => Command;

/** Usage and description of `help`, of the program and of each word that stands before other commands. */
export const HELP_COMMAND = ['help [command]', 'show help for a command'] as const;

/** What a word that stands before other commands is about. */
const GROUPS: Readonly<Record<string, string>> = {
  approvals: 'what waits for an admin: list, show, approve, reject, decide, policy',
  chats: 'chats that the host knows, and who may write there: list, set',
  agents: 'who there is: list, create, remove, restore',
  provider: 'what agents think with: list, set, test',
  config: 'what containers are made of: show, diff, history, rollback, set',
  secrets: 'what services are given: list, set, remove, assign, unassign, unlock, lock, passphrase, rotate-key',
  services: 'places outside that get a secret, and those of models: list, add, remove',
  mounts: 'folders of this machine that agents see: allowed, list, add, remove',
  access: 'what agents may reach outside: list, allow, remove',
  budget: 'caps of what models may cost: list, set, remove',
  price: 'what models cost: list, set, remove',
  egress: 'what agents asked of the outside: list, tail',
  destinations: 'where an agent may send: list, add, rename, remove',
  builds: "agents' own images: list, log, retry",
  people: 'who may do what: list, show, grant, revoke, add, remove, link, unlink, sign-ins, sign-out',
  ledger: 'what was decided, and by whom: list, why, verify',
};

/** The command's own usage, and the group it belongs to, made when it is not there yet. */
export function placeCommand(program: Command, usage: string): { group: Command; usage: string; path: string } {
  const words = usage.split(' ');
  const [first = '', second] = words;
  if (second === undefined || !/^[a-z]/.test(second)) return { group: program, usage, path: first };
  const known = program.commands.find((command) => command.name() === first);
  const group = known ?? addGroup(program, first);
  return { group, usage: words.slice(1).join(' '), path: `${first} ${second}` };
}

/** With a `help` of its own: the program's stands under a heading of the program's. */
function addGroup(program: Command, name: string): Command {
  return program
    .command(name)
    .description(GROUPS[name] ?? name)
    .helpCommand(...HELP_COMMAND);
}

export function limitOption(): Option {
  return new Option('--limit <n>', 'at most so many').default(50).argParser(parseCount(1, 100_000));
}

/** Whole numbers of this range; commander names the option in front of the message. */
export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
