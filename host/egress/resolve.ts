/**
 * Names to addresses, by the machine's own resolver. It is asked in the process's few threads, which files need too,
 * and a question cannot be taken back: who hangs, hangs until the machine gives up (glibc: 10 s and more).
 *
 *   ask ─▶ known? ─▶ its agent's turn ─▶ a thread ─▶ answered ─▶ kept a while
 *                      ╰─ given up ─╯        ╰─▶ late: the caller is told, the thread is not free
 *
 * I1. An agent has one question in a thread at a time, until that thread is free, however early its caller was told.
 * I2. A question that was late costs its agent the other threads for a while: all such agents share one. So names
 *     that never resolve hold up others once, and then only each other (I10 of the architecture).
 * I3. Agents take turns, whatever number of names each of them asks for.
 */
import { lookup } from 'node:dns/promises';
import type { AgentGroupId } from '../../shared/ids.ts';
import { Fault } from '../config/errors.ts';

/** Higher: a dead resolver is noticed late. Lower: slow ones fail. */
const DEADLINE_MS = 5_000;
/** Until it is an agent's turn. Higher: requests pile up behind a dead resolver. Lower: many slow names at once fail. */
const TURN_MS = 30_000;
/** Threads at once, of the process's 4. Higher: files wait. Lower: few slow names hold up all. */
const MAX_AT_ONCE = 3;
/** I2. Higher: one slow name costs its agent longer. Lower: hanging names hold up others more often. */
const LATE_MS = 5 * 60_000;
/** Of one agent, waiting for their turn. Higher: memory. Lower: a burst is refused. */
const MAX_WAITING = 250;
/** Answers are kept this long: they are judged at every use. Higher: a moved server is found late. Lower: each request asks. */
const KEPT_MS = 10_000;
/** Higher: memory. Lower: names are asked for again. */
const MAX_KEPT = 500;

/** All addresses of the name; none when there is no such name. Rejects with Fault `resolver_failed`. */
export type Resolve = (host: string, asker: AgentGroupId) => Promise<string[]>;

/** In a thread. */
interface Question {
  asker: AgentGroupId;
  addresses: Promise<string[]>;
  isLate: boolean;
}

interface Waiting {
  host: string;
  settle: (addresses: Promise<string[]>) => void;
  timer: NodeJS.Timeout;
}

export function makeResolver(now: () => number, ask: (host: string) => Promise<string[]> = askSystem): Resolve {
  const resolver = new Resolver(now, ask);
  return (host, asker) => resolver.resolve(host, asker);
}

class Resolver {
  readonly #now: () => number;
  readonly #askSystem: (host: string) => Promise<string[]>;
  readonly #kept = new Map<string, { at: number; addresses: string[] }>();
  /** By name: nobody asks for what is being asked for. */
  readonly #questions = new Map<string, Question>();
  /** Whose turn comes first is first (I3). */
  readonly #waiting = new Map<AgentGroupId, Waiting[]>();
  readonly #lateUntil = new Map<AgentGroupId, number>();

  constructor(now: () => number, ask: (host: string) => Promise<string[]>) {
    this.#now = now;
    this.#askSystem = ask;
  }

  async resolve(host: string, asker: AgentGroupId): Promise<string[]> {
    const known = this.#find(host);
    if (known !== null) return known;
    const queue = this.#waiting.get(asker) ?? [];
    if (queue.length >= MAX_WAITING) throw failed('too many names are being looked up');
    return new Promise((settle) => {
      const timer = setTimeout(() => this.#giveUp(asker, entry), TURN_MS).unref();
      const entry: Waiting = { host, settle, timer };
      queue.push(entry);
      this.#waiting.set(asker, queue);
      this.#serve(asker, queue);
    });
  }

  #giveUp(asker: AgentGroupId, entry: Waiting): void {
    const left = this.#waiting.get(asker)?.filter((one) => one !== entry) ?? [];
    if (left.length > 0) this.#waiting.set(asker, left);
    else this.#waiting.delete(asker);
    entry.settle(Promise.reject(failed('the resolver has no time for it')));
  }

  /** Each of its names that is known, or that a thread is free for. */
  #serve(asker: AgentGroupId, queue: Waiting[]): void {
    let next = queue[0];
    for (; next !== undefined; next = queue[0]) {
      const addresses = this.#find(next.host) ?? this.#begin(next.host, asker);
      if (addresses === null) break;
      queue.shift();
      clearTimeout(next.timer);
      next.settle(addresses);
      // I3
      this.#waiting.delete(asker);
      if (queue.length > 0) this.#waiting.set(asker, queue);
    }
  }

  #find(host: string): Promise<string[]> | null {
    const question = this.#questions.get(host);
    if (question !== undefined) return withDeadline(question.addresses);
    const kept = this.#kept.get(host);
    return kept !== undefined && this.#now() - kept.at < KEPT_MS ? Promise.resolve(kept.addresses) : null;
  }

  /** Null: it is not its turn. */
  #begin(host: string, asker: AgentGroupId): Promise<string[]> | null {
    const running = [...this.#questions.values()];
    // I1
    if (running.length >= MAX_AT_ONCE || running.some((one) => one.asker === asker)) return null;
    // I2
    if (this.#isLate(asker) && running.some((one) => one.isLate || this.#isLate(one.asker))) return null;
    const question: Question = { asker, addresses: this.#askSystem(host), isLate: false };
    this.#questions.set(host, question);
    const timer = setTimeout(() => {
      question.isLate = true;
      this.#lateUntil.set(asker, this.#now() + LATE_MS);
    }, DEADLINE_MS).unref();
    question.addresses
      .then((addresses) => this.#keep(host, addresses))
      // Whoever asked hears of it.
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
        this.#questions.delete(host);
        for (const [one, queue] of [...this.#waiting]) this.#serve(one, queue);
      });
    return withDeadline(question.addresses);
  }

  #isLate(asker: AgentGroupId): boolean {
    const until = this.#lateUntil.get(asker);
    if (until === undefined) return false;
    if (this.#now() < until) return true;
    this.#lateUntil.delete(asker);
    return false;
  }

  #keep(host: string, addresses: string[]): void {
    this.#kept.delete(host);
    this.#kept.set(host, { at: this.#now(), addresses });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MAX_KEPT && oldest.done === false) this.#kept.delete(oldest.value);
  }
}

async function askSystem(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA'))
      return [];
    throw failed('the name could not be looked up', error);
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed('the resolver did not answer')), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function failed(message: string, cause?: unknown): Fault {
  return new Fault('resolver_failed', message, { cause, retryable: true });
}
