/** Where the time of a round trip goes: the medians between the stamped stages. */
import type { MessageId } from '../../shared/ids.ts';
import { STAGES, type Stamps } from '../../shared/trace.ts';
import type { BenchHost, Conversation } from './bench-host.ts';
import { percentile } from './report.ts';

/** One round trip: what was asked, and when each stage of it was. */
export interface Trip {
  text: string;
  stamps: Stamps;
}

/** Of the newest `rounds` round trips of each conversation. */
export function describeStages(host: BenchHost, conversations: readonly Conversation[], rounds: number): string {
  return formatStages(listTrips(host, conversations, rounds));
}

/** The newest `rounds` round trips of each conversation. */
export function listTrips(host: BenchHost, conversations: readonly Conversation[], rounds: number): Trip[] {
  return conversations.flatMap((conversation) => {
    const session = host.session(conversation);
    const messages = host.stores.transcript.listForSession(session, { limit: rounds * 2 });
    const asked = new Map(messages.filter((one) => one.direction === 'in').map((one) => [one.id, one]));
    return messages.flatMap((reply) => {
      const question = reply.inReplyTo === null ? undefined : asked.get(reply.inReplyTo as MessageId);
      return question === undefined ? [] : [{ text: question.text, stamps: { ...reply.stamps, ...question.stamps } }];
    });
  });
}

/** One line per step between two stages, in order; stages that no message has are left out. */
function formatStages(made: readonly Trip[]): string {
  const trips = made.map(({ stamps }) => stamps);
  const lines: string[] = [];
  let previous: (typeof STAGES)[number] | null = null;
  for (const stage of STAGES) {
    const present = trips.filter((stamps) => stamps[stage] !== undefined);
    if (present.length < trips.length / 2) continue;
    if (previous !== null) {
      const from = previous;
      const gaps = present.map((stamps) => (stamps[stage] ?? Number.NaN) - (stamps[from] ?? Number.NaN));
      const known = gaps.filter((gap) => !Number.isNaN(gap));
      const [p50, p95] = [percentile(known, 0.5), percentile(known, 0.95)];
      lines.push(`  ${from.padEnd(17)}→ ${stage.padEnd(17)}${p50.toFixed(2).padStart(8)} ms  (p95 ${p95.toFixed(2)})`);
    }
    previous = stage;
  }
  return lines.join('\n');
}
