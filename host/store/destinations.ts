/** Destinations: `(agent group, local name) → channel or agent`, both the name map and the access list. */
import { randomBytes } from 'node:crypto';
import type { AgentGroupId } from '../../shared/ids.ts';
import { LOCAL_NAME } from '../../shared/protocol.ts';
import type { CentralDb } from './database.ts';

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

export class DestinationStore {
  readonly #db: CentralDb;
  readonly #find;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#find = db.prepare<[string, string], Row>(
      'SELECT * FROM agent_destinations WHERE agent_group_id = ? AND local_name = ?',
    );
  }

  /** Null when the name is taken by this agent. Throws RangeError when it is not a local name. */
  add(input: {
    agentGroupId: AgentGroupId;
    localName: string;
    targetType: 'channel' | 'agent';
    targetId: string;
    now: number;
  }): DestinationRow | null {
    if (!LOCAL_NAME.test(input.localName)) throw new RangeError(`not a local name: ${input.localName}`);
    const id = `dst_${randomBytes(10).toString('hex')}`;
    const made = this.#db
      .prepare(
        `INSERT INTO agent_destinations (id, agent_group_id, local_name, target_type, target_id, created_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent_group_id, local_name) DO NOTHING`,
      )
      .run(id, input.agentGroupId, input.localName, input.targetType, input.targetId, input.now);
    return made.changes === 0 ? null : this.get(id);
  }

  /** Adds under a name made from `wanted`, with `-2`, `-3`… when taken; keeps a destination that exists for the target. */
  ensureFor(input: {
    agentGroupId: AgentGroupId;
    wanted: string;
    targetType: 'channel' | 'agent';
    targetId: string;
    now: number;
  }): DestinationRow {
    const known = this.findByTarget(input.agentGroupId, input.targetType, input.targetId);
    if (known !== null) return known;
    const base = toLocalName(input.wanted);
    for (let number = 1; ; number++) {
      const localName = number === 1 ? base : `${base}-${number}`;
      const made = this.add({ ...input, localName });
      if (made !== null) return made;
    }
  }

  get(id: string): DestinationRow | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM agent_destinations WHERE id = ?').get(id);
    return row === undefined ? null : toDestination(row);
  }

  find(agentGroupId: AgentGroupId, localName: string): DestinationRow | null {
    const row = this.#find.get(agentGroupId, localName);
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

  /** Null when the revision no longer holds; 'taken' when the agent has that name already. */
  rename(id: string, revision: number, localName: string): DestinationRow | 'taken' | null {
    if (!LOCAL_NAME.test(localName)) throw new RangeError(`not a local name: ${localName}`);
    return this.#db.transaction(() => {
      const current = this.get(id);
      if (current === null || current.revision !== revision) return null;
      const other = this.find(current.agentGroupId, localName);
      if (other !== null && other.id !== id) return 'taken';
      this.#db
        .prepare('UPDATE agent_destinations SET local_name = ?, revision = revision + 1 WHERE id = ?')
        .run(localName, id);
      return this.get(id);
    })();
  }

  /** Whether a row with this revision was removed. */
  remove(id: string, revision: number): boolean {
    return (
      this.#db.prepare('DELETE FROM agent_destinations WHERE id = ? AND revision = ?').run(id, revision).changes > 0
    );
  }
}

/** A chat's or agent's name as a local name; the same rule as migration 004. */
export function toLocalName(name: string): string {
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
