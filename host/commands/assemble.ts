/** The command gate with what it needs of people. */
import { People } from '../people/apply.ts';
import { type PeopleCommandParts, PeopleCommands } from '../people/commands.ts';
import { Commands } from './apply.ts';
import type { CommandParts } from './ports.ts';

export function makeCommands(parts: Omit<CommandParts, 'people'> & PeopleCommandParts): Commands {
  return new Commands({ ...parts, people: new PeopleCommands(parts, new People(parts)) });
}
