/**
 * One counted call, from its first byte to its end.
 *
 * I1. It holds of the budgets what it may cost, from the start: the dearest until its request is known, and then that.
 *     It lets go at its end.
 * I2. Its end is told once, with the provider's numbers or an estimate.
 * I3. A model without a price, an option that changes it, a body that cannot be read: refused before the body is whole.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ModelCallRecord } from '../../store/model-calls.ts';
import type { Refusal } from '../refusal.ts';
import type { BudgetState } from './budget-plan.ts';
import type { CallEnd, Meter, ModelCall } from './door.ts';
import { planUsage } from './estimate.ts';
import {
  BYTES_PER_TOKEN,
  MAX_RESERVED_OUTPUT_TOKENS,
  RESERVED_OUTPUT_TOKENS,
  TOKENS_PER_PICTURE,
  UNSEEN_AFTER_MS,
} from './limits.ts';
import { costOf, FREE, type ModelPrice } from './price.ts';
import { IN_BACKGROUND, refuseOption, refuseReference, UNREADABLE } from './refusals.ts';
import { type RequestFacts, RequestScan } from './request-scan.ts';
import type { Hold } from './spending.ts';
import { type ModelApi, type SaidUsage, UsageReader } from './usage.ts';
import type { Whose } from './whose.ts';

export interface MeterParts {
  call: ModelCall;
  api: ModelApi;
  whose: Whose;
  /** The model answers with words. */
  writes: boolean;
  agentName: string;
  /** Those that held when it began. */
  states: readonly BudgetState[];
  /** What it holds of them; changed here, released by whoever hears the end. */
  hold: Hold;
  /** Dearest of what it may be, until the model is known; null: nothing is known to cost anything. */
  dearest: ModelPrice | null;
  findPrice: (model: string) => ModelPrice | null;
  refuseUnpriced: (model: string) => Refusal;
  onEnd: (record: ModelCallRecord | null) => void;
  now: () => number;
}

/** Nothing was said. */
const SILENCE: SaidUsage = {
  ...{ model: null, tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } },
  ...{ longCacheWrite: 0, webSearches: 0, saysInput: false, saysOutput: false },
};

export class CallMeter implements Meter {
  readonly #parts: MeterParts;
  readonly #request = new RequestScan();
  readonly #beganAt: number;
  #sentBytes = 0;
  #models = 0;
  #isWhole = false;
  #price: ModelPrice | null;
  #refused: Refusal | null = null;
  #status: number | null = null;
  #firstByteMs: number | null = null;
  #reader: UsageReader | null = null;
  #textBytes = 0;
  /** When text came last. */
  #wordAtMs = 0;
  #silentMs = 0;
  #isEnded = false;

  constructor(parts: MeterParts) {
    this.#parts = parts;
    this.#beganAt = parts.now();
    this.#price = parts.dearest;
    this.#holdAtLeast(this.#request.facts);
  }

