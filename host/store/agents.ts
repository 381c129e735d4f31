/** Agent groups and their container configs. */
import type { AgentGroupId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface AgentGroup {
  id: AgentGroupId;
  name: string;
  /** Folder under groups/: one path component, unique without regard to case. */
  folder: string;
  isAdmin: boolean;
  createdAt: number;
  /** Rises with a change of the group or of its config. */
  revision: number;
  config: ContainerConfig;
}

export interface ContainerConfig {
  provider: string;
  model: string | null;
  timezone: string;
  network: 'none' | 'bridge';
  resources: { memoryMb?: number; cpus?: number; pids?: number };
  /** Null means the newest agent image. */
  image: string | null;
  revision: number;
}

interface Row {
  id: string;
  name: string;
  folder: string;
  is_admin: number;
  created_at: number;
  revision: number;
  provider: string;
  model: string | null;
  timezone: string;
  network: 'none' | 'bridge';
  resources: string;
  image: string | null;
  config_revision: number;
}

const SELECT = `
SELECT g.id, g.name, g.folder, g.is_admin, g.created_at, g.revision,
       c.provider, c.model, c.timezone, c.network, c.resources, c.image, c.revision AS config_revision
FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id
WHERE g.archived_at IS NULL`;

export interface AgentGroupPatch {
  name?: string;
  provider?: string;
  model?: string | null;
  timezone?: string;
}

export class AgentStore {
  readonly #db: CentralDb;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string], Row>(`${SELECT} AND g.id = ?`);
  }

  /** `folder` must already be a safe single path component. */
  create(input: {
    name: string;
    folder: string;
    isAdmin?: boolean;
    provider?: string;
    model?: string | null;
    timezone?: string;
    now: number;
  }): AgentGroup {
    const id = makeId('agentGroup', input.now);
    this.#db.transaction(() => {
      this.#db
        .prepare('INSERT INTO agent_groups (id, name, folder, is_admin, created_at) VALUES (?, ?, ?, ?, ?)')
        .run(id, input.name, input.folder, input.isAdmin ? 1 : 0, input.now);
      this.#db
        .prepare('INSERT INTO container_configs (agent_group_id, provider, model, timezone) VALUES (?, ?, ?, ?)')
        .run(id, input.provider ?? 'demo', input.model ?? null, input.timezone ?? 'UTC');
    })();
    const made = this.get(id);
    if (made === null) throw new Error('the agent group vanished');
    return made;
  }

  get(id: AgentGroupId): AgentGroup | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toAgentGroup(row);
  }

  findByName(name: string): AgentGroup | null {
    const row = this.#db.prepare<[string], Row>(`${SELECT} AND g.name = ? COLLATE NOCASE`).get(name);
    return row === undefined ? null : toAgentGroup(row);
  }

  folderTaken(folder: string): boolean {
    return this.#db.prepare('SELECT 1 FROM agent_groups WHERE folder = ?').get(folder) !== undefined;
  }

  /** Oldest first, after `cursor` (an id). */
  list(limit: number, cursor: string | null = null): AgentGroup[] {
    return this.#db
      .prepare<[string, number], Row>(`${SELECT} AND g.id > ? ORDER BY g.id LIMIT ?`)
      .all(cursor ?? '', limit)
      .map(toAgentGroup);
  }

  /** Changes what the patch names if the revision still holds. Null when it does not, or the group is gone. */
  update(id: AgentGroupId, revision: number, patch: AgentGroupPatch): AgentGroup | null {
    const changed = this.#db.transaction(() => {
      const held = this.#db
        .prepare(
          'UPDATE agent_groups SET revision = revision + 1, name = coalesce(?, name) WHERE id = ? AND revision = ? AND archived_at IS NULL',
        )
        .run(patch.name ?? null, id, revision);
      if (held.changes === 0) return false;
      this.#db
        .prepare(
          `UPDATE container_configs SET revision = revision + 1, provider = coalesce(?, provider),
             model = CASE WHEN ? THEN ? ELSE model END, timezone = coalesce(?, timezone) WHERE agent_group_id = ?`,
        )
        .run(
          patch.provider ?? null,
          patch.model === undefined ? 0 : 1,
          patch.model ?? null,
          patch.timezone ?? null,
          id,
        );
      return true;
    })();
    return changed ? this.get(id) : null;
  }
}

function toAgentGroup(row: Row): AgentGroup {
  return {
    id: row.id as AgentGroupId,
    name: row.name,
    folder: row.folder,
    isAdmin: row.is_admin === 1,
    createdAt: row.created_at,
    revision: row.revision,
    config: {
      provider: row.provider,
      model: row.model,
      timezone: row.timezone,
      network: row.network,
      resources: JSON.parse(row.resources),
      image: row.image,
      revision: row.config_revision,
    },
  };
}
