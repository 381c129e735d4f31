/** Runners die in the middle of their work, and hosts with them; with the process driver, and with real containers. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { ChatSetUp, EndPlan } from '../support/hosted/protocol.ts';
import { findRunners, killRunners } from '../support/hosted/runners.ts';
import { findLastingBreaches } from './check.ts';
import { chooseSeed, Random } from './random.ts';
import { Story, type StoryOptions } from './story.ts';

const CHATS: ChatSetUp[] = [
  { agent: 'anna', idempotency: 'native', platformId: 'harbour' },
  { agent: 'anna', idempotency: 'probe', platformId: 'pier' },
  { agent: 'bert', idempotency: 'none', platformId: 'quay' },
];
/** A runner claims within a few milliseconds of a message, and answers within a few more. */
const MID_TURN_MS = 12;

/** Each costs the back-off of a lost claim, five seconds and more. */
const ROUNDS = 6;

const seed = chooseSeed();

async function runAndCheck(
  options: StoryOptions,
  tell: (story: Story, random: Random) => Promise<void>,
): Promise<void> {
  const random = new Random(seed);
  const story = new Story(random, options);
  try {
    await tell(story, random);
    const hosted = await story.startLast();
    // A message whose runner died too often ends as a visible failure.
    const breaches = await findLastingBreaches(story, hosted, true);
    expect(breaches, `seed ${seed}; hosts died: ${story.deaths.join(' | ')}`).toEqual([]);
    expect(findCrowdedSessions(story.home)).toEqual([]);
    await hosted.stop();
  } finally {
    removeContainers(story.home);
    await story.dispose();
  }
}

test(`runners killed in mid-turn lose nothing and double nothing (seed ${seed})`, { timeout: 300_000 }, async () => {
  const killed: number[] = [];
  const chats = [...CHATS, ...CHATS.map((chat) => ({ ...chat, platformId: `${chat.platformId}-two` }))];
  const options = { driver: 'process', image: '', chats, pauseAfterMs: 200, stopAfterMs: 60_000 } as const;
  await runAndCheck(options, async (story, random) => {
    const hosted = await story.startLast();
    for (let round = 0; round < ROUNDS; round++) {
      for (const chat of chats) story.write(chat);
      story.deliver(hosted);
      // The first round only brings the runners up.
      if (round > 0) {
        await new Promise((resolve) => setTimeout(resolve, random.between(0, MID_TURN_MS)));
        const runners = findRunners(story.home);
        killRunners(runners);
        killed.push(runners.length);
      }
      await story.untilQuiet(hosted);
    }
    await hosted.kill();
  });
  console.log(`crash: seed ${seed}: ${killed.join(' + ')} runners killed`);
  // Six chats have a runner each, but some may be gone when a round begins: measured were 21 to 29 of 30.
  expect(killed.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(((ROUNDS - 1) * chats.length) / 3);
});

test(`real containers and their host killed in turn lose nothing and double nothing (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const image = process.env.PORTOLAN_IMAGE ?? '';
  const options = { driver: 'docker', image, chats: CHATS, pauseAfterMs: 100, stopAfterMs: 60_000 } as const;
  const ends: (EndPlan | null)[] = [
    { signal: 'SIGKILL', kind: 'named', name: 'before driver start', nth: 2 },
    { signal: 'SIGKILL', kind: 'named', name: 'after driver start', nth: 1 },
    { signal: 'SIGKILL', kind: 'named', name: 'failpoint delivery.sent', nth: 2 },
    { signal: 'SIGKILL', kind: 'named', name: 'before driver pause', nth: 1 },
    { signal: 'SIGKILL', kind: 'named', name: 'after driver pause', nth: 1 },
    { signal: 'SIGKILL', kind: 'named', name: 'after driver resume', nth: 1 },
    { signal: 'SIGKILL', kind: 'named', name: 'failpoint delivery.taken', nth: 1 },
    { signal: 'SIGKILL', kind: 'named', name: 'before driver remove', nth: 1 },
    null,
  ];
  await runAndCheck(options, async (story, random) => {
    for (const [at, end] of ends.entries()) {
      await story.live({
        end,
        messages: random.between(3, 6),
        idleFirstMs: end?.kind === 'named' && /pause|resume/.test(end.name) ? 1_000 : 0,
        lingerMs: 500,
        meanwhile: () => {
          // Every other host also loses its containers.
          if (at % 2 === 1) killContainers(story.home);
        },
      });
    }
  });
});

/** Ids of the containers that have a folder of this home, by session folder. */
function findContainers(home: string): { id: string; session: string }[] {
  const format = '{{.ID}} {{.Label "portolan.session"}} {{.Mounts}}';
  const lines = execFileSync('docker', ['ps', '--all', '--no-trunc', '--format', format], { encoding: 'utf8' }).split(
    '\n',
  );
  return lines.flatMap((line) => {
    const [id, session, mounts] = line.split(' ');
    return id !== undefined && session !== undefined && mounts?.includes(home) ? [{ id, session }] : [];
  });
}

function killContainers(home: string): void {
  for (const { id } of findContainers(home)) {
    // One that has ended in the meantime cannot be killed.
    execFileSync('sh', ['-c', 'docker kill "$1" || docker inspect "$1"', 'sh', id], { stdio: 'ignore' });
  }
}

function removeContainers(home: string): void {
  const ids = findContainers(home).map(({ id }) => id);
  if (ids.length > 0) execFileSync('docker', ['rm', '--force', ...ids], { stdio: 'ignore' });
}

function findCrowdedSessions(home: string): string[] {
  const sessions = findContainers(home).map(({ session }) => session);
  return sessions.filter((session, at) => sessions.indexOf(session) !== at);
}
