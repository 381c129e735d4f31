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

/** What a word that stands before other commands is about. */
const GROUPS: Readonly<Record<string, string>> = {
  approvals: 'what waits for an admin: list, show, approve, reject, policy',
  chats: 'chats: list, set',
  agents: 'agents: list, make, remove, restore',
  provider: 'what agents think with: list, set, test',
  config: 'what containers are made of: show, diff, history, rollback, set',
  secrets: 'what services are given: list, set, remove, assign, unassign, unlock, passphrase, rotate-key',
  services: 'places outside that get a secret, and those of models: list, add, remove',
  mounts: 'folders of this machine that agents see: allowed, list, add, remove',
  access: 'what agents may reach outside: list, allow, remove',
  budget: 'caps of what models may cost: list, set, remove',
  price: 'what models cost: list, set, remove',
  egress: 'what agents asked of the outside: list, tail',
  destinations: 'where an agent may send: list, add, rename, remove',
  builds: "agents' own images: builds, what they printed, build again",
  people: 'who may do what: list, show, grant, revoke, add, remove, link, unlink, sign-ins, sign-out',
  ledger: 'what was decided, and by whom: list, why, verify',
  tasks: 'what agents asked to be woken for',
};

/** The command's own usage, and the group it belongs to, made when it is not there yet. */
export function placeCommand(program: Command, usage: string): { group: Command; usage: string; path: string } {
  const words = usage.split(' ');
  const [first = '', second] = words;
  if (second === undefined || !/^[a-z]/.test(second)) return { group: program, usage, path: first };
  const known = program.commands.find((command) => command.name() === first);
  const group = known ?? program.command(first).description(GROUPS[first] ?? first);
  return { group, usage: words.slice(1).join(' '), path: `${first} ${second}` };
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
