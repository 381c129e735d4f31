/**
 * Who hears the events of one moment: each listener's sign-in and standing, and each event's subject, are looked up
 * once, however many streams and events there are. Make another for the next moment.
 */
import type { UserId } from '../../../shared/ids.ts';
import { type Standing, type Subject, sees } from '../../access/console.ts';
import type { ApiParts } from './ports.ts';
import { standingOf } from './rights.ts';

/** Who listens. */
export interface Listener {
  userId: UserId;
  /** At the Unix socket, or with the bearer token. */
  isMachine: boolean;
  /** Whether the sign-in that opened the stream still holds. */
  isSignedIn: () => boolean;
}

export class Audience {
  readonly #parts: ApiParts;
  readonly #standings = new Map<string, Standing>();
  readonly #subjects = new Map<string, Subject | null>();
  readonly #signedIn = new Map<Listener, boolean>();

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  isSignedIn(listener: Listener): boolean {
    const isSignedIn = this.#signedIn.get(listener) ?? listener.isSignedIn();
    this.#signedIn.set(listener, isSignedIn);
    return isSignedIn;
  }

  /** The same object for all streams of one person. */
  standingOf({ userId, isMachine }: Listener): Standing {
    const who = `${isMachine} ${userId}`;
    const standing = this.#standings.get(who) ?? standingOf(this.#parts, userId, isMachine);
    this.#standings.set(who, standing);
    return standing;
  }

  /** `key` names what the event is about. */
  admits(listener: Listener, key: string, findSubject: () => Subject | null): boolean {
    const standing = this.standingOf(listener);
    if (standing.isGlobalAdmin) return true;
    let subject = this.#subjects.get(key);
    if (subject === undefined) {
      subject = findSubject();
      this.#subjects.set(key, subject);
    }
    return subject !== null && sees(standing, subject);
  }
}
