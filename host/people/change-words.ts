/** What a change of somebody's rights answers. Pure. */

import { showSafely } from '../approvals/show.ts';
import { assertNever } from '../config/errors.ts';
import type { PeopleOutcome, PersonGrant } from './apply.ts';
import { type AgentNames, isPlainId, listPeople, type Meant, showGrant, showGrants, showPerson } from './names.ts';
import { type PeopleReply, refuse, say } from './speaker.ts';

export function describeChange(
  outcome: PeopleOutcome,
  verb: 'grant' | 'revoke',
  grant: PersonGrant,
  nameOf: AgentNames,
): PeopleReply {
  const what = showGrant(grant, nameOf);
  switch (outcome.kind) {
    case 'changed': {
      const { person } = outcome;
      const now = verb === 'grant' ? `is ${what} now` : `is not ${what} any more`;
      const left = verb === 'grant' ? '' : ` What is left: ${showGrants(person.grants, nameOf)}.`;
      return say(`Done: ${showPerson(person)} ${now}.${left}`);
    }
    case 'already': {
      const { person } = outcome;
      return say(`${showPerson(person)} is ${verb === 'grant' ? `${what} already` : `not ${what}`}: nothing changed.`);
    }
    case 'stale':
      return say('That person was changed meanwhile: look again, then repeat it.');
    case 'unknown':
      return say('I know nobody of that id.');
    case 'refused':
      return describeRefusal(outcome.reason, grant, what);
    default:
      return assertNever(outcome);
  }
}

/** Names are chosen by who bears them: by one nobody becomes who decides. */
export function describeById(
  { person, userId }: Extract<Meant, { kind: 'found' }>,
  grant: PersonGrant,
  nameOf: AgentNames,
): string {
  const agent = grant.agentGroupId === null ? 'all' : showSafely(nameOf(grant.agentGroupId) ?? grant.agentGroupId);
  const what = grant.role === 'owner' ? grant.role : `${grant.role} ${agent}`;
  const typed = isPlainId(userId) ? `\`/grant ${userId} ${what}\`` : `\`/grant <id> ${what}\`, with that id`;
  return (
    `Nothing changed: people choose their names, so who is to be ${showGrant(grant, nameOf)} is named by id. ` +
    `So called is:\n${listPeople([person], nameOf)}\nIf that is who you mean, type ${typed}.`
  );
}

function describeRefusal(
  reason: Extract<PeopleOutcome, { kind: 'refused' }>['reason'],
  grant: PersonGrant,
  what: string,
): PeopleReply {
  switch (reason) {
    case 'not_yours_to_give':
      return refuse(`Who is ${what} is decided by ${describeGivers(grant)}. Nothing changed.`);
    case 'yourself':
      return refuse('You cannot give yourself a role: ask somebody who may. Nothing changed.');
    case 'last_owner':
      return say('This is the only owner: make somebody else owner first. Nothing changed.');
    case 'no_such_agent':
      return say('That agent was removed. Nothing changed.');
    case 'two_voices':
      return refuse(TWO_VOICES);
    case 'both_linked':
    case 'too_many_identities':
      return say('These two cannot be joined: part one of them from the others first. Nothing changed.');
    default:
      return assertNever(reason);
  }
}

/** Why somebody stays one person. */
export const TWO_VOICES =
  'Both have roles of their own, and apart each would decide for itself: only an owner may part them. Nothing changed.';

/** Who may give and take it. */
export function describeGivers({ role, agentGroupId }: Pick<PersonGrant, 'role' | 'agentGroupId'>): string {
  if (role === 'owner' || agentGroupId === null) return 'owners';
  return role === 'admin' ? 'owners and admins of everything' : 'owners and admins';
}
