/** Names to addresses, with a resolver that answers, fails and hangs as the test says. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeResolver } from '../../../host/egress/resolve.ts';
import { type AgentGroupId, makeId } from '../../../shared/ids.ts';

/** As long as glibc asks two servers, twice. */
const HANG_MS = 20_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Names below `hang.test` hang and then fail, `bad.test` fails; each other one has an address after 50 ms. */
function openResolver() {
  const asked: string[] = [];
  const threads = { now: 0, most: 0 };
  const resolve = makeResolver(Date.now, async (host) => {
    asked.push(host);
    threads.most = Math.max(threads.most, ++threads.now);
    const hangs = host.endsWith('hang.test');
    await new Promise((done) => setTimeout(done, hangs ? HANG_MS : 50));
    threads.now--;
    if (hangs || host === 'bad.test') throw new Error('EAI_AGAIN');
    return ['1.1.1.1'];
  });
  /** What comes of it, and how long it took. */
  const timed = async (host: string, asker: AgentGroupId) => {
    const began = Date.now();
    const how = await resolve(host, asker).then(String, () => 'failed');
    return { how, ms: Date.now() - began };
  };
  return { asked, threads, resolve, timed };
}

const agents = Array.from({ length: 5 }, () => makeId('agentGroup'));
const [anna, bert, cleo, dora, emil] = agents as [AgentGroupId, AgentGroupId, AgentGroupId, AgentGroupId, AgentGroupId];

test('a name is asked for once while it is fresh, by whomever, and again after a failure', async () => {
  const { asked, timed } = openResolver();
  const both = Promise.all([timed('a.test', anna), timed('a.test', bert)]);
  await vi.advanceTimersByTimeAsync(50);
  expect((await both).map(({ how }) => how)).toEqual(['1.1.1.1', '1.1.1.1']);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(await timed('a.test', cleo)).toEqual({ how: '1.1.1.1', ms: 0 });
  expect(asked).toEqual(['a.test']);
  await vi.advanceTimersByTimeAsync(1_001);
  for (const host of ['a.test', 'bad.test', 'bad.test']) {
    const again = timed(host, anna);
    await vi.advanceTimersByTimeAsync(50);
    expect((await again).how).toBe(host === 'bad.test' ? 'failed' : '1.1.1.1');
  }
  expect(asked).toEqual(['a.test', 'a.test', 'bad.test', 'bad.test']);
});

test('an agent has one question in a thread until that is free, however often it asks', async () => {
  const { asked, threads, timed } = openResolver();
  const hanging = ['1.hang.test', '1.hang.test', '2.hang.test', '3.hang.test', '4.hang.test'].map((host) =>
    timed(host, anna),
  );
  const other = timed('a.test', bert);
  await vi.advanceTimersByTimeAsync(50);
  expect(await other).toEqual({ how: '1.1.1.1', ms: 50 });
  await vi.advanceTimersByTimeAsync(5_000);
  // It was told, and the same name again waits for the same answer.
  expect(await Promise.all(hanging.slice(0, 2))).toEqual(Array(2).fill({ how: 'failed', ms: 5_000 }));
  const again = timed('1.hang.test', anna);
  await vi.advanceTimersByTimeAsync(HANG_MS - 5_051);
  expect((await again).how).toBe('failed');
  expect([asked, threads.now]).toEqual([['1.hang.test', 'a.test'], 1]);
  await vi.advanceTimersByTimeAsync(HANG_MS);
  expect(asked).toEqual(['1.hang.test', 'a.test', '2.hang.test']);
  expect(threads.most).toBe(2);
  // Those that never had their turn are told too.
  expect(await hanging.at(-1)).toEqual({ how: 'failed', ms: 30_000 });
});

test('agents with names that never resolve hold up others once, and then each other alone', async () => {
  const { threads, timed } = openResolver();
  let isOver = false;
  const flood = async (asker: AgentGroupId, name: string) => {
    for (let at = 0; !isOver; at++) {
      const some = Array.from({ length: 3 }, (_, one) => timed(`${name}${at}-${one}.hang.test`, asker));
      await Promise.all(some);
    }
  };
  const floods = [flood(anna, 'a'), flood(bert, 'b'), flood(cleo, 'c'), flood(dora, 'd')];
  const waits: number[] = [];
  for (let at = 0; at < 240; at++) {
    void timed(`${at}.test`, emil).then(({ how, ms }) => {
      expect(how).toBe('1.1.1.1');
      waits.push(ms);
    });
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(threads.most).toBe(3);
  // All three threads hang at first, and what came meanwhile is asked for in turn; from then on there is always room.
  expect(waits).toHaveLength(240);
  expect(waits.filter((ms) => ms > 50).length).toBeLessThanOrEqual(HANG_MS / 1_000 + 2);
  expect(Math.max(...waits)).toBeLessThanOrEqual(HANG_MS + 1_000);
  expect(waits.slice(30).every((ms) => ms === 50)).toBe(true);
  isOver = true;
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(floods);
});

test('agents take turns, whatever number of names each of them asks for', async () => {
  const { asked, timed } = openResolver();
  const first = [anna, bert, cleo].map((asker, at) => timed(`first${at}.test`, asker));
  const many = Array.from({ length: 10 }, (_, at) => timed(`many${at}.test`, dora));
  const one = timed('one.test', emil);
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all([...first, ...many, one]);
  expect(asked.slice(3, 6)).toEqual(['many0.test', 'one.test', 'many1.test']);
});

test('an agent whose question was late shares a thread with others of that kind, in turns, and is free again later', async () => {
  const { asked, threads, timed } = openResolver();
  const late = [timed('a.hang.test', anna), timed('b.hang.test', bert)];
  await vi.advanceTimersByTimeAsync(HANG_MS);
  await Promise.all(late);
  threads.most = 0;
  const many = Array.from({ length: 5 }, (_, at) => timed(`${at}.test`, anna));
  const one = timed('one.test', bert);
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all([...many, one]);
  expect(asked.slice(2, 6)).toEqual(['0.test', '1.test', 'one.test', '2.test']);
  expect(threads.most).toBe(1);
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  const free = [timed('x.test', anna), timed('y.test', bert)];
  await vi.advanceTimersByTimeAsync(50);
  expect((await Promise.all(free)).map(({ ms }) => ms)).toEqual([50, 50]);
});

test('an agent that asks for names without end is refused', async () => {
  const { timed } = openResolver();
  const many = Array.from({ length: 300 }, (_, at) => timed(`${at}.hang.test`, anna));
  await vi.advanceTimersByTimeAsync(0);
  expect(await many.at(-1)).toEqual({ how: 'failed', ms: 0 });
  expect((await many[260])?.ms).toBe(0);
  const other = timed('a.test', bert);
  await vi.advanceTimersByTimeAsync(50);
  expect((await other).how).toBe('1.1.1.1');
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(many);
});
