/** One conversation's send hangs: what the others feel of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchHost, type Conversation } from '../bench-host.ts';
import type { Measurement } from '../measurement.ts';
import { divide, makeRow, type Percentiles, summarise } from '../report.ts';

/** Just under the host's own time-out for a send, so that the hanging one still ends well. */
const HANG_MS = 29_500;
const QUICK_HANG_MS = 6_000;
const OTHERS = 4;
const ROUNDS_BEFORE = 50;
const PAUSE_MS = 5;

export const hang: Measurement = {
  name: 'hang',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start();
    const [hung, ...others] = await host.addWarmConversations('hang', OTHERS + 1);
    if (hung === undefined) throw new Error('no conversation was made');
    for (let round = 0; round < ROUNDS_BEFORE; round++) {
      for (const other of others) await host.ask(other);
    }
    const hangMs = quick ? QUICK_HANG_MS : HANG_MS;
    const calm = await askAll(host, others, hangMs / 2);
    tell(`one send hangs for ${hangMs / 1_000} s`);
    const release = new AbortController();
    host.channel.hangNext(hung.chat.platformId, hangMs, release.signal);
    await host.ask(hung);
    const meanwhile = await askAll(host, others, hangMs - 1_000);
    release.abort();
    // Half before, half after: a machine that grows busier or quieter falls on both sides.
    calm.push(...(await askAll(host, others, hangMs / 2)));
    const [during, without]: Percentiles[] = [summarise(meanwhile), summarise(calm)];
    if (during === undefined || without === undefined) throw new Error('nothing was measured');
    return [
      makeRow('others, while one send hangs ÷ without', '×', divide(during, without), { p95: { atMost: 1.3 } }),
      makeRow('others, while one send hangs', 'ms', during),
      makeRow('others, without', 'ms', without),
    ];
  },
};

/** By turns, for this long. */
async function askAll(host: BenchHost, conversations: readonly Conversation[], forMs: number): Promise<number[]> {
  const samples: number[] = [];
  const endAt = performance.now() + forMs;
  while (performance.now() < endAt) {
    for (const conversation of conversations) {
      await delay(PAUSE_MS);
      samples.push(await host.ask(conversation));
    }
  }
  return samples;
}
