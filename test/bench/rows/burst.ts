/** Twenty conversations that are flooded at once: how fast all is answered, and that each is answered once, in order. */
import { stampNow } from '../../../shared/trace.ts';
import { BenchHost, type Conversation } from '../bench-host.ts';
import type { Measurement } from '../measurement.ts';
import { makeCountRow, makeRow, summariseRates } from '../report.ts';

const CONVERSATIONS = 20;
const MESSAGES_EACH = 50;

export const burst: Measurement = {
  name: 'burst',
  async measure({ quick, tell }) {
    await using host = await BenchHost.start();
    tell(`starting ${CONVERSATIONS} containers`);
    const conversations = await host.addWarmConversations('burst', CONVERSATIONS);
    // Compilers on both sides have seen a burst before the first that counts.
    await runBurst(host, conversations);
    const rates: number[] = [];
    const faults = { lost: 0, doubled: 0, disordered: 0 };
    const rounds = quick ? 2 : 10;
    for (let round = 0; round < rounds; round++) {
      const result = await runBurst(host, conversations);
      rates.push(result.perSecond);
      faults.lost += result.lost;
      faults.doubled += result.doubled;
      faults.disordered += result.disordered;
    }
    return [
      makeRow(`burst of ${CONVERSATIONS} × ${MESSAGES_EACH}`, 'messages/s', summariseRates(rates), {
        p50: { atLeast: 400 },
      }),
      makeCountRow('burst: lost', 'messages', faults.lost, 0),
      makeCountRow('burst: doubled', 'messages', faults.doubled, 0),
      makeCountRow('burst: out of order', 'messages', faults.disordered, 0),
    ];
  },
};

interface BurstResult {
  perSecond: number;
  lost: number;
  doubled: number;
  disordered: number;
}

async function runBurst(host: BenchHost, conversations: readonly Conversation[]): Promise<BurstResult> {
  const plans = conversations.map((conversation) => ({
    conversation,
    texts: Array.from({ length: MESSAGES_EACH }, () => host.nextText()),
    seen: host.channel.listReceived(conversation.chat.platformId).length,
  }));
  const replies = plans.flatMap(({ conversation, texts }) =>
    texts.map((text) => host.channel.awaitText(conversation.chat.platformId, text)),
  );
  const startedAt = stampNow();
  // As they would come: everybody's first message, everybody's second, and so on.
  const said: Promise<void>[] = [];
  for (let at = 0; at < MESSAGES_EACH; at++) {
    for (const { conversation, texts } of plans) said.push(host.say(conversation, texts[at] ?? ''));
  }
  await Promise.all(said);
  const endings = await Promise.allSettled(replies);
  const answered = endings.flatMap((ending) => (ending.status === 'fulfilled' ? [ending.value] : []));
  const endedAt = Math.max(...answered);
  const result = { perSecond: (answered.length / (endedAt - startedAt)) * 1_000, lost: 0, doubled: 0, disordered: 0 };
  for (const { conversation, texts, seen } of plans) {
    const got = host.channel
      .listReceived(conversation.chat.platformId)
      .slice(seen)
      .map((one) => one.text);
    result.lost += texts.filter((text) => !got.includes(text)).length;
    result.doubled += got.length - new Set(got).size;
    const first = got.filter((text, at) => got.indexOf(text) === at);
    result.disordered += texts.filter((text) => first.includes(text)).filter((text, at) => first[at] !== text).length;
  }
  return result;
}
