/**
 * Every request that reached the gateway; never bodies, headers, queries or secrets. Rows are told to
 * `host/egress/egress-log.ts`, which alone writes them here, many in one commit.
 */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export const EGRESS_KINDS = ['model', 'service', 'http', 'https', 'connect', 'unknown'] as const;
export type EgressKind = (typeof EGRESS_KINDS)[number];
export const EGRESS_OUTCOMES = ['allowed', 'refused', 'failed'] as const;
export type EgressOutcome = (typeof EGRESS_OUTCOMES)[number];

export interface EgressEntry {
  id: number;
  /** Epoch ms at its end. */
  at: number;
  agentGroupId: AgentGroupId;
  sessionId: SessionId;
  kind: EgressKind;
  method: string;
  /** Canonical; empty when the request named none that can be one. */
  host: string;
  /** 0 without a host. */
  port: number;
  /** Without its query; empty for a tunnel. */
  path: string;
  /** That was connected to; null: none was. */
  address: string | null;
  outcome: EgressOutcome;
  /** Of the server outside, or of the refusal; null: none came. */
  status: number | null;
  /** A word of GATEWAY_REFUSALS, or what failed; null when it went well. */
  reason: string | null;
  /** The id of the rule, or the name of the service, that let it through. */
  rule: string | null;
  bytesOut: number;
  bytesIn: number;
  durationMs: number;
  /** Alike and refused within a minute: counted in one row. */
  repeats: number;
}

export type NewEgressEntry = Omit<EgressEntry, 'id'>;

export interface EgressFilter {
  agentGroupId?: AgentGroupId | undefined;
  /** Only these agents: of whom the reader may know. */
  agentGroupIds?: readonly AgentGroupId[] | undefined;
  sessionId?: SessionId | undefined;
  outcome?: EgressOutcome | undefined;
  /** Part of a host or path, in any case. */
  search?: string | undefined;
}

interface Row {
  id: number;
  at: number;
  agent_group_id: string;
  session_id: string;
  kind: EgressKind;
  method: string;
  host: string;
  port: number;
  path: string;
  address: string | null;
  outcome: EgressOutcome;
  status: number | null;
  reason: string | null;
  rule: string | null;
  bytes_out: number;
  bytes_in: number;
  duration_ms: number;
  repeats: number;
}

export class EgressLogStore {
  readonly #db: CentralDb;
  readonly #insert;
  readonly #repeat;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#insert = db.prepare(
      `INSERT INTO egress_log (at, agent_group_id, session_id, kind, method, host, port, path, address, outcome, status,
         reason, rule, bytes_out, bytes_in, duration_ms, repeats)
       VALUES (@at, @agentGroupId, @sessionId, @kind, @method, @host, @port, @path, @address, @outcome, @status,
         @reason, @rule, @bytesOut, @bytesIn, @durationMs, @repeats)`,
    );
    this.#repeat = db.prepare<[number, number, number], Row>(
      'UPDATE egress_log SET repeats = repeats + ?, at = max(at, ?) WHERE id = ? RETURNING *',
    );
  }

  /**
   * One commit. `repeatOf` counts the entry in that row instead of a new one, if it is still there. Returns the rows
   * as they stand, in the order given. Throws what the disk did; then nothing is written.
   */
  append(entries: readonly { entry: NewEgressEntry; repeatOf: number | null }[]): EgressEntry[] {
    return this.#db.transaction(() => entries.map(({ entry, repeatOf }) => this.#appendOne(entry, repeatOf)))();
  }

  #appendOne(entry: NewEgressEntry, repeatOf: number | null): EgressEntry {
    const counted = repeatOf === null ? undefined : this.#repeat.get(entry.repeats, entry.at, repeatOf);
    if (counted !== undefined) return toEntry(counted);
    return { ...entry, id: Number(this.#insert.run(entry).lastInsertRowid) };
  }

  /** Newest first, strictly before the entry with this id. */
  page(filter: EgressFilter, limit: number, before: number | null = null): EgressEntry[] {
    const { where, values } = toCondition(filter);
    return this.#db
      .prepare<Record<string, string | number>, Row>(
        `SELECT * FROM egress_log WHERE id < @before ${where} ORDER BY id DESC LIMIT @limit`,
      )
      .all({ ...values, before: before ?? Number.MAX_SAFE_INTEGER, limit })
      .map(toEntry);
  }

  /** How many there are of each agent: counted once, when the log is opened. */
  countByAgent(): Map<string, number> {
    const rows = this.#db
      .prepare<[], { agent: string; n: number }>(
        'SELECT agent_group_id AS agent, count(*) AS n FROM egress_log GROUP BY agent_group_id',
      )
      .all();
    return new Map(rows.map(({ agent, n }) => [agent, n]));
  }

  /** Removes entries older than `before` (epoch ms), oldest first, `limit` at most; returns whose they were. */
  forgetOlder(before: number, limit: number): string[] {
    // By index `egress_log_age`: mostly there are none, and all rows would be looked at.
    return this.#forget('at < @before ORDER BY at', { before, limit });
  }

  /** Removes the oldest entries of the agent, `limit` at most; returns whose they were. */
  forgetOldestOf(agentGroupId: string, limit: number): string[] {
    return this.#forget('agent_group_id = @agentGroupId ORDER BY id', { agentGroupId, limit });
  }

  #forget(which: string, values: Record<string, string | number>): string[] {
    return this.#db
      .prepare<Record<string, string | number>>(
        `DELETE FROM egress_log WHERE id IN (SELECT id FROM egress_log WHERE ${which} LIMIT @limit)
         RETURNING agent_group_id`,
      )
      .pluck()
      .all(values)
      .map(String);
  }
}

function toCondition(filter: EgressFilter): { where: string; values: Record<string, string> } {
  const parts: string[] = [];
  const values: Record<string, string> = {};
  const take = (name: string, value: string | undefined, sql: string) => {
    if (value === undefined) return;
    parts.push(`AND ${sql}`);
    values[name] = value;
  };
  take('agent', filter.agentGroupId, 'agent_group_id = @agent');
  const agents = filter.agentGroupIds === undefined ? undefined : JSON.stringify(filter.agentGroupIds);
  take('agents', agents, 'agent_group_id IN (SELECT value FROM json_each(@agents))');
  take('session', filter.sessionId, 'session_id = @session');
  take('outcome', filter.outcome, 'outcome = @outcome');
  take('search', filter.search?.toLowerCase(), 'instr(lower(host || path), @search) > 0');
  return { where: parts.join(' '), values };
}

function toEntry(row: Row): EgressEntry {
  return {
    id: row.id,
    at: row.at,
    // The columns hold what `append` was given.
    agentGroupId: row.agent_group_id as AgentGroupId,
    sessionId: row.session_id as SessionId,
    kind: row.kind,
    method: row.method,
    host: row.host,
    port: row.port,
    path: row.path,
    address: row.address,
    outcome: row.outcome,
    status: row.status,
    reason: row.reason,
    rule: row.rule,
    bytesOut: row.bytes_out,
    bytesIn: row.bytes_in,
    durationMs: row.duration_ms,
    repeats: row.repeats,
  };
}
