/**
 * How fast people may give commands: a bucket of tokens each, and one that all strangers share. In memory alone:
 * a restart gives everybody a full bucket.
 */
import {
  BURST,
  MAX_PACED,
  ONE_MORE_AFTER_MS,
  STRANGER_BURST,
  STRANGER_ONE_MORE_AFTER_MS,
  STRANGERS_BURST,
  STRANGERS_ONE_MORE_AFTER_MS,
} from './limits.ts';

/** `slow_down`: too fast, and the person is to be told; `silent`: they were. */
export type Paced = 'go' | 'slow_down' | 'silent';

interface Bucket {
  tokens: number;
  /** Epoch ms. */
  filledAt: number;
  isTold: boolean;
}

interface Rate {
  burst: number;
  oneMoreAfterMs: number;
}

const KNOWN: Rate = { burst: BURST, oneMoreAfterMs: ONE_MORE_AFTER_MS };
const STRANGER: Rate = { burst: STRANGER_BURST, oneMoreAfterMs: STRANGER_ONE_MORE_AFTER_MS };
const STRANGERS: Rate = { burst: STRANGERS_BURST, oneMoreAfterMs: STRANGERS_ONE_MORE_AFTER_MS };

export class Pace {
  readonly #people = new Map<string, Bucket>();
  readonly #strangers: Bucket = { tokens: STRANGERS_BURST, filledAt: 0, isTold: false };

  /** One more command of this person, now. */
  note(senderId: string, isStranger: boolean, now: number): Paced {
    const rate = isStranger ? STRANGER : KNOWN;
    const bucket = this.#people.get(senderId) ?? { tokens: rate.burst, filledAt: now, isTold: false };
    // Who wrote last stands last, so that the first is who was longest quiet.
    this.#people.delete(senderId);
    this.#people.set(senderId, bucket);
    if (this.#people.size > MAX_PACED) this.#forgetOldest();
    if (!take(bucket, rate, now)) {
      if (bucket.isTold) return 'silent';
      bucket.isTold = true;
      return 'slow_down';
    }
    // Nobody's own fault: it is no answer to say so to each of many.
    return isStranger && !take(this.#strangers, STRANGERS, now) ? 'silent' : 'go';
  }

  #forgetOldest(): void {
    const [first] = this.#people.keys();
    if (first !== undefined) this.#people.delete(first);
  }
}

function take(bucket: Bucket, { burst, oneMoreAfterMs }: Rate, now: number): boolean {
  // A clock that was set back fills nothing.
  const gained = Math.max(0, now - bucket.filledAt) / oneMoreAfterMs;
  bucket.tokens = Math.min(burst, bucket.tokens + gained);
  bucket.filledAt = now;
  if (bucket.tokens >= burst) bucket.isTold = false;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}
