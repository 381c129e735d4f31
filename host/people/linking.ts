/** Linking one person's identities, with a code proven on both (`plan-code.ts`), and taking them apart again. */
import type { UserId } from '../../shared/ids.ts';
import { normaliseCode } from '../store/identity-codes.ts';
import type { Identity, Person } from '../store/persons.ts';
import type { People, PeopleOutcome, PeopleParts } from './apply.ts';
import { type CodePlan, planCode } from './plan-code.ts';
import type { Speaker } from './speaker.ts';
import type { Tries } from './tries.ts';

export type LinkOutcome =
  /** Says who may start: somebody with a role. */
  | { kind: 'not_known' }
  | { kind: 'not_private'; burnt: boolean }
  | { kind: 'first_code'; code: string; person: Person }
  | { kind: 'second_code'; code: string; typist: Pick<Person, 'identities' | 'grants'>; other: Person }
  | { kind: 'asks_yes'; code: string; typist: Person; other: Person }
  | { kind: 'joined'; person: Person }
  | { kind: 'already'; person: Person }
  | { kind: 'spent' }
  | { kind: 'refused'; reason: Extract<CodePlan, { kind: 'refuse' }>['reason'] | 'not_theirs' };

export class Linking {
  readonly #parts: PeopleParts;
  readonly #people: People;
  readonly #tries: Tries;

  constructor(parts: PeopleParts, people: People, tries: Tries) {
    this.#parts = parts;
    this.#people = people;
    this.#tries = tries;
  }

  /** `/link` alone. Strangers do not start: each of their codes would be a row. */
  start({ id: userId, isPrivate }: Speaker): LinkOutcome {
    const { users, persons, identityCodes, now } = this.#parts;
    if (!isPrivate) return { kind: 'not_private', burnt: false };
    const person = persons.get(userId);
    if (person === null || !users.isKnownAnywhere(userId)) return { kind: 'not_known' };
    const code = identityCodes.create({ kind: 'link', userId, forUserId: null }, now());
    return { kind: 'first_code', code, person };
  }

  /** `/link <code>`, `/link <code> yes`. */
  type(speaker: Speaker, text: string, saysYes: boolean): LinkOutcome {
    const { users, now } = this.#parts;
    const { id: userId, isPrivate } = speaker;
    const at = now();
    const isKnown = users.isKnownAnywhere(userId);
    // Strangers alone share a bound: nobody whom the host knows is locked out by others' noise.
    const isSpent = this.#tries.isSpent(userId, at) || (!isKnown && this.#tries.isSpentByAll(at));
    if (isSpent && isPrivate) return { kind: 'spent' };
    return this.#parts.commit(() => this.#typeNow(speaker, text, saysYes));
  }

  #typeNow(speaker: Speaker, text: string, saysYes: boolean): LinkOutcome {
    const { persons, identityCodes, now } = this.#parts;
    const { id: userId, isPrivate } = speaker;
    const normal = normaliseCode(text) ?? '';
    const code = identityCodes.find(normal, now());
    const other = code === null ? null : persons.get(code.userId);
    const typist = persons.get(userId);
    const plan = planCode({ code, typist, typistId: userId, other, isPrivate, saysYes });
    switch (plan.kind) {
      case 'burn': {
        const burnt = identityCodes.use(normal, now());
        if (plan.reason === 'in_a_group') {
          if (burnt) this.#record(userId, 'in_a_group');
          return { kind: 'not_private', burnt: true };
        }
        this.#fail(userId, plan.reason);
        return { kind: 'refused', reason: plan.reason };
      }
      case 'refuse':
        if (plan.reason === 'wrong') this.#fail(userId, plan.reason);
        return { kind: 'refused', reason: plan.reason };
      case 'already':
        return { kind: 'already', person: typist ?? required(other) };
      case 'show_second':
        return this.#showSecond(speaker, normal, required(other));
      case 'show_both':
        return { kind: 'asks_yes', code: text.trim(), typist: required(typist), other: required(other) };
      case 'join':
        return this.#join(userId, normal, required(other));
    }
  }

  /** The identity that the first code belongs to must type the second one. */
  #showSecond({ id: userId, name }: Speaker, normal: string, other: Person): LinkOutcome {
    const { users, persons, identityCodes, now } = this.#parts;
    const forUserId = identityCodes.find(normal, now())?.userId;
    if (forUserId === undefined || !identityCodes.use(normal, now())) return { kind: 'refused', reason: 'wrong' };
    users.ensure(userId, name, now());
    const typist = required(persons.get(userId));
    const code = identityCodes.create({ kind: 'confirm', userId, forUserId }, now());
    return { kind: 'second_code', code, typist, other: putFirst(other, forUserId) };
  }

  #join(userId: UserId, normal: string, other: Person): LinkOutcome {
    const { identityCodes, now } = this.#parts;
    const shownTo = identityCodes.find(normal, now())?.userId ?? other.identities[0].userId;
    if (!identityCodes.use(normal, now())) return { kind: 'refused', reason: 'wrong' };
    const joined = this.#people.joinProven({
      by: { userId, isMachine: false },
      userId: shownTo,
      other: userId,
      proof: 'codes',
    });
    if (joined.kind !== 'changed') throw new Error('a join that was planned did not happen');
    return { kind: 'joined', person: joined.person };
  }

  /** An identity leaves its person: the speaker's, or another of theirs. */
  unlink({ id: userId }: Speaker, other: UserId | null): PeopleOutcome {
    return this.#people.part({ by: { userId, isMachine: false }, userId: other ?? userId });
  }

  #fail(userId: UserId, reason: string): void {
    if (this.#tries.fail(userId, this.#parts.now())) this.#record(userId, reason);
  }

  #record(userId: UserId, reason: string): void {
    this.#people.record(userId, { kind: 'link.refused', by: { userId, isMachine: false }, detail: { reason } });
  }
}

/** The identity that is spoken of before the others. */
function putFirst(person: Person, id: UserId): Person {
  const isIt = (one: Identity) => one.userId === id;
  const found = person.identities.find(isIt) ?? person.identities[0];
  return { ...person, identities: [found, ...person.identities.filter((one) => one !== found)] };
}

function required(person: Person | null): Person {
  if (person === null) throw new Error('planned for a person who is gone');
  return person;
}
