/** What `/link`, `/unlink` and `/claim` answer. Pure. */
import { assertNever } from '../config/errors.ts';
import type { Person } from '../store/persons.ts';
import type { ClaimOutcome } from './claiming.ts';
import type { LinkOutcome } from './linking.ts';
import { type AgentNames, showGrants, showIdentity, showPerson } from './names.ts';
import { type PeopleReply, refuse, say } from './speaker.ts';

type Side = Pick<Person, 'identities' | 'grants'>;

export function describeLink(outcome: LinkOutcome, nameOf: AgentNames): PeopleReply {
  switch (outcome.kind) {
    case 'not_known':
      return refuse('Start where I know you: type /link there, then the code that it shows here.');
    case 'not_private':
      return say(
        `Others read along here${outcome.burnt ? ', so this code is worth nothing any more' : ''}. ` +
          'Type /link in a chat with me alone.',
      );
    case 'first_code':
      return say(describeFirst(outcome.code, outcome.person, nameOf));
    case 'second_code':
      return say(describeSecond(outcome, nameOf));
    case 'asks_yes':
      return say(
        `${describePair(outcome.typist, outcome.other, nameOf)}\n` +
          `If both are you, type: /link ${outcome.code} yes\nIf not, type nothing: nothing was joined.`,
      );
    case 'joined':
      return say(
        `Done: ${showPerson(outcome.person)} are one person now, and may do what each may do: ` +
          `${showGrants(outcome.person.grants, nameOf)}. /unlink parts them again.`,
      );
    case 'already':
      return say(`These are one person already: ${showPerson(outcome.person)}.`);
    case 'spent':
      return say('Too many wrong codes. Wait ten minutes, then start again with /link.');
    case 'refused':
      return describeWrong(outcome.reason);
    default:
      return assertNever(outcome);
  }
}

function describeFirst(code: string, person: Person, nameOf: AgentNames): string {
  return (
    `You are ${showPerson(person)}: ${showGrants(person.grants, nameOf)}.\n` +
    `In your other chat with me, type: /link ${code}\n` +
    'I show a second code there, for you to type here. The codes work once, for 10 minutes. ' +
    'Give them to nobody: whoever is linked with you may do what you may.'
  );
}

function describeSecond(
  { code, typist, other }: Extract<LinkOutcome, { kind: 'second_code' }>,
  nameOf: AgentNames,
): string {
  return (
    `${describePair(typist, other, nameOf)}\n` +
    `If both are you, go back to the chat of ${showIdentity(other.identities[0])} and type: /link ${code}\n` +
    'If somebody asked you to type this, stop here, and tell nobody that code: nothing was joined.'
  );
}

/** Both sides, and what each would gain. */
function describePair(one: Side, other: Side, nameOf: AgentNames): string {
  const isOwner = ({ grants }: Side) => grants.some(({ role }) => role === 'owner');
  const both =
    isOwner(one) && isOwner(other) ? ' Two owners become one: where two must approve, they count as one.' : '';
  return (
    'These would become one person, each with all that both may do:\n' +
    `· ${showPerson(one)}: ${showGrants(one.grants, nameOf)}\n` +
    `· ${showPerson(other)}: ${showGrants(other.grants, nameOf)}${both}`
  );
}

function describeWrong(reason: Extract<LinkOutcome, { kind: 'refused' }>['reason']): PeopleReply {
  switch (reason) {
    case 'wrong':
    case 'not_theirs':
      return say('This code is unknown, used up or too old. Start again: type /link in one of your chats with me.');
    case 'own_code':
      return say('This is the code for your other chat: type it there.');
    case 'other_chat':
      return say('This is the code for the chat where you typed /link first: type it there.');
    case 'both_linked':
      return say('Both are linked with others already. Type /unlink on one of them first.');
    case 'too_many_identities':
      return say('That would be more channels than one person can have here. Type /unlink on one of them first.');
    default:
      return assertNever(reason);
  }
}

export function describeClaim(outcome: ClaimOutcome): PeopleReply {
  switch (outcome.kind) {
    case 'claimed':
      return say(
        `Welcome: you are the owner, here too. This is one person now: ${showPerson(outcome.person)}. ` +
          '/unlink takes this chat apart again.',
      );
    case 'already':
      return say(`You are the owner here already: ${showPerson(outcome.person)}.`);
    case 'no_code':
      return say(`${HOW_TO_CLAIM} Then type /claim and the link here.`);
    case 'not_private':
      return say(
        'Others read along here: what was typed counts as seen and works no more. ' +
          `${HOW_TO_CLAIM} Then type /claim and the link in a chat with me alone.`,
      );
    case 'wrong':
      return say(`This code is unknown, used up or too old. ${HOW_TO_CLAIM}`);
    case 'spent':
      return say('Too many wrong codes. Wait ten minutes, then try a fresh one.');
    case 'not_an_owners':
      return say(`This link signs in somebody who is not an owner. ${HOW_TO_CLAIM}`);
    case 'both_linked':
      return say('You are linked with another identity already. Type /unlink first, then /claim with the same link.');
    case 'too_many_identities':
      return say('The owner has as many channels as one person can have here. Type /unlink on one of them first.');
    default:
      return assertNever(outcome);
  }
}

const HOW_TO_CLAIM = 'A fresh link comes from the machine that the host runs on: `npx portolan url`.';
