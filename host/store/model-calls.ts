/**
 * What models were asked, with the provider's numbers, and the sums of each day: by agent, person and model for good,
 * by conversation as long as calls are kept.
 *
 * I1. A call and its part of the day's sums are one commit: the two never differ.
 * I2. Sums stay when calls are pruned; of the last months all give the same.
 * I3. A container names models as it likes, and sums are kept for good: past some names an agent's day has no more.
 */
import type { AgentGroupId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** Times are epoch ms, money nano-dollars. */
export interface ModelCallRecord {
  /** When it ended. */
  at: number;
  agentGroupId: AgentGroupId;
  sessionId: SessionId;
  messageId: MessageId | null;
  userId: UserId | null;
  service: string;
  model: string;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Null: the model has no price. */
  costNanousd: number | null;
  isEstimated: boolean;
  status: number;
  firstByteMs: number | null;
  durationMs: number;
}

/** Sums of calls. */
export interface UsageSum {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Of the calls that had a price. */
  costNanousd: number;
  unpricedCalls: number;
}

/** Names of models that an agent's day is summed up by. Higher: who makes them up fills the disk for good. Lower: who tries many sees less. */
const MAX_MODELS_A_DAY = 200;
/** Of all beyond. */
const OTHER_MODELS = 'others';

export const USAGE_GROUPS = ['day', 'agent', 'model', 'person', 'session'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageFilter {
  /** Days of UTC, both counted. */
  firstDay: string;
  lastDay: string;
  agents: readonly string[] | null;
  sessionId: SessionId | null;
  /** Every identity of a person. */
  people: readonly string[] | null;
}

/** What a group is: a day, an agent's id, `service/model`, a user id ('' for nobody), a session's id. */
export type UsageRow = UsageSum & { key: string };

const SUMS = `coalesce(sum(input_tokens), 0) AS inputTokens, coalesce(sum(output_tokens), 0) AS outputTokens,
  coalesce(sum(cache_read_tokens), 0) AS cacheReadTokens, coalesce(sum(cache_write_tokens), 0) AS cacheWriteTokens,
  coalesce(sum(cost_nanousd), 0) AS costNanousd`;
const OF_DAYS = `coalesce(sum(calls), 0) AS calls, coalesce(sum(unpriced_calls), 0) AS unpricedCalls, ${SUMS}`;
const OF_CALLS = `count(*) AS calls, coalesce(sum(cost_nanousd IS NULL), 0) AS unpricedCalls, ${SUMS}`;
const MODEL_KEY = `service || '/' || model`;
/** The day in UTC that a call belongs to. */
const DAY = `strftime('%Y-%m-%d', at / 1000, 'unixepoch')`;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

const SUM_COLUMNS = `calls, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_nanousd, unpriced_calls`;
const ADD_SUMS = `calls = calls + 1,
  input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
  cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
  cost_nanousd = cost_nanousd + excluded.cost_nanousd, unpriced_calls = unpriced_calls + excluded.unpriced_calls`;

export class ModelCallStore {
  readonly #db: CentralDb;
  readonly #insert;
  readonly #addToDay;
  readonly #addToSession;
  readonly #countModels;
  readonly #hasModel;
  readonly #ofMessages;
  readonly #appendAll: (calls: readonly ModelCallRecord[]) => void;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#insert = db.prepare(
      `INSERT INTO model_calls (at, agent_group_id, session_id, message_id, user_id, service, model, input_tokens,
         output_tokens, cache_read_tokens, cache_write_tokens, cost_nanousd, is_estimated, status, first_byte_ms,
         duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#addToDay = db.prepare(
      `INSERT INTO usage_days (day, agent_group_id, user_id, service, model, ${SUM_COLUMNS})
       VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (day, agent_group_id, user_id, service, model) DO UPDATE SET ${ADD_SUMS}`,
    );
    this.#addToSession = db.prepare(
      `INSERT INTO usage_sessions (day, session_id, user_id, agent_group_id, ${SUM_COLUMNS})
       VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (day, session_id, user_id) DO UPDATE SET ${ADD_SUMS}`,
    );
    this.#countModels = db
      .prepare<[string, string], number>(
        'SELECT count(DISTINCT model) FROM usage_days WHERE agent_group_id = ? AND day = ?',
      )
      .pluck();
    this.#hasModel = db
      .prepare<[string, string, string], number>(
        'SELECT 1 FROM usage_days WHERE agent_group_id = ? AND day = ? AND model = ? LIMIT 1',
      )
      .pluck();
    this.#ofMessages = db.prepare<[string], UsageSum & { messageId: string; estimated: number }>(
      `SELECT message_id AS messageId, sum(is_estimated) AS estimated, ${OF_CALLS} FROM model_calls
       WHERE message_id IN (SELECT value FROM json_each(?)) GROUP BY message_id`,
    );
    // I1
    this.#appendAll = db.transaction((calls: readonly ModelCallRecord[]) => {
      for (const call of calls) this.#append(call);
    });
  }

  /** In one commit. Throws what the disk does; then none of them is there. */
  appendAll(calls: readonly ModelCallRecord[]): void {
    this.#appendAll(calls);
  }

  #append(call: ModelCallRecord): void {
    const { at, agentGroupId, sessionId, messageId, userId, service, model, costNanousd } = call;
    const tokens = [call.inputTokens, call.outputTokens, call.cacheReadTokens, call.cacheWriteTokens];
    this.#insert.run(
      ...[at, agentGroupId, sessionId, messageId, userId, service, model, ...tokens, costNanousd],
      ...[call.isEstimated ? 1 : 0, call.status, call.firstByteMs, call.durationMs],
    );
    const day = dayOf(at);
    const sums = [...tokens, costNanousd ?? 0, costNanousd === null ? 1 : 0];
    const name = this.#nameOfDay(agentGroupId, day, model);
    this.#addToDay.run(day, agentGroupId, userId ?? '', service, name, ...sums);
    this.#addToSession.run(day, sessionId, userId ?? '', agentGroupId, ...sums);
  }

  /** I3 */
  #nameOfDay(agentGroupId: AgentGroupId, day: string, model: string): string {
    if (this.#hasModel.get(agentGroupId, day, model) !== undefined) return model;
    return (this.#countModels.get(agentGroupId, day) ?? 0) < MAX_MODELS_A_DAY ? model : OTHER_MODELS;
  }

  /** Of each of these messages that any call was for. */
  ofMessages(ids: readonly MessageId[]): Map<MessageId, UsageSum & { isEstimated: boolean }> {
    if (ids.length === 0) return new Map();
    return new Map(
      this.#ofMessages
        .all(JSON.stringify(ids))
        .map(({ messageId, estimated, ...sum }) => [messageId as MessageId, { ...sum, isEstimated: estimated > 0 }]),
    );
  }

  /**
   * The sum of a filter's calls, in groups, in the order of their keys. Costs time by the days and what was active in
   * them, not by calls; of one session by its calls, which are those that are kept.
   */
  list(by: UsageGroup, filter: UsageFilter): UsageRow[] {
    return filter.sessionId === null ? this.#listDays(by, filter) : this.#listCalls(by, filter);
  }

  #listDays(by: UsageGroup, filter: UsageFilter): UsageRow[] {
    const groups = { day: 'day', agent: 'agent_group_id', model: MODEL_KEY, person: 'user_id', session: 'session_id' };
    const table = by === 'session' ? 'usage_sessions' : 'usage_days';
    const what = `${groups[by]} AS key, ${OF_DAYS} FROM ${table}`;
    return this.#select(`${what} WHERE day >= @firstDay AND day <= @lastDay`, filter);
  }

  #listCalls(by: UsageGroup, filter: UsageFilter): UsageRow[] {
    const key = {
      ...{ day: DAY, agent: 'agent_group_id', model: MODEL_KEY },
      ...{ person: `coalesce(user_id, '')`, session: 'session_id' },
    }[by];
    return this.#select(
      `${key} AS key, ${OF_CALLS} FROM model_calls WHERE at >= @from AND at < @to AND session_id = @session`,
      filter,
    );
  }

  #select(what: string, filter: UsageFilter): UsageRow[] {
    const { firstDay, lastDay, agents, sessionId, people } = filter;
    const agent = agents === null ? '' : 'AND agent_group_id IN (SELECT value FROM json_each(@agents))';
    const person = people === null ? '' : 'AND user_id IN (SELECT value FROM json_each(@people))';
    return this.#db
      .prepare<Record<string, string | number | null>, UsageRow>(
        `SELECT ${what} ${agent} ${person} GROUP BY key ORDER BY key`,
      )
      .all({
        ...{ firstDay, lastDay, session: sessionId },
        from: Date.parse(`${firstDay}T00:00:00Z`),
        to: Date.parse(`${lastDay}T00:00:00Z`) + DAY_MS,
        agents: JSON.stringify(agents),
        people: JSON.stringify(people),
      });
  }

  /**
   * Removes the oldest calls that are older than `before` or beyond `kept` newer ones, and the sums of conversations
   * in days that had ended by then: at most `limit` of each. How many of those of which it was more.
   */
  prune(before: number, kept: number, limit: number): number {
    const calls = this.#db
      .prepare(
        `DELETE FROM model_calls WHERE id IN (SELECT id FROM model_calls ORDER BY id LIMIT ?)
         AND (at < ? OR id <= (SELECT max(id) FROM model_calls) - ?)`,
      )
      .run(limit, before, kept).changes;
    const sums = this.#db
      .prepare(
        `DELETE FROM usage_sessions WHERE (day, session_id, user_id) IN
         (SELECT day, session_id, user_id FROM usage_sessions WHERE day < ? LIMIT ?)`,
      )
      .run(dayOf(before), limit).changes;
    return Math.max(calls, sums);
  }
}

const DAY_MS = 86_400_000;
