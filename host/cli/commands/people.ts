/** `portolan people`: who there is, what they may do, and whom a word on the command line names. */
import { parseUserId } from '../../../shared/ids.ts';
import type { Person } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { formatFields, formatTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { type ListOptions, printPage } from './page.ts';

/** People looked at for a name. */
const MAX_NAMED = 200;

export interface PeopleOptions extends ListOptions {
  agent?: string;
  search?: string;
  all?: boolean;
}

/** Throws CliError `agent_not_found`, `ambiguous`. */
export async function listPeople(context: Context, { agent, search, all, limit }: PeopleOptions): Promise<void> {
  const of = agent === undefined ? null : await findAgent(context.api, agent);
  const query = {
    ...(search === undefined ? {} : { q: search }),
    ...(of === null ? {} : { agent: of.id }),
    ...(all === true ? { who: 'all' as const } : {}),
  };
  printPage(
    context,
    await context.api.listPeople(query, limit),
    [
      { title: 'NAME', value: (person) => person.name || '–', minColumns: 8, paint: () => context.style.bold },
      { title: 'ROLES', value: describeRoles, minColumns: 10 },
      {
        title: 'IDENTITIES',
        value: ({ identities }) => identities.map(({ userId }) => userId).join(', '),
        minColumns: 12,
      },
    ],
    `Nobody fits. Everybody who ever wrote: ${context.typeable('portolan people list --all')}`,
  );
}

/** Throws CliError `person_not_found`, `ambiguous`. */
export async function showPerson(context: Context, text: string): Promise<void> {
  const person = await findPerson(context, text);
  if (context.json) return context.printJson(person);
  const now = context.terminal.now();
  const { style } = context;
  context.print(formatFields([['name', oneLine(person.name) || '–'] as const, ['may', describeRoles(person)]], style));
  context.print('');
  const identities = person.identities.map((identity) => ({
    ...identity,
    roles: person.roles.filter(({ userId }) => userId === identity.userId),
  }));
  const columns = [
    { title: 'IDENTITY', value: (one: (typeof identities)[number]) => one.userId, minColumns: 8 },
    { title: 'NAME', value: (one: (typeof identities)[number]) => one.name, minColumns: 6 },
    { title: 'KNOWN', value: (one: (typeof identities)[number]) => formatAge(one.createdAt, now) },
    {
      title: 'WAS GIVEN',
      value: (one: (typeof identities)[number]) =>
        one.roles
          .map((role) => `${describeRole(role)}${role.grantedBy === null ? '' : ` by ${role.grantedBy}`}`)
          .join(', ') || '–',
      minColumns: 10,
    },
  ];
  context.print(formatTable(identities, columns, style, context.tableColumns()));
}

/**
 * By id; by a name that one person alone has among those with a role, whatever the case. Throws CliError
 * `person_not_found`, `ambiguous`.
 */
export async function findPerson({ api }: Context, text: string): Promise<Person> {
  if (parseUserId(text) !== null) {
    return api.readPerson(text).catch((error: unknown) => {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.notFound) throw error;
      throw notFound(text, 'the id of somebody who wrote to the host; with --name it may be somebody new');
    });
  }
  const known = await listNamed(api, text, 'known');
  const [person, ...others] = known;
  if (person !== undefined && others.length === 0) return person;
  if (person !== undefined) throw describeSeveral(text, known);
  const strangers = await listNamed(api, text, 'all');
  const ids = strangers.slice(0, 5).map((one) => oneLine(one.id));
  throw notFound(
    text,
    ids.length === 0
      ? 'an id, or the name of somebody with a role'
      : `an id, for who has no role yet: ${ids.join(', ')}`,
  );
}

async function listNamed(api: Context['api'], name: string, who: 'known' | 'all'): Promise<Person[]> {
  const { items } = await api.listPeople({ q: name, who }, MAX_NAMED);
  const isIt = (shown: string) => shown.toLowerCase() === name.toLowerCase();
  return items.filter(({ identities }) => identities.some((identity) => isIt(identity.name)));
}

function describeSeveral(text: string, people: readonly Person[]): CliError {
  const ids = people.slice(0, 5).map((one) => oneLine(one.id));
  return new CliError(EXIT.usage, 'ambiguous', `"${oneLine(text)}" fits ${people.length} people: ${ids.join(', ')}.`, {
    expected: 'one of their ids',
  });
}

function notFound(text: string, expected: string): CliError {
  return new CliError(EXIT.notFound, 'person_not_found', `There is no person "${oneLine(text)}".`, {
    expected,
    next: 'portolan people list --all',
  });
}

/** `Anna (telegram:1, slack:U1)` */
export function describePerson({ name, identities }: Person): string {
  const ids = identities.map(({ userId }) => oneLine(userId)).join(', ');
  return name === '' ? ids : `${oneLine(name)} (${ids})`;
}

export function describeRoles({ roles }: Person): string {
  return [...new Set(roles.map(describeRole))].join(', ') || '–';
}

function describeRole({ role, agentId, agentName }: Person['roles'][number]): string {
  if (role === 'owner') return 'owner';
  return `${role} of ${agentId === null ? 'everything' : oneLine(agentName ?? 'a removed agent')}`;
}
