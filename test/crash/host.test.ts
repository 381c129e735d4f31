/**
 * The host ends at every statement boundary of receive, route, deliver and pause: it dies, or is asked to stop.
 * PORTOLAN_CRASH_SEED replays a run and PORTOLAN_CRASH_HOME one home of it (PORTOLAN_CRASH_KEEP=1 leaves its folder);
 * PORTOLAN_CRASH_RUNS sets how many homes are tried, each of which sees LIVES_PER_HOME ends and a few more for
 * boundaries that its hosts did not come to. Failpoints that this story never passes are killed elsewhere: peers.* in
 * peers.test.ts, schedule.* and delivery.carried-out in tasks.test.ts, agents.* in test/host/agents/make.test.ts and
 * removal.test.ts.
 */
import { expect, test } from 'vitest';
import type { ChatSetUp, EndPlan, EndSignal } from '../support/hosted/protocol.ts';
import { findLastingBreaches } from './check.ts';
import { chooseSeed, Random } from './random.ts';
import { type LifeOptions, Story } from './story.ts';

const CHATS: ChatSetUp[] = [
  { agent: 'anna', idempotency: 'native', platformId: 'harbour' },
  { agent: 'anna', idempotency: 'probe', platformId: 'pier' },
  { agent: 'bert', idempotency: 'none', platformId: 'quay' },
  { agent: 'bert', idempotency: 'native', platformId: 'dock' },
];
const LIVES_PER_HOME = 27;
/** With as many homes, every boundary has its turn. */
const HOMES_FOR_ALL = 14;
const RUNS = Number(process.env.PORTOLAN_CRASH_RUNS ?? HOMES_FOR_ALL);
/** One home alone, by the number that its failure named. */
const ONLY = process.env.PORTOLAN_CRASH_HOME === undefined ? null : Number(process.env.PORTOLAN_CRASH_HOME);
/** Homes at once: what one waits for leaves the processors to the others. More of them, and hosts wait for a processor instead of dying. */
const AT_ONCE = 3;
/**
 * The first lives of a home still make things that later ones find made. Fewer, and the homes together do not come
 * through all that only a fresh one passes; more, and little is left for what a home in use does.
 */
const FRESH_LIVES = 11;
/** Lives of a home for boundaries that its hosts did not come to. More of them cost a second and a half each. */
const SECOND_CHANCES = 4;
const BASE = { driver: 'process', image: '', chats: CHATS, pauseAfterMs: 60 } as const;

/**
 * Of the lives of a home in use that end in order; with those of STOP_HOMES a quarter of all lives. Higher: boundaries
 * are killed at in fewer runs. Lower: they are stopped at in fewer.
 */
const STOP_SHARE = 0.4;
/** Homes whose first host is asked to stop while it starts. Only one of a home can be: it goes on to its end of the start. */
const STOP_HOMES = 4;

/** How long a host is given to come to them. Lower: a busy machine has not paused by then. Higher: lives that never get there take long. */
const IDLE_LINGER_MS = 3_000;

/** What a host does when nobody writes. */
const IDLE_STEPS = /driver (pause|resume|stop|kill|remove)|processes/;
/** And what only one does that stops its containers soon. */
const STOP_STEPS = /driver (stop|kill|remove)|file rm processes/;

/** Hosts die in each of these, whatever the seed. */
const STAGES: Record<string, RegExp> = {
  'a first start': /home\/central\.db (CREATE TABLE|ALTER TABLE|INSERT INTO schema_version)/,
  'receive and route': /failpoint routing\.|home\/central\.db INSERT INTO (messages|users|wirings) /,
  'session folder': /failpoint session\.made|out\.making/,
  'inbox commit': /failpoint inbox\.|in\/inbound\.db (BEGIN IMMEDIATE|INSERT INTO messages_in)/,
  deliver: /failpoint delivery\.|platform (calling|answered)|INSERT INTO deliveries/,
  'start a container': /driver start|file (writeFile|rename) processes/,
  'pause and resume': /driver (pause|resume)/,
  stop: STOP_STEPS,
};
/** A service manager asks more often than a person does, and leaves the runners where they are. */
const STOPS = ['SIGTERM', 'SIGTERM', 'SIGINT'] as const;
/** Of the boundaries known. Every one has its turn, and a loaded machine still comes to far more of them than this. */
const LEAST_SHARE = 2 / 3;

