/** What agents may reach. No row, no way out (I11). */
import { type AccessRuleId, type AgentGroupId, type ApprovalId, makeId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface AccessRule {
  id: AccessRuleId;
  agentGroupId: AgentGroupId;
  /** Canonical, or `*.` and a name for those below it. Exactly one of `host` and `service` is there. */
  host: string | null;
  service: string | null;
  /** Null for a service. */
  port: number | null;
  /** Upper case; null: all. */
  methods: readonly string[] | null;
  /** Begins with a slash; ends at a segment's end. Null: all. */
  pathPrefix: string | null;
  /** An owner said that it lies on this machine or network. */
  isPrivate: boolean;
  reason: string | null;
  approvalId: ApprovalId | null;
  /** A user or agent. */
  createdBy: string;
  /** Epoch ms. */
  createdAt: number;
}

export type NewAccessRule = Omit<AccessRule, 'id'> & {
  /** Made when absent. */
  id?: AccessRuleId;
};

interface Row {
  id: string;
  agent_group_id: string;
  host: string | null;
  service: string | null;
  port: number | null;
  methods: string | null;
  path_prefix: string | null;
  is_private: number;
  reason: string | null;
  approval_id: string | null;
  created_by: string;
  created_at: number;
}

export class AccessRuleStore {
  readonly #db: CentralDb;
  readonly #listFor;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#listFor = db.prepare<[string], Row>(
      'SELECT * FROM access_rules WHERE agent_group_id = ? ORDER BY created_at, id',
    );
  }

  /** Oldest first. Read at every request, so that a change holds at once. */
  listFor(agentGroupId: AgentGroupId): AccessRule[] {
    return this.#listFor.all(agentGroupId).map(toRule);
  }

  get(id: AccessRuleId): AccessRule | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM access_rules WHERE id = ?').get(id);
    return row === undefined ? null : toRule(row);
  }

  /**
   * The rule as it stands, and whether this call made it: the same place, methods and prefix of an agent are one
   * rule, and an approval makes one rule. `host` must be canonical and `methods` sorted (host/egress).
   */
  add(rule: NewAccessRule): { rule: AccessRule; isNew: boolean } {
    const id = rule.id ?? makeId('accessRule', rule.createdAt);
    const made = this.#db
      .prepare(
        `INSERT INTO access_rules (id, agent_group_id, host, service, port, methods, path_prefix, is_private, reason,
           approval_id, created_by, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .run(
        id,
        rule.agentGroupId,
        rule.host,
        rule.service,
        rule.port,
        rule.methods === null ? null : JSON.stringify(rule.methods),
        rule.pathPrefix,
        rule.isPrivate ? 1 : 0,
        rule.reason,
        rule.approvalId,
        rule.createdBy,
        rule.createdAt,
      );
    const standing = made.changes > 0 ? this.get(id) : this.#findStanding(rule, id);
    if (standing === null) throw new Error('an access rule vanished');
    return { rule: standing, isNew: made.changes > 0 };
  }

  #findStanding(rule: NewAccessRule, id: AccessRuleId): AccessRule | null {
    const row = this.#db
      .prepare<[string, string | null, string, string, number, string, string, string], Row>(
        `SELECT * FROM access_rules WHERE id = ? OR approval_id = ?
           OR (agent_group_id = ? AND coalesce(host, '') = ? AND coalesce(port, 0) = ? AND coalesce(service, '') = ?
             AND coalesce(methods, '') = ? AND coalesce(path_prefix, '') = ?)`,
      )
      .get(
        id,
        rule.approvalId,
        rule.agentGroupId,
        rule.host ?? '',
        rule.port ?? 0,
        rule.service ?? '',
        rule.methods === null ? '' : JSON.stringify(rule.methods),
        rule.pathPrefix ?? '',
      );
    return row === undefined ? null : toRule(row);
  }

  /** The rule that was there; null when there was none. Tell the gateway: it closes what the rule had opened. */
  remove(id: AccessRuleId): AccessRule | null {
    const row = this.#db.prepare<[string], Row>('DELETE FROM access_rules WHERE id = ? RETURNING *').get(id);
    return row === undefined ? null : toRule(row);
  }
}

function toRule(row: Row): AccessRule {
  return {
    // The columns hold what `add` was given.
    id: row.id as AccessRuleId,
    agentGroupId: row.agent_group_id as AgentGroupId,
    host: row.host,
    service: row.service,
    port: row.port,
    methods: row.methods === null ? null : JSON.parse(row.methods),
    pathPrefix: row.path_prefix,
    isPrivate: row.is_private === 1,
    reason: row.reason,
    approvalId: row.approval_id as ApprovalId | null,
    createdBy: row.created_by,
    createdAt: row.created_at,
  };
}
