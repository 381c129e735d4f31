/** Builds of agents' own images. */
import type { AgentGroupId, ApprovalId, ImageBuildId } from '../../shared/ids.ts';
import type { Packages } from '../../shared/packages.ts';
import type { CentralDb } from './database.ts';

export const BUILD_STATES = ['queued', 'building', 'built', 'failed'] as const;
export type BuildState = (typeof BUILD_STATES)[number];

/** Times are epoch ms. */
export interface ImageBuild {
  id: ImageBuildId;
  agentGroupId: AgentGroupId;
  /** The approval that asked for it; null: the host itself, or a person. */
  approvalId: ApprovalId | null;
  image: string;
  packages: Packages;
  state: BuildState;
  /** The last lines of its log, when it failed. */
  failure: string | null;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
}

interface Row {
  id: string;
  agent_group_id: string;
  approval_id: string | null;
  image: string;
  packages: string;
  state: BuildState;
  failure: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export class ImageBuildStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** One that is there already stays as it is. */
  insert(build: Pick<ImageBuild, 'id' | 'agentGroupId' | 'approvalId' | 'image' | 'packages' | 'createdAt'>): void {
    const { id, agentGroupId, approvalId, image, packages, createdAt } = build;
    this.#db
      .prepare(
        `INSERT INTO image_builds (id, agent_group_id, approval_id, image, packages, state, created_at)
         VALUES (?, ?, ?, ?, ?, 'queued', ?) ON CONFLICT (id) DO NOTHING`,
      )
      .run(id, agentGroupId, approvalId, image, JSON.stringify(packages), createdAt);
  }

  begin(id: ImageBuildId, now: number): void {
    this.#db
      .prepare(
        `UPDATE image_builds SET state = 'building', started_at = ? WHERE id = ? AND state IN ('queued', 'building')`,
      )
      .run(now, id);
  }

  /** Whether it was open until now. */
  end(id: ImageBuildId, outcome: { kind: 'built' } | { kind: 'failed'; failure: string }, now: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE image_builds SET state = ?, failure = ?, started_at = coalesce(started_at, ?), ended_at = ?
           WHERE id = ? AND state IN ('queued', 'building')`,
        )
        .run(outcome.kind, outcome.kind === 'failed' ? outcome.failure : null, now, now, id).changes > 0
    );
  }

  get(id: ImageBuildId): ImageBuild | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM image_builds WHERE id = ?').get(id);
    return row === undefined ? null : toBuild(row);
  }

  /** Those that have not ended, oldest first; from an index. */
  listOpen(): ImageBuild[] {
    return this.#db
      .prepare<[], Row>(`SELECT * FROM image_builds WHERE state IN ('queued', 'building') ORDER BY created_at, id`)
      .all()
      .map(toBuild);
  }

  /** Newest first, strictly before the one with this id. */
  listOfAgent(agentGroupId: AgentGroupId, limit: number, before: ImageBuildId | null = null): ImageBuild[] {
    const from = before === null ? null : this.get(before);
    return this.#db
      .prepare<[string, number, number, string, number], Row>(
        `SELECT * FROM image_builds
         WHERE agent_group_id = ? AND (created_at < ? OR (created_at = ? AND id < ?))
         ORDER BY created_at DESC, id DESC LIMIT ?`,
      )
      .all(
        agentGroupId,
        from?.createdAt ?? Number.MAX_SAFE_INTEGER,
        from?.createdAt ?? Number.MAX_SAFE_INTEGER,
        from?.id ?? '',
        limit,
      )
      .map(toBuild);
  }

  /** Images that were built for the agent, newest first, each once. */
  listImages(agentGroupId: AgentGroupId): string[] {
    return this.#db
      .prepare<[string], { image: string }>(
        `SELECT image FROM image_builds WHERE agent_group_id = ? AND state = 'built'
         GROUP BY image ORDER BY max(created_at) DESC`,
      )
      .all(agentGroupId)
      .map(({ image }) => image);
  }

  /** Agents for which something was ever built. */
  listAgents(): AgentGroupId[] {
    return (
      this.#db
        .prepare('SELECT DISTINCT agent_group_id FROM image_builds')
        .pluck()
        .all()
        // The column holds what `insert` was given.
        .map((id) => id as AgentGroupId)
    );
  }

  /** Forgets ended builds of the agent beyond the newest `keep`; returns their ids. */
  prune(agentGroupId: AgentGroupId, keep: number): ImageBuildId[] {
    return this.#db
      .prepare(
        `DELETE FROM image_builds WHERE agent_group_id = ? AND ended_at IS NOT NULL AND id NOT IN (
           SELECT id FROM image_builds WHERE agent_group_id = ? ORDER BY created_at DESC, id DESC LIMIT ?)
         RETURNING id`,
      )
      .pluck()
      .all(agentGroupId, agentGroupId, keep)
      .map((id) => id as ImageBuildId);
  }
}

function toBuild(row: Row): ImageBuild {
  return {
    // The columns hold what `insert` was given.
    id: row.id as ImageBuildId,
    agentGroupId: row.agent_group_id as AgentGroupId,
    approvalId: row.approval_id as ApprovalId | null,
    image: row.image,
    packages: JSON.parse(row.packages),
    state: row.state,
    failure: row.failure,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
