/**
 * A call of a model through a session's socket and the whole host behind it (rules, vault, budgets, counting, log),
 * beside the same call made to the model's server directly: by the same client, by turns.
 */
import { gatewayUrl, PLACEHOLDER_KEY } from '../../../shared/gateway.ts';
import { sessionPaths } from '../../../shared/session-files.ts';
import { BenchHost, type Conversation } from '../bench-host.ts';
import { callByTurns, type Way } from '../caller.ts';
import type { Measurement } from '../measurement.ts';
import { ModelProgram, smallCall } from '../model-program.ts';
import { makeRow, subtract, summarise } from '../report.ts';
import { BENCH_MODEL, BENCH_SERVICE, seedModel } from '../seed-model.ts';

const ROUNDS_BEFORE = 60;
const THINKING = { provider: 'openai', service: BENCH_SERVICE, model: BENCH_MODEL };

export const gateway: Measurement = {
  name: 'gateway',
  async measure({ quick, tell }) {
    await using model = await ModelProgram.start();
    await using host = await BenchHost.start(undefined, (home) => seedModel(home, model));
    tell('starting a container, whose socket it is');
    const [conversation] = await host.addWarmConversations('gateway', 1, THINKING);
    if (conversation === undefined) throw new Error('no conversation was made');
    const [small, streamed] = [smallCall(BENCH_MODEL, false), smallCall(BENCH_MODEL, true)];
    const [direct, through] = [directWay(model), gatewayWay(host, conversation)];
    tell('calling, by turns');
    const times = await callByTurns(
      {
        direct: { ...direct, body: small, keeps: true },
        through: { ...through, body: small, keeps: true },
        directAnew: { ...direct, body: small, keeps: false },
        throughAnew: { ...through, body: small, keeps: false },
        directStream: { ...direct, body: streamed, keeps: true },
        throughStream: { ...through, body: streamed, keeps: true },
      },
      { before: ROUNDS_BEFORE, rounds: quick ? 150 : 800 },
    );
    const whole = (way: keyof typeof times) => summarise(times[way].wholeMs);
    const firstByte = (way: keyof typeof times) => summarise(times[way].firstByteMs);
    return [
      makeRow('model call through the gateway − direct', 'ms', subtract(whole('through'), whole('direct')), {
        p50: { atMost: 1 },
      }),
      makeRow('model call through the gateway', 'ms', whole('through')),
      makeRow('model call, direct', 'ms', whole('direct')),
      makeRow('the same, a new connection each: − direct', 'ms', subtract(whole('throughAnew'), whole('directAnew'))),
      makeRow(
        'stream, first byte through the gateway − direct',
        'ms',
        subtract(firstByte('throughStream'), firstByte('directStream')),
        { p50: { atMost: 2 } },
      ),
      makeRow('stream, first byte, direct', 'ms', firstByte('directStream')),
      makeRow(
        'stream, last byte through the gateway − direct',
        'ms',
        subtract(whole('throughStream'), whole('directStream')),
      ),
    ];
  },
};

type Place = Omit<Way, 'body' | 'keeps'>;

export function directWay({ url, key }: ModelProgram): Place {
  const { port, pathname } = new URL(url);
  return { socketPath: null, port: Number(port), path: `${pathname}/chat/completions`, key };
}

/** On behalf of the conversation's first message, as the runner asks. */
export function gatewayWay(host: BenchHost, conversation: Conversation): Place {
  const session = host.session(conversation);
  const message = host.stores.transcript
    .listForSession(session, { limit: 10 })
    .find(({ direction }) => direction === 'in');
  const { pathname } = new URL(gatewayUrl(0, 'model', BENCH_SERVICE, message?.id ?? null));
  const socketPath = sessionPaths(host.home, session.agentGroupId, session.id).gateway;
  return { socketPath, port: null, path: `${pathname}/chat/completions`, key: PLACEHOLDER_KEY };
}