/** How often each boundary is passed by a host on a fresh home, and on one that has seen use. */
interface Census {
  fresh: ReadonlyMap<string, number>;
  used: ReadonlyMap<string, number>;
}

/** From two quiet lives: start, talk, pause, thaw, stop. */
async function takeCensus(seed: number): Promise<Census> {
  const story = new Story(new Random(seed), { ...BASE, stopAfterMs: 2_000 });
  try {
    const counts: Map<string, number>[] = [];
    for (const what of ['fresh', 'used']) {
      const hosted = await story.start(null);
      if (hosted === null) throw new Error(`the ${what} host died`);
      for (const chat of [...CHATS, ...CHATS]) story.write(chat);
      await story.untilQuiet(hosted);
      if (what === 'used') {
        await story.untilShown(hosted, 'paused', 'some');
        for (const chat of CHATS) story.write(chat);
        await story.untilQuiet(hosted);
        await story.untilShown(hosted, 'idle', 'every');
      }
      counts.push(new Map(Object.entries(await hosted.census())));
      await hosted.kill();
    }
    const [fresh, used] = counts;
    if (fresh === undefined || used === undefined) throw new Error('two lives were counted');
    return { fresh, used };
  } finally {
    await story.dispose();
  }
}

/** A life that is to end at a boundary. What the host does when nobody writes is given time. */
function planEnd(end: EndPlan, messages: number, idleFirstMs: number): LifeOptions {
  const waits = end.kind === 'named' && IDLE_STEPS.test(end.name);
  return { end, messages, idleFirstMs: waits ? idleFirstMs : 0, lingerMs: waits ? IDLE_LINGER_MS : 80 };
}

/**
 * The lives of every home, before the first of them begins: what one home is to go through hangs on the seed alone,
 * not on what became of the others. All homes draw from one deck, so that every boundary has its turn, first at the
 * first time that it is passed; once the deck is through, later times find other work under way.
 */
function planHomes(seed: number, census: Census, homes: number): LifeOptions[][] {
  const random = new Random(seed);
  // Sorted: the order in which hosts happened to pass them must not show.
  const shuffle = (names: Iterable<string>) => random.shuffle([...names].sort());
  const fresh = shuffle([...census.fresh.keys()].filter((name) => !census.used.has(name)));
  const used = shuffle(census.used.keys());
  const order = [...census.fresh.keys()];
  let freshDrawn = 0;
  let usedDrawn = 0;
  const drawFresh = () => fresh[freshDrawn++ % fresh.length] ?? '';
  const drawSignal = (): EndSignal => (random.next() < STOP_SHARE ? random.pick(STOPS) : 'SIGKILL');
  const drawUsed = (signal: EndSignal): EndPlan => {
    const isFirstRound = usedDrawn < used.length;
    const name = used[usedDrawn++ % used.length] ?? '';
    const nth = isFirstRound ? 1 : random.between(1, Math.min(census.used.get(name) ?? 1, 4));
    return { signal, kind: 'named', name, nth };
  };
  const usual = Array.from({ length: homes }, () => {
    // In the order of a first start: what the first death leaves undone is still to be passed.
    const first = Array.from({ length: FRESH_LIVES }, drawFresh)
      .sort((one, other) => order.indexOf(one) - order.indexOf(other))
      .map((name) => planEnd({ signal: 'SIGKILL', kind: 'named', name, nth: 1 }, random.between(1, 2), 0));
    const later = Array.from({ length: LIVES_PER_HOME - FRESH_LIVES }, (): LifeOptions => {
      const messages = random.between(1, 5);
      const dice = random.next();
      if (dice < 0.1) return { end: null, messages, idleFirstMs: 0, lingerMs: 0, killAfterMs: random.between(0, 80) };
      const signal = drawSignal();
      const end: EndPlan = dice < 0.25 ? { signal, kind: 'counted', nth: random.between(1, 200) } : drawUsed(signal);
      return planEnd(end, messages, random.pick([0, 200]));
    });
    return [...first, ...later];
  });
  const stopped = Array.from({ length: STOP_HOMES }, () => {
    const end: EndPlan = { signal: random.pick(STOPS), kind: 'named', name: random.pick(fresh), nth: 1 };
    return [planEnd(end, 2, 0)];
  });
  return [...usual, ...stopped];
}

