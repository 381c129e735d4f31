/**
 * Who calls a model, in a process of its own as the programs of a container are: the same call by several ways, by
 * turns, so that whatever else the machine does falls on all of them.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** The argument that makes the bench program the caller. */
export const CALLER_ARGUMENT = '--caller';

/** Before each call, so that everybody has come to rest. It also keeps within what a session may ask in a minute. */
const PAUSE_MS = 20;

const waySchema = z.object({
  /** Of a gateway; null: `port` on loopback. */
  socketPath: z.string().nullable(),
  port: z.number().nullable(),
  path: z.string(),
  key: z.string(),
  body: z.string(),
  /** On the connection of the call before, as SDKs do. */
  keeps: z.boolean(),
});
export type Way = z.infer<typeof waySchema>;

const planSchema = z.object({ ways: z.record(z.string(), waySchema), before: z.number(), rounds: z.number() });
const timesSchema = z.object({ firstByteMs: z.array(z.number()), wholeMs: z.array(z.number()) });
export type CallTimes = z.infer<typeof timesSchema>;
const resultSchema = z.record(z.string(), timesSchema);

/** Each way `rounds` times, after `before` rounds that do not count: compilers need some. */
export async function callByTurns<Name extends string>(
  ways: Readonly<Record<Name, Way>>,
  rounds: { before: number; rounds: number },
): Promise<Record<Name, CallTimes>> {
  const plan = JSON.stringify({ ways, ...rounds });
  const child = fork(process.argv[1] ?? '', [CALLER_ARGUMENT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit').then(() => null);
  child.send(plan);
  const told = await Promise.race([once(child, 'message'), exited]);
  if (told === null) throw new Error('who calls the model has ended');
  child.disconnect();
  await exited;
  // It was asked for exactly these.
  return resultSchema.parse(told[0]) as Record<Name, CallTimes>;
}

/** The caller itself. Resolves when the bench has its times. */
export async function runCaller(): Promise<void> {
  const [told] = await once(process, 'message');
  const { ways, before, rounds } = planSchema.parse(JSON.parse(String(told)));
  const times: Record<string, CallTimes> = {};
  using kept = new KeptConnections();
  for (const name of Object.keys(ways)) times[name] = { firstByteMs: [], wholeMs: [] };
  for (let round = -before; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      await delay(PAUSE_MS);
      const { firstByteMs, wholeMs } = await call(way, way.keeps ? kept.agentOf(name) : false);
      if (round < 0) continue;
      times[name]?.firstByteMs.push(firstByteMs);
      times[name]?.wholeMs.push(wholeMs);
    }
  }
  const ended = once(process, 'disconnect');
  process.send?.(times);
  await ended;
}

/** From before the request is made to the first byte of the answer's body, and to its last. */
function call(way: Way, agent: http.Agent | false): Promise<{ firstByteMs: number; wholeMs: number }> {
  const { socketPath, port, path, key, body } = way;
  const place = socketPath === null ? { host: '127.0.0.1', port } : { socketPath };
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstByteMs: number | null = null;
    const request = http.request({ ...place, path, agent, method: 'POST', headers }, (answer) => {
      answer.on('error', reject);
      answer.on('data', () => {
        firstByteMs ??= performance.now() - startedAt;
      });
      answer.on('end', () => {
        const wholeMs = performance.now() - startedAt;
        if (answer.statusCode === 200 && firstByteMs !== null) resolve({ firstByteMs, wholeMs });
        else reject(new Error(`a call of the model was answered with ${answer.statusCode}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** One for each way: none lends another its connection. */
class KeptConnections implements Disposable {
  readonly #agents = new Map<string, http.Agent>();

  agentOf(name: string): http.Agent {
    const agent = this.#agents.get(name) ?? new http.Agent({ keepAlive: true });
    this.#agents.set(name, agent);
    return agent;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
