/** `portolan people grant`, `revoke`, `add`, `remove`, `link`, `unlink`: each on top of what was seen. */
import { parseUserId } from '../../../shared/ids.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { describePerson, describeRoles, findPerson } from './people.ts';

export interface RoleOptions {
  name?: string;
  yes?: boolean;
}

interface NamedRole {
  role: string;
  /** An agent's id, or `all`. */
  of: string;
  /** `admin of main` */
  shown: string;
  /** As commands take it. */
  words: string;
}

/** Throws CliError `bad_role`, `agent_not_found`, `person_not_found`, `ambiguous`, `not_confirmed`, and the API's `stale`. */
export async function grantRole(
  context: Context,
  personText: string,
  roleText: string,
  agentText: string,
  { name, yes }: RoleOptions,
): Promise<void> {
  const role = await readRole(context, roleText, agentText);
  const isNew = name !== undefined && parseUserId(personText) !== null;
  const person = isNew ? null : await findPerson(context, personText);
  const shown = person === null ? `${oneLine(name ?? '')} (${oneLine(personText)})` : describePerson(person);
  const identity = namedIdentity(person, personText);
  const word = shellWord(identity);
  // Names are chosen by who bears them: whoever is to decide is looked at first.
  if (role.role !== 'member' && (role.of === 'all' || parseUserId(personText) === null)) {
    const about = role.of === 'all' ? 'every agent' : 'this agent';
    await confirm(context, {
      question: `Make ${shown} ${role.shown}? They may then decide about ${about}.`,
      yes,
      command: `portolan people grant ${word} ${role.words} --yes`,
      unattended: 'refuse',
    });
  }
  const based = person === null ? { name: name ?? '' } : { revision: person.revision };
  const granted = await context.api.grantRole(identity, role.role, role.of, based);
  if (context.json) return context.printJson(granted);
  context.print(`${context.style.green('✓')} ${describePerson(granted)} is ${role.shown} now.`);
  context.print(context.style.dim(`To undo: ${context.typeable(`portolan people revoke ${word} ${role.words}`)}`));
}

/** Throws what `grantRole` does, and the API's `last_owner`. */
export async function revokeRole(
  context: Context,
  personText: string,
  roleText: string,
  agentText: string,
  { yes }: RoleOptions,
): Promise<void> {
  const role = await readRole(context, roleText, agentText);
  const person = await findPerson(context, personText);
  const word = shellWord(personText);
  await confirm(context, {
    question: `Should ${describePerson(person)} no longer be ${role.shown}?`,
    yes,
    command: `portolan people revoke ${word} ${role.words} --yes`,
    unattended: 'allow',
  });
  const left = await context.api.revokeRole(person.id, role.role, role.of, person.revision);
  if (context.json) return context.printJson(left);
  const kept = left.roles.length === 0 ? 'no role' : describeRoles(left);
  context.print(
    `${context.style.green('✓')} ${describePerson(left)} is not ${role.shown} any more. What is left: ${kept}.`,
  );
  // By id: a name means somebody who has a role.
  const undo = `portolan people grant ${shellWord(person.id)} ${role.words}`;
  context.print(context.style.dim(`To undo: ${context.typeable(undo)}`));
}

/** Throws CliError `person_not_found`, `ambiguous`, `not_confirmed`, and the API's `both_linked`, `stale`. */
export async function linkPeople(
  context: Context,
  personText: string,
  otherText: string,
  { yes }: { yes?: boolean },
): Promise<void> {
  const [person, other] = [await findPerson(context, personText), await findPerson(context, otherText)];
  const [one, two] = [describePerson(person), describePerson(other)];
  await confirm(context, {
    question: `Are ${one}: ${describeRoles(person)}, and ${two}: ${describeRoles(other)}, one person? Each may then do what both may.`,
    yes,
    command: `portolan people link ${shellWord(personText)} ${shellWord(otherText)} --yes`,
    unattended: 'refuse',
  });
  const joined = await context.api.linkPeople(person.id, other.id, person.revision);
  if (context.json) return context.printJson(joined);
  context.print(`${context.style.green('✓')} ${describePerson(joined)} is one person: ${describeRoles(joined)}.`);
  const undo = `portolan people unlink ${shellWord(namedIdentity(other, otherText))}`;
  context.print(context.style.dim(`To undo: ${context.typeable(undo)}`));
}

/** Throws CliError `not_linked`, `person_not_found`, `not_confirmed`, and the API's `stale`. */
export async function unlinkPerson(context: Context, identity: string, { yes }: { yes?: boolean }): Promise<void> {
  const person = await findPerson(context, identity);
  const leaving = namedIdentity(person, identity);
  if (person.identities.length < 2) {
    throw new CliError(EXIT.refused, 'not_linked', `${describePerson(person)} is linked with nobody.`, {
      next: 'portolan people',
    });
  }
  await confirm(context, {
    question: `Take ${oneLine(leaving)} out of ${describePerson(person)}?`,
    yes,
    command: `portolan people unlink ${shellWord(identity)} --yes`,
    unattended: 'allow',
  });
  const rest = await context.api.unlinkPeople(person.id, leaving, person.revision);
  if (context.json) return context.printJson(rest);
  const alone = await context.api.readPerson(leaving);
  for (const one of [alone, rest]) {
    context.print(`${context.style.green('✓')} ${describePerson(one)}: ${describeRoles(one)}`);
  }
}

/** The identity that a word names: what is given stands on it. */
function namedIdentity(
  person: { id: string; identities: { userId: string; name: string }[] } | null,
  text: string,
): string {
  if (person === null) return text;
  const named = person.identities.find(
    ({ userId, name }) => userId === text || name.toLowerCase() === text.toLowerCase(),
  );
  return named?.userId ?? person.id;
}

async function readRole(context: Context, role: string, agent: string): Promise<NamedRole> {
  if (role === 'owner' && agent === '') return { role, of: 'all', shown: 'owner', words: 'owner' };
  if (role === 'admin' && agent === 'all') {
    return { role, of: 'all', shown: 'admin of everything', words: 'admin all' };
  }
  if ((role === 'admin' || role === 'member') && agent !== '') {
    const { id, name } = await findAgent(context.api, agent);
    return { role, of: id, shown: `${role} of ${oneLine(name)}`, words: `${role} ${shellWord(oneLine(name))}` };
  }
  throw new CliError(EXIT.usage, 'bad_role', `"${oneLine(`${role} ${agent}`.trim())}" is no role.`, {
    expected: 'owner, admin all, admin <agent> or member <agent>',
    next: 'portolan people grant --help',
  });
}
