/**
 * Every request that reached the gateway, told once, at its end. Rows are committed together, so that a busy gateway
 * costs a few commits a second.
 *
 * I1. Memory is bounded: while the disk takes none the newest are dropped beyond it, counted, and the count is told and
 *     logged: that it begins, and how many it were when there is room again, or at the end.
 * I2. A session cannot push its own traces or others' out: what is refused alike is counted in one row, a session's
 *     refusals beyond some name no place any more, and an agent's share of the log is bounded before the whole is.
 * I3. Listeners hear rows after their commit.
 */
import { toDiskFault } from '../config/errors.ts';
import { egressLog } from '../observe/logger.ts';
import type { EgressEntry, EgressLogStore, NewEgressEntry } from '../store/egress-log.ts';

export interface EgressLogBounds {
  /** Higher: the tail lags, and a crash loses more. Lower: more commits. */
  flushMs: number;
  /** Rows of one commit. Higher: it stalls others (10 µs each). */
  batchRows: number;
  /** Rows in memory while the disk takes none. */
  maxPending: number;
  /** Refusals alike within this are one row. Higher: less is known of when. Lower: a loop fills the log. */
  repeatMs: number;
  /** Different refusals of one session in that time that name their place. Higher: a flood fills its share. Lower: a search for open doors is told in less detail. */
  distinctRefusals: number;
  /** Age and number of what is kept; an agent's share comes first. Higher: disk (200 bytes each). Lower: less of the past. */
  keptMs: number;
  keptRows: number;
  keptRowsPerAgent: number;
  /** Removed at once at most. Higher: a commit takes longer. Lower: a flood is faster. */
  pruneRows: number;
  pruneEveryMs: number;
  /** Before the next try to write, when the disk took nothing. Higher: rows are told late. Lower: busy work. */
  retryMs: number;
}

const DEFAULT_BOUNDS: EgressLogBounds = {
  flushMs: 200,
  batchRows: 500,
  maxPending: 10_000,
  repeatMs: 60_000,
  distinctRefusals: 100,
  keptMs: 30 * 24 * 3_600_000,
  keptRows: 200_000,
  keptRowsPerAgent: 50_000,
  pruneRows: 1_000,
  pruneEveryMs: 3_600_000,
  retryMs: 1_000,
};

/** A row as it stands, and how many requests were just counted in it. */
export type EgressListener = (entry: EgressEntry, added: number) => void;

interface Refused {
  /** Null until it is committed. */
  rowId: number | null;
  since: number;
}

export class EgressLog implements Disposable {
  readonly #store: EgressLogStore;
  readonly #bounds: EgressLogBounds;
  readonly #now: () => number;
  readonly #listeners = new Set<EgressListener>();
  #pending: { entry: NewEgressEntry; key: string | null }[] = [];
  /** Of `#pending`, by key: where more of the same are counted. */
  #pendingRefusals = new Map<string, NewEgressEntry>();
  /** By session, then by key: refusals of the last while. */
  readonly #recent = new Map<string, Map<string, Refused>>();
  readonly #rows: Map<string, number>;
  #timer: NodeJS.Timeout | null = null;
  #prunedAt: number;
  #dropped = 0;
  /** Of `#dropped`: those whose number stands in the host's log. */
  #droppedSaid = 0;
  #isFailing = false;
  #isClosed = false;

  constructor(store: EgressLogStore, now: () => number, bounds: Partial<EgressLogBounds> = {}) {
    this.#store = store;
    this.#bounds = { ...DEFAULT_BOUNDS, ...bounds };
    this.#now = now;
    this.#rows = store.countByAgent();
    this.#prunedAt = -Infinity;
  }

  /** Requests that could not be recorded since the host started. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Rows that are not committed yet. */
  get waiting(): number {
    return this.#pending.length;
  }