  sent(chunk: Buffer): Refusal | null {
    if (this.#refused !== null || this.#isEnded) return this.#refused;
    this.#request.push(chunk);
    const { facts } = this.#request;
    this.#refused = this.#judge(facts);
    if (this.#refused !== null) return this.#refused;
    this.#sentBytes += chunk.length;
    if (facts.isWhole && !this.#isWhole) {
      // All that decides is known now: what was held for want of it is let go.
      this.#isWhole = true;
      Object.assign(this.#parts.hold, { nanousd: 0, tokens: 0 });
    }
    this.#holdAtLeast(facts);
    return null;
  }

  answered(status: number, headers: IncomingHttpHeaders): void {
    if (this.#isEnded) return;
    this.#status = status;
    this.#reader = new UsageReader(this.#parts.api, headers);
  }

  received(chunk: Buffer): void {
    if (this.#isEnded || this.#reader === null) return;
    this.#firstByteMs ??= this.#elapsed();
    this.#reader.push(chunk);
    this.#listen(this.#reader.written.textBytes);
    const { hold } = this.#parts;
    const { tokens } = this.#reader.said;
    // I1: what is known to be used already.
    hold.tokens = Math.max(hold.tokens, tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite);
    hold.nanousd = Math.max(hold.nanousd, costOf(this.#price ?? FREE, tokens));
  }

  end(how: CallEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#parts.onEnd(this.#refused === null ? this.#settle(how) : null);
  }

  /** I3 */
  #judge(facts: RequestFacts): Refusal | null {
    const { states, agentName, findPrice, refuseUnpriced } = this.#parts;
    if (facts.isUnreadable || (facts.isWhole && facts.models.length === 0)) return UNREADABLE;
    if (facts.isBackground) return IN_BACKGROUND;
    const [first] = states;
    if (first !== undefined && facts.reference !== null)
      return refuseReference(facts.reference, first.budget, agentName);
    const money = states.find(({ budget }) => budget.unit === 'usd')?.budget;
    if (money !== undefined && facts.priceOption !== null) return refuseOption(facts.priceOption, money, agentName);
    for (; this.#models < facts.models.length; this.#models += 1) {
      const model = facts.models[this.#models] ?? '';
      const price = findPrice(model);
      if (price === null && money !== undefined) return refuseUnpriced(model);
      // The dearest of those that were named: which one is taken is the provider's affair.
      if (this.#models === 0 || (price?.output ?? 0) > (this.#price?.output ?? 0)) this.#price = price;
    }
    return null;
  }

  /** I1 */
  #holdAtLeast({ maxOutput, pictures }: RequestFacts): void {
    const { hold, call, writes } = this.#parts;
    const inBytes = Math.ceil(Math.max(call.bodyBytes ?? 0, this.#sentBytes) / BYTES_PER_TOKEN);
    const input = inBytes + pictures * TOKENS_PER_PICTURE;
    const most = Math.min(maxOutput ?? RESERVED_OUTPUT_TOKENS, MAX_RESERVED_OUTPUT_TOKENS);
    const output = writes ? Math.max(most, 0) : 0;
    hold.tokens = Math.max(hold.tokens, input + output);
    const tokens = { input, output, cacheRead: 0, cacheWrite: 0 };
    hold.nanousd = Math.max(hold.nanousd, costOf(this.#price ?? FREE, tokens));
  }

  /** What comes without a word for long may be thought that nobody sees. */
  #listen(textBytes: number): void {
    if (textBytes === this.#textBytes) return;
    this.#endSilence(UNSEEN_AFTER_MS);
    this.#textBytes = textBytes;
  }

  #endSilence(afterMs: number): void {
    const atMs = this.#elapsed();
    if (atMs - this.#wordAtMs > afterMs) this.#silentMs += atMs - this.#wordAtMs;
    this.#wordAtMs = atMs;
  }

  /** Null: nothing was asked of a model. */
  #settle(how: CallEnd): ModelCallRecord | null {
    const { call, whose, writes, findPrice, now } = this.#parts;
    if (how === 'unsent' || (this.#sentBytes === 0 && this.#status === null)) return null;
    const said = this.#reader?.said ?? SILENCE;
    const { facts } = this.#request;
    const durationMs = this.#elapsed();
    this.#endSilence(this.#textBytes === 0 ? 0 : UNSEEN_AFTER_MS);
    const { tokens, isEstimated } = planUsage({
      ...{
        status: this.#status,
        how,
        said,
        sentBytes: this.#sentBytes,
        pictures: facts.pictures,
        silentMs: this.#silentMs,
        writes,
      },
      written: this.#reader?.written ?? { textBytes: 0, events: 0 },
      ...{ maxOutput: facts.maxOutput, answers: facts.answers },
    });
    const asked = facts.models.at(-1) ?? null;
    // An alias may answer by a longer name: then the price is that of what was asked.
    const price = (said.model === null ? null : findPrice(said.model)) ?? (asked === null ? null : findPrice(asked));
    return {
      at: now(),
      ...{ agentGroupId: call.agentGroupId, sessionId: call.sessionId, ...whose, service: call.service.name },
      model: nameSafely(said.model ?? asked ?? 'unknown'),
      ...{ inputTokens: tokens.input, outputTokens: tokens.output },
      ...{ cacheReadTokens: tokens.cacheRead, cacheWriteTokens: tokens.cacheWrite },
      costNanousd: price === null ? null : costOf(price, tokens, said),
      ...{ isEstimated, status: this.#status ?? 0, firstByteMs: this.#firstByteMs, durationMs },
    };
  }

  #elapsed(): number {
    return Math.max(0, Math.round(this.#parts.now() - this.#beganAt));
  }
}

/** A container, or a server, wrote it, and terminals will show it. */
function nameSafely(model: string): string {
  return model.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '·');
}

/** For what costs nothing and is not counted. */
export const FREE_METER: Meter = {
  sent: () => null,
  answered: () => undefined,
  received: () => undefined,
  end: () => undefined,
};
