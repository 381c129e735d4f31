/** The commands about people: who there is, what they may do, which identities are one, where they are signed in. */
import { type Add, limitOption } from './add.ts';

export function addPeopleCommands(add: Add): void {
  addLists(add);
  addRoles(add);
  addLinks(add);
  addSignIns(add);
}

function addLists(add: Add): void {
  add(
    'people list',
    'owners, admins and members; somebody on several channels is one line',
    ['people', 'people list --agent main', 'people list --search anna --all'],
    (command) => async (context) => (await import('./commands/people.ts')).listPeople(context, command.opts()),
    true,
  )
    .option('--agent <agent>', 'who may decide about this agent, and its members')
    .option('--search <text>', 'in a name or an id')
    .option('--all', 'everybody who ever wrote, also without a role')
    .addOption(limitOption());
  add(
    'people show <person>',
    'one person: identities, and what each was given by whom',
    ['people show anna', 'people show telegram:123'],
    () =>
      async (context, person = '') =>
        (await import('./commands/people.ts')).showPerson(context, person),
  );
}

function addRoles(add: Add): void {
  add(
    'people grant <person> <role> [agent]',
    'make somebody owner, admin of an agent (or of "all"), or member of an agent',
    ['people grant anna admin main', 'people grant telegram:123 admin all', 'people grant telegram:123 owner --yes'],
    (command) =>
      async (context, person = '', role = '', agent = '') =>
        (await import('./commands/people-roles.ts')).grantRole(context, person, role, agent, command.opts()),
  )
    .option('--name <name>', 'what they are called, when they have not written yet')
    .option('--yes', 'do not ask');
  add(
    'people revoke <person> <role> [agent]',
    'take a role away, from all identities of the person; holds from the next click',
    ['people revoke anna admin main', 'people revoke anna owner'],
    (command) =>
      async (context, person = '', role = '', agent = '') =>
        (await import('./commands/people-roles.ts')).revokeRole(context, person, role, agent, command.opts()),
  ).option('--yes', 'do not ask');
  add(
    'people add <person> <agent>',
    'make somebody a member of an agent: they may talk to it',
    ['people add telegram:123 main', 'people add web:anna main --name Anna'],
    (command) =>
      async (context, person = '', agent = '') =>
        (await import('./commands/people-roles.ts')).grantRole(context, person, 'member', agent, command.opts()),
  ).option('--name <name>', 'what they are called, when they have not written yet');
  add(
    'people remove <person> <agent>',
    'have somebody be a member of an agent no longer',
    ['people remove anna main'],
    (command) =>
      async (context, person = '', agent = '') =>
        (await import('./commands/people-roles.ts')).revokeRole(context, person, 'member', agent, command.opts()),
  ).option('--yes', 'do not ask');
}

function addLinks(add: Add): void {
  add(
    'people link <person> <identity>',
    'say that two are one person: each may do what both may. People prove it themselves with /link',
    ['people link anna slack:U123 --yes'],
    (command) =>
      async (context, person = '', identity = '') =>
        (await import('./commands/people-roles.ts')).linkPeople(context, person, identity, command.opts()),
  ).option('--yes', 'do not ask');
  add(
    'people unlink <identity>',
    'take an identity out of its person; each keeps what was given to it',
    ['people unlink slack:U123'],
    (command) =>
      async (context, identity = '') =>
        (await import('./commands/people-roles.ts')).unlinkPerson(context, identity, command.opts()),
  ).option('--yes', 'do not ask');
}

function addSignIns(add: Add): void {
  add(
    'people sign-ins <person>',
    'the browsers that somebody is signed in with',
    ['people sign-ins web:anna'],
    () =>
      async (context, person = '') =>
        (await import('./commands/sign-ins.ts')).listSignIns(context, person),
  );
  add(
    'people sign-out <person>',
    'sign somebody out everywhere, at once; links that were not used end too',
    ['people sign-out web:anna'],
    () =>
      async (context, person = '') =>
        (await import('./commands/sign-ins.ts')).signOut(context, person),
  );
}
