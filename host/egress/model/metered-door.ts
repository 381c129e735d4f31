/**
 * The door that counts: looks who calls and for whom, asks the budgets, and writes down what was used.
 *
 *   call ─▶ which address ─▶ on whose behalf ─▶ the budgets that hold ─▶ a meter ─▶ the log, the sums, the news
 */
import type { AgentStore } from '../../store/agents.ts';
import type { ModelCallRecord, ModelCallStore } from '../../store/model-calls.ts';
import type { ModelPriceStore } from '../../store/model-prices.ts';
import type { Transcript } from '../../store/transcript.ts';
import type { Refusal } from '../refusal.ts';
import { type BudgetState, planBudget } from './budget-plan.ts';
import { CallLog } from './call-log.ts';
import type { Meter, ModelCall, ModelDoor } from './door.ts';
import { matchEndpoint } from './endpoints.ts';
import { listKnownPrices } from './known-prices.ts';
import { CallMeter, FREE_METER } from './meter.ts';
import type { ModelPrice } from './price.ts';
import { Prices } from './prices.ts';
import { NO_ROOM, NOT_A_MODEL, refuseBudget, refuseEndpoint } from './refusals.ts';
import { type Hold, Spending, type SpendingParts } from './spending.ts';
import type { ModelApi } from './usage.ts';
import { findWhose } from './whose.ts';

export interface MeteredDoorParts extends Omit<SpendingParts, 'log'> {
  agents: Pick<AgentStore, 'get'>;
  transcript: Pick<Transcript, 'peek' | 'get' | 'change'>;
  calls: Pick<ModelCallStore, 'list' | 'appendAll' | 'prune'>;
  prices: Pick<ModelPriceStore, 'get'>;
  /** Something was spent: these are the budgets that it was spent of, as they stand now. */
  onSpent: (states: readonly BudgetState[], sessionId: ModelCallRecord['sessionId']) => void;
}

export class MeteredDoor implements ModelDoor, Disposable {
  readonly #parts: MeteredDoorParts;
  readonly #log: CallLog;
  readonly #listeners = new Set<(call: ModelCallRecord) => void>();
  readonly prices: Prices;
  readonly spending: Spending;

  constructor(parts: MeteredDoorParts) {
    const { calls, transcript, now } = parts;
    this.#parts = parts;
    this.#log = new CallLog({
      ...{ calls, now },
      // A page that shows what a message cost hears of it.
      onCommitted: (messages) => {
        for (const id of messages) transcript.change(id, { isTouched: true });
      },
    });
    this.prices = new Prices(parts.prices);
    this.spending = new Spending({ ...parts, log: this.#log });
  }

  admit(call: ModelCall): { kind: 'go'; meter: Meter } | Refusal {
    const { service, method, path } = call;
    if (service.api === null) return NOT_A_MODEL;
    const endpoint = matchEndpoint(service.api, method, path);
    if (endpoint.kind === 'unknown') return refuseEndpoint(service.name, method);
    if (endpoint.kind === 'free') return { kind: 'go', meter: FREE_METER };
    if (this.#log.isFull) return NO_ROOM;
    return this.#count(call, service.api, endpoint.writes);
  }

  #count(call: ModelCall, api: ModelApi, writes: boolean): { kind: 'go'; meter: Meter } | Refusal {
    const { agents, transcript, now } = this.#parts;
    const { agentGroupId, sessionId, service } = call;
    const agent = agents.get(agentGroupId);
    const agentName = agent?.name ?? '';
    const whose = findWhose(transcript, sessionId, call.messageId);
    const states = this.spending.statesFor({ agentGroupId, userId: whose.userId });
    const plan = planBudget(states, 'unknown', now());
    if (plan.kind !== 'go') return refuseBudget(plan, agentName, null, service.name);
    const hold: Hold = { agentGroupId, userId: whose.userId, nanousd: 0, tokens: 0 };
    const findPrice = (model: string) => this.prices.find(service, model);
    this.spending.hold(hold);
    const meter = new CallMeter({
      ...{ call, api, whose, writes, agentName, states, hold, findPrice, now },
      dearest: dearestOf(service.name, agent?.config.model == null ? null : findPrice(agent.config.model)),
      refuseUnpriced: (model) => {
        const unpriced = planBudget(states, 'unpriced', now());
        return unpriced.kind === 'go' ? NOT_A_MODEL : refuseBudget(unpriced, agentName, model, service.name);
      },
      onEnd: (record) => this.#settle(hold, record),
    });
    return { kind: 'go', meter };
  }

  #settle(hold: Hold, record: ModelCallRecord | null): void {
    this.spending.release(hold);
    if (record === null) return;
    this.#log.add(record);
    this.spending.count(record);
    for (const listener of this.#listeners) listener(record);
    const states = this.spending.statesFor(record);
    if (states.length > 0) this.#parts.onSpent(states, record.sessionId);
  }

  /** Hears of each call that counts, at its end. Returns the way to stop. */
  onCall(listener: (call: ModelCallRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Commits what waits, for who wants to see all of it. */
  flush(): void {
    this.#log.flush();
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }
}

/** What a call may cost whose model is not known yet: the configured one's price, else the dearest of the service's list. */
function dearestOf(service: string, configured: ModelPrice | null): ModelPrice | null {
  if (configured !== null) return configured;
  const listed = listKnownPrices().filter((known) => known.service === service);
  return listed.toSorted((one, other) => other.price.output - one.price.output)[0]?.price ?? null;
}
