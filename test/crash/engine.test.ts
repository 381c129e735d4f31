/** The Docker Engine goes away and comes back: messages queue, people see why, and all goes on by itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hosted } from '../support/hosted/hosted.ts';
import type { ChatSetUp } from '../support/hosted/protocol.ts';
import { OwnEngine } from '../support/own-engine.ts';
import { until } from '../support/until.ts';
import { findLastingBreaches } from './check.ts';
import { chooseSeed, Random } from './random.ts';
import { Story } from './story.ts';

const CHATS: ChatSetUp[] = [
  { agent: 'anna', idempotency: 'native', platformId: 'harbour' },
  { agent: 'bert', idempotency: 'none', platformId: 'quay' },
];

const engine = new OwnEngine();
let story: Story;

beforeAll(async () => {
  await engine.start();
  const image = process.env.PORTOLAN_IMAGE ?? '';
  await engine.load(image);
  story = new Story(new Random(chooseSeed()), {
    ...{ driver: 'docker', image, chats: CHATS, pauseAfterMs: 300, stopAfterMs: 60_000 },
    env: { DOCKER_HOST: engine.host },
  });
});

afterAll(async () => {
  await story.dispose();
  await engine.dispose();
});

function writeToAll(hosted: Hosted): void {
  for (const chat of CHATS) story.write(chat);
  story.deliver(hosted);
}

/** Everything written is accepted, nothing is answered, and every session says what it waits for. */
async function untilWaiting(hosted: Hosted): Promise<void> {
  await until('all is accepted', () => story.written.every(({ isAccepted }) => isAccepted));
  await until(
    'the sessions say that they wait for Docker',
    async () => {
      const sessions = (await hosted.report())?.sessions.filter(({ agent }) => agent !== 'main') ?? [];
      return (
        sessions.length === CHATS.length &&
        sessions.every(({ state, reason }) => state === 'waiting' && /docker/i.test(reason ?? ''))
      );
    },
    60_000,
  );
}

test('messages queue while the engine is away, and are answered when it is back', { timeout: 600_000 }, async () => {
  const hosted = await story.startLast();
  writeToAll(hosted);
  await story.untilQuiet(hosted);
  const before = story.platform.posted.length;

  await engine.stop();
  writeToAll(hosted);
  await untilWaiting(hosted);
  expect(story.platform.posted).toHaveLength(before);

  await engine.start();
  expect(await findLastingBreaches(story, hosted)).toEqual([]);

  // In the middle of a burst.
  for (let n = 0; n < 10; n++) writeToAll(hosted);
  await engine.stop();
  writeToAll(hosted);
  await untilWaiting(hosted);
  await engine.start();
  expect(await findLastingBreaches(story, hosted, true)).toEqual([]);
  expect(hosted.hasEnded).toBe(false);

  // A host that starts while there is no engine.
  await engine.stop();
  await hosted.kill();
  const next = await story.startLast();
  writeToAll(next);
  await untilWaiting(next);
  await engine.start();
  expect(await findLastingBreaches(story, next, true)).toEqual([]);
  await next.stop();
});
