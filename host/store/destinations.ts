/**
 * Destinations: `(agent group, local name) → channel or agent`, both the name map and the access list.
 *
 * I1. A name that a destination had before a rename goes on finding it, so that answers under way arrive.
 * I2. A current name wins over a former one; giving the name to another destination ends the former use.
 * I3. Nothing takes over a former name by itself: a name that the host makes up is one that nobody had.
 * I4. Each change and its entry in the ledger are one commit.
 */
import { randomBytes } from 'node:crypto';
import type { AgentGroupId } from '../../shared/ids.ts';
import { LOCAL_NAME } from '../../shared/protocol.ts';
import type { CentralDb } from './database.ts';
import { type Cause, hostCause, Ledger, type LedgerDetail } from './ledger.ts';

export interface DestinationRow {
  /** Never changes, through renames too. */
  id: string;
  agentGroupId: AgentGroupId;
  localName: string;
  targetType: 'channel' | 'agent';
  /** A messaging group's or an agent group's id, by `targetType`. */
  targetId: string;
  createdAt: number;
  revision: number;
}

interface Row {
  id: string;
  agent_group_id: string;
  local_name: string;
  target_type: 'channel' | 'agent';
  target_id: string;
  created_at: number;
  revision: number;
}

/** Former names kept of one destination, the newest. Higher: charts grow with each rename. Lower: answers under way are lost. */
export const MAX_FORMER_NAMES = 20;

