/** The first message to a container that was frozen. */
import { BenchHost } from '../bench-host.ts';
import type { Measurement } from '../measurement.ts';
import { makeRow, summarise } from '../report.ts';
import { describeStages } from '../stages.ts';

const CONVERSATIONS = 16;
/** Idle for this long, a container is frozen; the runtime looks only every few seconds, so rounds take as long. */
const PAUSE_AFTER_MS = 500;

export const paused: Measurement = {
  name: 'paused',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start({ pauseAfterMs: PAUSE_AFTER_MS, stopAfterMs: 3_600_000 });
    const conversations = await host.addWarmConversations('paused', CONVERSATIONS);
    const samples: number[] = [];
    const rounds = quick ? 1 : 6;
    for (let round = 1; round <= rounds; round++) {
      tell(`freezing, round ${round} of ${rounds}`);
      for (const conversation of conversations) await host.awaitState(conversation, 'paused');
      for (const conversation of conversations) {
        await host.awaitState(conversation, 'paused');
        samples.push(await host.ask(conversation));
      }
    }
    tell(`where the time goes (p50)\n${describeStages(host, conversations, rounds)}`);
    return [makeRow('from paused', 'ms', summarise(samples), { p50: { atMost: 25 } })];
  },
};
