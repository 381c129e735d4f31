import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FAMILY, SessionFixture, TERMINAL } from './session-fixture.ts';

/** Replays a run: RUNNER_CRASH_SEED=<the printed seed>. */
const SEED = Number(process.env.RUNNER_CRASH_SEED ?? Date.now() % 1_000_000);
const KILLS = 40;

/** mulberry32 */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a runner that is killed again and again', () => {
  it(`loses no message and sends nothing twice (seed ${SEED})`, async () => {
    const random = makeRandom(SEED);
    await using session = new SessionFixture({ provider: 'demo', destinations: [TERMINAL, FAMILY] });
    const ids: string[] = [];
    const told: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      const runner = session.start();
      const words = `round ${round}`;
      told.push(`family: **Anna** says: ${words}`);
      await session.until(() => runner.stderr.includes('"ready"'), 'ready');
      ids.push(...session.receive({ text: `tell family ${words}` }, { text: 'remember the milk' }, { text: 'time' }));
      // The moment of the kill is what the seed decides; a turn takes about this long.
      await after(random() * 12);
      await runner.kill();
    }
    session.start();
    await session.until(() => session.isSettled(...ids), 'all settled');
    expect(ids.map((id) => session.processing(id)?.state)).toEqual(ids.map(() => 'done'));
    const texts = session.texts();
    expect(texts.filter((text) => text.startsWith('family'))).toEqual(told);
    const answers = session.rows().filter((row) => row.destination === 'terminal');
    expect(answers.map((row) => row.in_reply_to).sort()).toEqual([...ids].sort());
  });
});
