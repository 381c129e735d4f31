/**
 * A turn of an agent that thinks with a model: the AI SDK in a real container, through the gateway, to a model that
 * answers at once. What the model's server held the request for is not counted: all the rest is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchHost, type Conversation } from '../bench-host.ts';
import { callByTurns } from '../caller.ts';
import type { Measurement } from '../measurement.ts';
import { type ModelCallTime, ModelProgram } from '../model-program.ts';
import { makeRow, percentile, subtract, summarise } from '../report.ts';
import { BENCH_MODEL, BENCH_SERVICE, seedModel } from '../seed-model.ts';
import { describeStages, listTrips, type Trip } from '../stages.ts';
import { directWay, gatewayWay } from './gateway.ts';

const THINKING = { provider: 'openai', service: BENCH_SERVICE, model: BENCH_MODEL };
/** Each turn makes a conversation longer, and so the next call: several of them stay short. */
const CONVERSATIONS = 4;
/** Of each: compilers on both sides need some. */
const TURNS_BEFORE = 10;
const PAUSE_MS = 20;

export const turn: Measurement = {
  name: 'turn',
  async measure({ quick, tell }) {
    await using model = await ModelProgram.start();
    await using host = await BenchHost.start(undefined, (home) => seedModel(home, model));
    tell(`starting ${CONVERSATIONS + 1} containers`);
    const conversations = await host.addWarmConversations('thinking', CONVERSATIONS, THINKING);
    const [echo] = await host.addWarmConversations('echo', 1);
    if (echo === undefined) throw new Error('no conversation was made');
    await takeTurns(host, conversations, echo, TURNS_BEFORE);
    const turns = quick ? 10 : 40;
    tell(`${turns} turns of each`);
    const took = await takeTurns(host, conversations, echo, turns);
    // As the same words are asked for: the call that the SDK made, from outside the container.
    const calls = await model.listCalls();
    const body = calls.at(-1)?.body ?? '';
    tell(`the same call without the SDK (${Buffer.byteLength(body)} bytes)`);
    const [first] = conversations;
    if (first === undefined) throw new Error('no conversation was made');
    const plain = await callByTurns(
      {
        direct: { ...directWay(model), body, keeps: true },
        through: { ...gatewayWay(host, first), body, keeps: true },
      },
      { before: 50, rounds: quick ? 100 : 400 },
    );
    const spans = measureSpans(listTrips(host, conversations, turns), calls);
    const echoSpans = listTrips(host, [echo], turns * CONVERSATIONS).flatMap(providerSpan);
    tell(`where the time of a turn goes (p50)\n${describeStages(host, conversations, turns)}`);
    tell(
      `in the provider (p50): ${format(spans.asks)} ms until the model has the request, ${format(spans.held)} ms ` +
        `at the model, ${format(spans.tells)} ms from its last byte to the reply's row`,
    );
    const without = took.thinking.map(({ text, ms }) => ms - heldMs(calls, text));
    const inProvider = summarise(spans.asks.map((asks, at) => asks + (spans.tells[at] ?? Number.NaN)));
    const ofProvider = subtract(inProvider, summarise(echoSpans));
    const ofGateway = subtract(summarise(plain.through.wholeMs), summarise(plain.direct.wholeMs));
    return [
      makeRow('turn with openai, without its model', 'ms', summarise(without)),
      makeRow('turn with echo beside it', 'ms', summarise(took.echo.map(({ ms }) => ms))),
      makeRow('of the turn: its provider, without the model − echo', 'ms', ofProvider),
      makeRow('of that: the gateway, for the same call', 'ms', ofGateway),
      makeRow('of that: the AI SDK and the provider around it', 'ms', subtract(ofProvider, ofGateway)),
    ];
  },
};

interface Took {
  text: string;
  ms: number;
}

/** By turns, so that whatever else the machine does falls on both. */
async function takeTurns(host: BenchHost, conversations: readonly Conversation[], echo: Conversation, turns: number) {
  const took = { thinking: [] as Took[], echo: [] as Took[] };
  for (let round = 0; round < turns; round++) {
    for (const conversation of conversations) {
      took.thinking.push(await takeTurn(host, conversation));
      took.echo.push(await takeTurn(host, echo));
    }
  }
  return took;
}

async function takeTurn(host: BenchHost, conversation: Conversation): Promise<Took> {
  await delay(PAUSE_MS);
  const text = host.nextText();
  return { text, ms: await host.ask(conversation, text) };
}

function measureSpans(trips: readonly Trip[], calls: readonly ModelCallTime[]) {
  const spans = { asks: [] as number[], held: [] as number[], tells: [] as number[] };
  for (const { text, stamps } of trips) {
    const { provider_started: started, row_committed: committed } = stamps;
    if (started === undefined || committed === undefined) continue;
    const { beganAt, endedAt } = findCall(calls, text);
    spans.asks.push(beganAt - started);
    spans.held.push(endedAt - beganAt);
    spans.tells.push(committed - endedAt);
  }
  return spans;
}

/** From when the provider is asked to when the reply's row is committed. */
function providerSpan({ stamps }: Trip): number[] {
  const { provider_started: started, row_committed: committed } = stamps;
  return started === undefined || committed === undefined ? [] : [committed - started];
}

function heldMs(calls: readonly ModelCallTime[], text: string): number {
  const { beganAt, endedAt } = findCall(calls, text);
  return endedAt - beganAt;
}

/** A turn is one call. Throws when it was none or several: then the figures would mean something else. */
function findCall(calls: readonly ModelCallTime[], text: string): ModelCallTime {
  const found = calls.filter((call) => call.text.endsWith(` ${text}`));
  const [call] = found;
  if (call === undefined || found.length > 1) throw new Error(`the turn of "${text}" was ${found.length} calls`);
  return call;
}

function format(samples: readonly number[]): string {
  return percentile(samples, 0.5).toFixed(2);
}
