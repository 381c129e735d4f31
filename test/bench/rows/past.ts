/** A session with a long past beside a new one: the same speed, because readers follow a cursor. */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchHost } from '../bench-host.ts';
import type { Measurement } from '../measurement.ts';
import { divide, makeRow, summarise } from '../report.ts';
import { seedPast } from '../seed-past.ts';

const PAST_MESSAGES = 50_000;
const ROUNDS_BEFORE = 50;
const PAUSE_MS = 10;

export const past: Measurement = {
  name: 'past',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start();
    const agent = host.addAgent('past');
    const [old, fresh] = [host.addConversation(agent, 'old'), host.addConversation(agent, 'new')];
    tell(`writing ${PAST_MESSAGES} past messages`);
    seedPast(host, old, PAST_MESSAGES);
    for (let round = 0; round < ROUNDS_BEFORE; round++) {
      for (const conversation of [old, fresh]) await host.ask(conversation);
    }
    const samples = { old: [] as number[], fresh: [] as number[] };
    // By turns, so that whatever else the machine does falls on both.
    for (let round = 0; round < (quick ? 150 : 600); round++) {
      await delay(PAUSE_MS);
      samples.old.push(await host.ask(old));
      await delay(PAUSE_MS);
      samples.fresh.push(await host.ask(fresh));
    }
    const [longPast, noPast] = [summarise(samples.old), summarise(samples.fresh)];
    return [
      makeRow(`${PAST_MESSAGES} past messages ÷ a new session`, '×', divide(longPast, noPast), {
        p50: { atMost: 1.3 },
      }),
      makeRow(`${PAST_MESSAGES} past messages, warm`, 'ms', longPast),
      makeRow('a new session beside it, warm', 'ms', noPast),
    ];
  },
};
