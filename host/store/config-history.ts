/** Every config that an agent had, the present one included. Rows are appended, and never changed. */
import type { AgentGroupId, ApprovalId } from '../../shared/ids.ts';
import type { ConfigContent } from './agents.ts';
import type { CentralDb } from './database.ts';

/** By whom, and why. */
export interface ConfigChangeNote {
  /** A user id, an agent's id, or `host`. */
  by: string;
  /** The approval that this change carries out: it does so once. */
  approvalId: ApprovalId | null;
  reason: string;
}

export interface ConfigRevision extends ConfigChangeNote {
  agentGroupId: AgentGroupId;
  revision: number;
  content: ConfigContent;
  at: number;
}

interface Row {
  agent_group_id: string;
  revision: number;
  config: string;
  changed_by: string;
  approval_id: string | null;
  reason: string;
  changed_at: number;
}

export class ConfigHistoryStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** In the transaction that changes the config. */
  append(change: ConfigRevision): void {
    this.#db
      .prepare(
        `INSERT INTO container_config_history
           (agent_group_id, revision, config, changed_by, approval_id, reason, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        change.agentGroupId,
        change.revision,
        JSON.stringify(change.content),
        change.by,
        change.approvalId,
        change.reason,
        change.at,
      );
  }

  get(id: AgentGroupId, revision: number): ConfigRevision | null {
    const row = this.#db
      .prepare<[string, number], Row>(
        'SELECT * FROM container_config_history WHERE agent_group_id = ? AND revision = ?',
      )
      .get(id, revision);
    return row === undefined ? null : toRevision(row);
  }

  /** The newest strictly before this one: revisions may have gaps. */
  before(id: AgentGroupId, revision: number): ConfigRevision | null {
    return this.list(id, 1, revision)[0] ?? null;
  }

  /** What this approval made of a config; null while it made nothing. From a unique index. */
  findByApproval(approvalId: ApprovalId): ConfigRevision | null {
    const row = this.#db
      .prepare<[string], Row>('SELECT * FROM container_config_history WHERE approval_id = ?')
      .get(approvalId);
    return row === undefined ? null : toRevision(row);
  }

  /** Newest first, strictly before this revision. */
  list(id: AgentGroupId, limit: number, before: number | null = null): ConfigRevision[] {
    return this.#db
      .prepare<[string, number, number], Row>(
        `SELECT * FROM container_config_history WHERE agent_group_id = ? AND revision < ?
         ORDER BY revision DESC LIMIT ?`,
      )
      .all(id, before ?? Number.MAX_SAFE_INTEGER, limit)
      .map(toRevision);
  }
}

/** Of earlier versions: without a service and an effort, and with a network that containers no longer have. */
function readContent({ network: _, ...kept }: ConfigContent & { network?: string }): ConfigContent {
  return { ...kept, service: kept.service ?? null, effort: kept.effort ?? null };
}

function toRevision(row: Row): ConfigRevision {
  return {
    // The columns hold what `append` was given.
    agentGroupId: row.agent_group_id as AgentGroupId,
    revision: row.revision,
    content: readContent(JSON.parse(row.config)),
    by: row.changed_by,
    approvalId: row.approval_id as ApprovalId | null,
    reason: row.reason,
    at: row.changed_at,
  };
}