  add(entry: NewEgressEntry): void {
    if (this.#isClosed) return;
    const { told, key } = entry.outcome === 'refused' ? this.#fold(entry) : { told: entry, key: null };
    const same = key === null ? undefined : this.#pendingRefusals.get(key);
    if (same !== undefined) {
      same.repeats += told.repeats;
      same.at = told.at;
    } else if (this.#pending.length >= this.#bounds.maxPending) {
      this.#drop(told.repeats);
    } else {
      const row = { ...told };
      this.#pending.push({ entry: row, key });
      if (key !== null) this.#pendingRefusals.set(key, row);
    }
    this.#schedule(this.#pending.length === this.#bounds.batchRows ? 0 : this.#bounds.flushMs);
  }

  /** I3. Returns the way to stop. */
  onRow(listener: EgressListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    while (this.#pending.length > 0 && this.#flush());
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#sayDropped();
    if (this.#pending.length > 0) egressLog.error({ rows: this.#pending.length }, 'the egress log was cut by the end');
  }

  /** I1 */
  #drop(requests: number): void {
    if (this.#dropped === this.#droppedSaid) {
      egressLog.error({ waiting: this.#pending.length }, 'the egress log has no room: requests go unrecorded');
    }
    this.#dropped += requests;
  }

  /** I1 */
  #sayDropped(): void {
    const requests = this.#dropped - this.#droppedSaid;
    if (requests > 0) egressLog.error({ requests }, 'requests went unrecorded in the egress log');
    this.#droppedSaid = this.#dropped;
  }

  /** I2: past its share a session's refusal keeps its reason and loses its place. */
  #fold(entry: NewEgressEntry): { told: NewEgressEntry; key: string } {
    const recent = this.#recentOf(entry.sessionId);
    const hasRoom = recent.size < this.#bounds.distinctRefusals || recent.has(keyOf(entry));
    const told: NewEgressEntry = hasRoom
      ? entry
      : { ...entry, kind: 'unknown', method: '', host: '', port: 0, path: '', rule: null };
    const key = keyOf(told);
    if (!recent.has(key)) recent.set(key, { rowId: null, since: this.#now() });
    return { told, key };
  }

  #recentOf(sessionId: string): Map<string, Refused> {
    const known = this.#recent.get(sessionId);
    const recent = known ?? new Map<string, Refused>();
    if (known === undefined) this.#recent.set(sessionId, recent);
    const old = this.#now() - this.#bounds.repeatMs;
    // Oldest first, as they came.
    for (const [key, { since }] of recent) {
      if (since > old) break;
      recent.delete(key);
    }
    return recent;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null && (delayMs > 0 || this.#isFailing)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
      if (this.#pending.length > 0) this.#schedule(this.#isFailing ? this.#bounds.retryMs : this.#bounds.flushMs);
    }, delayMs);
    this.#timer.unref();
  }

  /** Whether it could. */
  #flush(): boolean {
    const batch = this.#pending.slice(0, this.#bounds.batchRows);
    if (batch.length === 0) return true;
    let rows: EgressEntry[];
    try {
      rows = this.#store.append(batch.map(({ entry, key }) => ({ entry, repeatOf: this.#repeatOf(entry, key) })));
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      if (!this.#isFailing) egressLog.warn({ err: fault }, 'the egress log cannot be written');
      this.#isFailing = true;
      return false;
    }
    if (this.#isFailing) egressLog.info({}, 'the egress log is written again');
    this.#isFailing = false;
    this.#pending = this.#pending.slice(batch.length);
    this.#sayDropped();
    for (const [at, row] of rows.entries()) {
      const told = batch[at];
      if (told !== undefined) this.#committed(row, told);
    }
    this.#prune();
    return true;
  }

  #repeatOf(entry: NewEgressEntry, key: string | null): number | null {
    return key === null ? null : (this.#recentOf(entry.sessionId).get(key)?.rowId ?? null);
  }

  #committed(row: EgressEntry, { entry, key }: { entry: NewEgressEntry; key: string | null }): void {
    if (key !== null) {
      this.#pendingRefusals.delete(key);
      const recent = this.#recentOf(row.sessionId).get(key);
      if (recent !== undefined) recent.rowId = row.id;
    }
    if (row.repeats === entry.repeats) this.#rows.set(row.agentGroupId, (this.#rows.get(row.agentGroupId) ?? 0) + 1);
    for (const listener of this.#listeners) listener(row, entry.repeats);
  }

  /** I2: each agent's share first, then the whole, a step at a time; and by age, now and then. */
  #prune(): void {
    const { keptRows, keptRowsPerAgent, pruneRows, keptMs, pruneEveryMs } = this.#bounds;
    const now = this.#now();
    let whole = 0;
    let most: [agent: string, rows: number] = ['', 0];
    for (const [agent, rows] of this.#rows) {
      whole += rows;
      if (rows > most[1]) most = [agent, rows];
    }
    if (most[1] > keptRowsPerAgent + pruneRows || whole > keptRows + pruneRows) {
      this.#forget(() => this.#store.forgetOldestOf(most[0], pruneRows));
    }
    if (now - this.#prunedAt < pruneEveryMs) return;
    const gone = this.#forget(() => this.#store.forgetOlder(now - keptMs, pruneRows));
    // Sessions that were refused nothing of late are forgotten too.
    for (const id of this.#recent.keys()) if (this.#recentOf(id).size === 0) this.#recent.delete(id);
    if (gone < pruneRows) this.#prunedAt = now;
  }

  #forget(remove: () => string[]): number {
    try {
      const agents = remove();
      for (const agent of agents) this.#rows.set(agent, (this.#rows.get(agent) ?? 1) - 1);
      return agents.length;
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      egressLog.warn({ err: fault }, 'the egress log cannot be pruned');
      return 0;
    }
  }
}

function keyOf({ agentGroupId, sessionId, kind, method, host, port, path, reason, status }: NewEgressEntry): string {
  return JSON.stringify([agentGroupId, sessionId, kind, method, host, port, path, reason, status]);
}
