/**
 * Names to addresses, by the machine's own resolver. Bounded: a resolver that hangs, or an agent that asks for
 * names without end, holds up nothing else that needs a thread.
 */
import { lookup } from 'node:dns/promises';
import { Fault } from '../config/errors.ts';

/** Higher: a dead resolver is noticed late. Lower: slow ones fail. */
const DEADLINE_MS = 5_000;
/** At once; each holds one of the process's few threads (4), which files need too. Higher: files wait. Lower: few slow names hold up all. */
const MAX_AT_ONCE = 3;
/** Waiting for their turn. Higher: memory. Lower: a burst is refused. */
const MAX_WAITING = 500;
/** Answers are kept this long: they are judged at every use. Higher: a moved server is found late. Lower: each request asks. */
const KEPT_MS = 10_000;
/** Higher: memory. Lower: names are asked for again. */
const MAX_KEPT = 500;

export type Resolve = (host: string) => Promise<string[]>;

interface Kept {
  at: number;
  addresses: Promise<string[]>;
}

/** All addresses of the name; none when there is no such name. Rejects with Fault `resolver_failed`. */
export function makeResolver(now: () => number, ask: Resolve = askSystem): Resolve {
  const kept = new Map<string, Kept>();
  const waiting: (() => void)[] = [];
  let running = 0;

  const next = () => {
    running--;
    waiting.shift()?.();
  };
  const enter = async () => {
    if (running >= MAX_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
  };
  const askInTurn = async (host: string) => {
    if (waiting.length >= MAX_WAITING) throw failed('too many names are being looked up');
    await enter();
    // The turn ends with the question, not with the deadline: the thread is taken until then.
    const asked = ask(host).finally(next);
    return withDeadline(asked);
  };
  return (host) => {
    const known = kept.get(host);
    if (known !== undefined && now() - known.at < KEPT_MS) return known.addresses;
    kept.delete(host);
    const addresses = askInTurn(host);
    kept.set(host, { at: now(), addresses });
    addresses.catch(() => kept.delete(host));
    const oldest = kept.keys().next();
    if (kept.size > MAX_KEPT && oldest.done === false) kept.delete(oldest.value);
    return addresses;
  };
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
