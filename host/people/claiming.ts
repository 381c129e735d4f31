/**
 * Becoming the owner from a chat, with the one-time link that `npm run up` and `portolan url` print.
 *
 * I1. Whoever has the code is the owner, nobody else: not who writes first. It works once, for minutes.
 * I2. Typed where others read along it ends, and nothing comes of it.
 * I3. A right code opens whatever others try meanwhile: it has 256 bits, so the bound on all is against noise in
 *     the ledger. Whoever tried too often themselves waits, with a right one too.
 * I4. The code stands in no log, transcript or ledger.
 */
import type { UserId } from '../../shared/ids.ts';
import type { LoginStore } from '../store/logins.ts';
import type { Person } from '../store/persons.ts';
import { type People, type PeopleParts, planJoinOf } from './apply.ts';
import type { Speaker } from './speaker.ts';
import type { Tries } from './tries.ts';

export type ClaimOutcome =
  | { kind: 'claimed'; person: Person }
  | { kind: 'already'; person: Person }
  | { kind: 'no_code' }
  | { kind: 'not_private' }
  | { kind: 'wrong' }
  | { kind: 'spent' }
  | { kind: 'not_an_owners' }
  | { kind: 'both_linked' }
  | { kind: 'too_many_identities' };

export interface ClaimParts extends PeopleParts {
  logins: LoginStore;
}

export class Claiming {
  readonly #parts: ClaimParts;
  readonly #people: People;
  readonly #tries: Tries;

  constructor(parts: ClaimParts, people: People, tries: Tries) {
    this.#parts = parts;
    this.#people = people;
    this.#tries = tries;
  }

  claim(speaker: Speaker, words: string): ClaimOutcome {
    const { logins, now } = this.#parts;
    const { id: userId, isPrivate } = speaker;
    const token = findToken(words);
    if (token === null) return { kind: isPrivate ? 'no_code' : 'not_private' };
    return this.#parts.commit(() => {
      const at = now();
      // I2
      if (!isPrivate) {
        if (logins.redeemLink(token, at) !== null) this.#record(userId, 'in_a_group');
        return { kind: 'not_private' };
      }
      // I3
      if (this.#tries.isSpent(userId, at)) return { kind: 'spent' };
      const owner = logins.findLink(token, at);
      if (owner === null) {
        return { kind: this.#fail(userId, 'wrong') ? 'wrong' : 'spent' };
      }
      return this.#claimOf(speaker, token, owner);
    });
  }

  #claimOf({ id: userId, name }: Speaker, token: string, ownerId: UserId): ClaimOutcome {
    const { users, persons, logins, now } = this.#parts;
    const owner = persons.get(ownerId);
    if (owner === null || !users.isOwner(ownerId)) {
      this.#fail(userId, 'not_an_owners');
      return { kind: 'not_an_owners' };
    }
    users.ensure(userId, name, now());
    const claimant = persons.get(userId);
    if (claimant === null) throw new Error('an identity that was made is gone');
    const plan = planJoinOf(claimant, owner);
    if (plan.kind === 'already') return { kind: 'already', person: owner };
    if (plan.kind === 'refuse') return { kind: plan.reason === 'both_linked' ? 'both_linked' : 'too_many_identities' };
    // I1
    if (logins.redeemLink(token, now()) === null) return { kind: 'wrong' };
    const joined = this.#people.joinProven({
      by: { userId, isMachine: false },
      userId,
      other: ownerId,
      proof: 'claim',
    });
    if (joined.kind !== 'changed') throw new Error('a claim that was planned did not happen');
    return { kind: 'claimed', person: joined.person };
  }

  /** Whether it was recorded: a flood is not. */
  #fail(userId: UserId, reason: string): boolean {
    const isRecorded = this.#tries.fail(userId, this.#parts.now());
    if (isRecorded) this.#record(userId, reason);
    return isRecorded;
  }

  #record(userId: UserId, reason: string): void {
    this.#people.record(userId, { kind: 'claim.refused', by: { userId, isMachine: false }, detail: { reason } });
  }
}

/** As `LoginStore` makes them: 32 bytes. */
const TOKEN = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/;

/** The token of a link or by itself, whatever stands around it; else the one word there is. Null: nothing to try. */
function findToken(words: string): string | null {
  const linked = /#token=([A-Za-z0-9_-]{1,200})/.exec(words)?.[1];
  const token = linked ?? TOKEN.exec(words)?.[0] ?? words.trim();
  return /^\S{1,200}$/.test(token) ? token : null;
}