export class DestinationStore {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #find;
  readonly #findFormer;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#find = db.prepare<[string, string], Row>(
      'SELECT * FROM agent_destinations WHERE agent_group_id = ? AND local_name = ?',
    );
    this.#findFormer = db.prepare<[string, string], Row>(
      `SELECT d.* FROM former_destination_names f JOIN agent_destinations d ON d.id = f.destination_id
       WHERE f.agent_group_id = ? AND f.former_name = ?`,
    );
  }

  /** Null when the name is taken by this agent. Throws RangeError when it is not a local name. */
  add(input: {
    agentGroupId: AgentGroupId;
    localName: string;
    targetType: 'channel' | 'agent';
    targetId: string;
    now: number;
    cause?: Omit<Cause, 'at'>;
  }): DestinationRow | null {
    if (!LOCAL_NAME.test(input.localName)) throw new RangeError(`not a local name: ${input.localName}`);
    const id = `dst_${randomBytes(10).toString('hex')}`;
    return this.#db.transaction(() => {
      const made = this.#db
        .prepare(
          `INSERT INTO agent_destinations (id, agent_group_id, local_name, target_type, target_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent_group_id, local_name) DO NOTHING`,
        )
        .run(id, input.agentGroupId, input.localName, input.targetType, input.targetId, input.now);
      if (made.changes === 0) return null;
      this.#endFormerUse(input.agentGroupId, input.localName);
      const row = this.#require(id);
      this.#record('created', row, { by: null, ...input.cause, at: input.now });
      return row;
    })();
  }

  /** Adds under a name made from `wanted`, with `-2`, `-3`… when it is or was another's (I3); keeps a destination that exists for the target. */
  ensureFor(input: {
    agentGroupId: AgentGroupId;
    wanted: string;
    targetType: 'channel' | 'agent';
    targetId: string;
    now: number;
    cause?: Omit<Cause, 'at'>;
  }): DestinationRow {
    const known = this.findByTarget(input.agentGroupId, input.targetType, input.targetId);
    if (known !== null) return known;
    const base = toLocalName(input.wanted);
    for (let number = 1; ; number++) {
      const localName = number === 1 ? base : `${base}-${number}`;
      const made = this.find(input.agentGroupId, localName) === null ? this.add({ ...input, localName }) : null;
      if (made !== null) return made;
    }
  }

  get(id: string): DestinationRow | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM agent_destinations WHERE id = ?').get(id);
    return row === undefined ? null : toDestination(row);
  }

  /** By its current name, else by a former one (I1, I2). */
  find(agentGroupId: AgentGroupId, localName: string): DestinationRow | null {
    const row = this.#find.get(agentGroupId, localName) ?? this.#findFormer.get(agentGroupId, localName);
    return row === undefined ? null : toDestination(row);
  }

  findByTarget(agentGroupId: AgentGroupId, targetType: 'channel' | 'agent', targetId: string): DestinationRow | null {
    const row = this.#db
      .prepare<[string, string, string], Row>(
        `SELECT * FROM agent_destinations WHERE target_type = ? AND target_id = ? AND agent_group_id = ?
         ORDER BY created_at, local_name LIMIT 1`,
      )
      .get(targetType, targetId, agentGroupId);
    return row === undefined ? null : toDestination(row);
  }

  listFor(agentGroupId: AgentGroupId): DestinationRow[] {
    return this.#db
      .prepare<[string], Row>('SELECT * FROM agent_destinations WHERE agent_group_id = ? ORDER BY local_name')
      .all(agentGroupId)
      .map(toDestination);
  }

  /** What this agent's destinations were called before, newest first, by destination id. */
  listFormerNames(agentGroupId: AgentGroupId): Map<string, string[]> {
    const names = new Map<string, string[]>();
    const rows = this.#db
      .prepare<[string], { destination_id: string; former_name: string }>(
        `SELECT destination_id, former_name FROM former_destination_names WHERE agent_group_id = ?
         ORDER BY renamed_at DESC, former_name`,
      )
      .all(agentGroupId);
    for (const row of rows) names.set(row.destination_id, [...(names.get(row.destination_id) ?? []), row.former_name]);
    return names;
  }

  /** The old name goes on finding it (I1). Null when the revision no longer holds; 'taken' when the agent has that name already. */
  rename(
    id: string,
    revision: number,
    localName: string,
    now: number,
    by: string | null = null,
  ): DestinationRow | 'taken' | null {
    if (!LOCAL_NAME.test(localName)) throw new RangeError(`not a local name: ${localName}`);
    return this.#db.transaction(() => {
      const current = this.get(id);
      if (current === null || current.revision !== revision) return null;
      if (current.localName === localName) return current;
      if (this.#find.get(current.agentGroupId, localName) !== undefined) return 'taken';
      this.#endFormerUse(current.agentGroupId, localName);
      this.#db
        .prepare('UPDATE agent_destinations SET local_name = ?, revision = revision + 1 WHERE id = ?')
        .run(localName, id);
      this.#keepFormerName(current, now);
      const renamed = this.#require(id);
      this.#record('renamed', renamed, { by, at: now }, { before: current.localName });
      return renamed;
    })();
  }

  #keepFormerName({ id, agentGroupId, localName }: DestinationRow, now: number): void {
    this.#db
      .prepare(
        `INSERT INTO former_destination_names (agent_group_id, former_name, destination_id, renamed_at)
         VALUES (?, ?, ?, ?)`,
      )
      .run(agentGroupId, localName, id, now);
    this.#db
      .prepare(
        `DELETE FROM former_destination_names WHERE rowid IN
           (SELECT rowid FROM former_destination_names WHERE destination_id = ?
            ORDER BY renamed_at DESC, rowid DESC LIMIT -1 OFFSET ${MAX_FORMER_NAMES})`,
      )
      .run(id);
  }

  #endFormerUse(agentGroupId: AgentGroupId, localName: string): void {
    this.#db
      .prepare('DELETE FROM former_destination_names WHERE agent_group_id = ? AND former_name = ?')
      .run(agentGroupId, localName);
  }

  /** Everything from and to this agent. Returns the agents whose destinations it was. */
  removeAllOf(agentGroupId: AgentGroupId, cause: Cause = hostCause()): AgentGroupId[] {
    return this.#db.transaction(() => {
      const own = this.#db
        .prepare<[string], Row>('DELETE FROM agent_destinations WHERE agent_group_id = ? RETURNING *')
        .all(agentGroupId);
      const pointing = this.#db
        .prepare<[string], Row>(
          `DELETE FROM agent_destinations WHERE target_type = 'agent' AND target_id = ? RETURNING *`,
        )
        .all(agentGroupId);
      for (const row of [...own, ...pointing]) this.#record('removed', toDestination(row), cause);
      return [...new Set(pointing.map((row) => row.agent_group_id as AgentGroupId))];
    })();
  }

  /** Whether a row with this revision was removed, its former names with it. */
  remove(id: string, revision: number, cause: Cause = hostCause()): boolean {
    return this.#db.transaction(() => {
      const row = this.#db
        .prepare<[string, number], Row>('DELETE FROM agent_destinations WHERE id = ? AND revision = ? RETURNING *')
        .get(id, revision);
      if (row !== undefined) this.#record('removed', toDestination(row), cause);
      return row !== undefined;
    })();
  }

  #require(id: string): DestinationRow {
    const row = this.get(id);
    if (row === null) throw new Error('a destination vanished within its own commit');
    return row;
  }

  /** I4 */
  #record(what: 'created' | 'renamed' | 'removed', row: DestinationRow, cause: Cause, more: LedgerDetail = {}): void {
    const { id, agentGroupId: agent, localName: name, targetType: type, targetId: target } = row;
    const detail = { agent, name, type, target, ...more, ...cause.because };
    this.#ledger.append(
      { kind: `destination.${what}`, sessionId: null, messageId: id, actor: cause.by, detail },
      cause.at,
    );
  }
}

/** A chat's or agent's name as a local name; the same rule as migration 004. */
function toLocalName(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 56)
    .replace(/-+$/, '');
  return slug === '' ? 'chat' : slug;
}

function toDestination(row: Row): DestinationRow {
  return {
    id: row.id,
    agentGroupId: row.agent_group_id as AgentGroupId,
    localName: row.local_name,
    targetType: row.target_type,
    targetId: row.target_id,
    createdAt: row.created_at,
    revision: row.revision,
  };
}
