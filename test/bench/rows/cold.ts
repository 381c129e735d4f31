/** The first message to a session without a container. */
import { BenchHost } from '../bench-host.ts';
import type { Measurement } from '../measurement.ts';
import { makeRow, summarise } from '../report.ts';
import { describeStages } from '../stages.ts';

/** Idle for this long, a container is stopped and removed. */
const STOP_AFTER_MS = 500;
const CONVERSATIONS = 8;

export const cold: Measurement = {
  name: 'cold',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start({ pauseAfterMs: 3_600_000, stopAfterMs: STOP_AFTER_MS });
    const agent = host.addAgent('cold');
    const conversations = Array.from({ length: CONVERSATIONS }, (_, at) =>
      host.addConversation(agent, `chat-${at + 1}`),
    );
    const first: number[] = [];
    for (const conversation of conversations) first.push(await host.ask(conversation));
    const samples: number[] = [];
    const rounds = quick ? 1 : 5;
    for (let round = 1; round <= rounds; round++) {
      tell(`stopping, round ${round} of ${rounds}`);
      // All are gone before the first starts: nothing else runs beside a start.
      for (const conversation of conversations) await host.awaitState(conversation, 'idle');
      for (const conversation of conversations) samples.push(await host.ask(conversation));
    }
    tell(`where the time of a cold start goes (p50)\n${describeStages(host, conversations, rounds)}`);
    return [
      makeRow('cold (no container)', 'ms', summarise(samples), { p50: { atMost: 450 } }),
      makeRow('cold, the very first message of a chat', 'ms', summarise(first)),
    ];
  },
};
