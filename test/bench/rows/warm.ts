/** A conversation with a container that runs: with a person's pauses, and without any. */
import { setTimeout as delay } from 'node:timers/promises';
import { makeBenchHome } from '../bench-home.ts';
import { BenchHost } from '../bench-host.ts';
import { measureFloor } from '../floor.ts';
import type { Measurement } from '../measurement.ts';
import { divide, makeRow, summarise } from '../report.ts';
import { describeStages } from '../stages.ts';

/** Compilers on both sides need some rounds; a host in use has had them. */
const ROUNDS_BEFORE = 100;
/** Between a reply and the next question, so that the host has come to rest. */
const PAUSE_MS = 20;
const FLOOR_LAPS = 300;

export const warm: Measurement = {
  name: 'warm',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start();
    const [conversation] = await host.addWarmConversations('warm', 1);
    if (conversation === undefined) throw new Error('no conversation was made');
    for (let round = 0; round < ROUNDS_BEFORE; round++) await host.ask(conversation);

    const paced: number[] = [];
    for (let round = 0; round < (quick ? 200 : 1_000); round++) {
      await delay(PAUSE_MS);
      paced.push(await host.ask(conversation));
    }
    tell(`where the time of a warm round trip goes (p50)\n${describeStages(host, [conversation], paced.length)}`);
    const close: number[] = [];
    for (let round = 0; round < (quick ? 200 : 1_000); round++) close.push(await host.ask(conversation));

    using home = makeBenchHome();
    const laps = await measureFloor(home.path, FLOOR_LAPS);
    const floor = summarise(laps.map((lap) => lap.roundTripMs));
    return [
      makeRow('warm round trip', 'ms', summarise(paced), { p50: { atMost: 6 }, p99: { atMost: 30 } }),
      makeRow('warm round trip, back to back', 'ms', summarise(close)),
      makeRow('warm round trip ÷ floor there and back', '×', divide(summarise(paced), floor)),
    ];
  },
};