/** One home from its first host to its last. Returns where its hosts died. */
async function runHome(seed: number, home: number, lives: LifeOptions[]) {
  const random = new Random(seed + home * 7_919);
  const stops = lives.some(({ end }) => end?.kind === 'named' && STOP_STEPS.test(end.name));
  const story = new Story(random, { ...BASE, stopAfterMs: stops ? 300 : random.pick([300, 60_000]) });
  try {
    const unreached: EndPlan[] = [];
    for (const life of lives) {
      await story.live(life);
      const { end } = life;
      if (end?.kind !== 'named' || story.deaths.at(-1)?.startsWith(`${end.signal} at ${end.name} (`)) continue;
      unreached.push(end);
    }
    // Back into the deck, once each: another host may get there.
    for (const end of unreached.slice(-SECOND_CHANCES)) await story.live(planEnd({ ...end, nth: 1 }, 5, 200));
    const hosted = await story.startLast();
    const breaches = await findLastingBreaches(story, hosted);
    await hosted.stop();
    expect(breaches, `seed ${seed}, home ${home}; hosts died: ${story.deaths.join(' | ')}`).toEqual([]);
    return story.deaths;
  } finally {
    await story.dispose();
  }
}

const seed = chooseSeed();

test(`nothing accepted is lost and nothing is sent twice, wherever the host dies (seed ${seed})`, {
  timeout: 30 * 60_000,
}, async () => {
  const startedAt = performance.now();
  const census = await takeCensus(seed);
  const deaths: string[] = [];
  const plans = planHomes(seed, census, RUNS);
  const homes = ONLY === null ? plans.map((_plan, at) => at + 1) : [ONLY];
  const homesTried = homes.length;
  const work = async () => {
    for (let home = homes.shift(); home !== undefined; home = homes.shift()) {
      deaths.push(...(await runHome(seed, home, plans[home - 1] ?? [])));
    }
  };
  // All, also when one fails: each takes its own processes away.
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const known = new Set([...census.fresh.keys(), ...census.used.keys()]);
  const atBoundary = deaths.filter((death) => /^SIG\w+ at /.test(death));
  const places = new Set(atBoundary.map((death) => death.replace(/^SIG\w+ at | \(\d+\)$/g, '')));
  const reached = [...known].filter((name) => places.has(name));
  const stops = deaths.filter((death) => /^SIG(TERM|INT)/.test(death)).length;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(
    `crash: seed ${seed}: ${deaths.length - stops} kills and ${stops} stops on ${homesTried} homes, ${atBoundary.length} at a boundary, ` +
      `${reached.length} distinct of ${known.size} known, ${seconds} s`,
  );
  expect(atBoundary.length).toBeGreaterThan(deaths.length / 2);
  // Fewer homes do not come through the deck.
  if (ONLY !== null || RUNS < HOMES_FOR_ALL) return;
  const stagesMissed = Object.keys(STAGES).filter((stage) => !reached.some((name) => STAGES[stage]?.test(name)));
  expect(stagesMissed, `seed ${seed}: stages in which no host died`).toEqual([]);
  const unreached = [...known].filter((name) => !places.has(name)).join(' | ');
  expect(reached.length, `seed ${seed}: not reached: ${unreached}`).toBeGreaterThan(known.size * LEAST_SHARE);
});
