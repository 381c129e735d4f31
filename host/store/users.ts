/** People: namespaced ids, roles, membership. */
import type { AgentGroupId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface User {
  id: UserId;
  displayName: string;
}

export class UserStore {
  readonly #db: CentralDb;
  readonly #isKnown;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#isKnown = db.prepare(
      `SELECT 1 FROM user_roles WHERE user_id = @id AND agent_group_id IN ('', @agentGroupId)
       UNION ALL SELECT 1 FROM agent_group_members WHERE agent_group_id = @agentGroupId AND user_id = @id LIMIT 1`,
    );
  }

  ensure(id: UserId, displayName: string, now: number): void {
    this.#db
      .prepare('INSERT INTO users (id, display_name, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING')
      .run(id, displayName, now);
  }

  get(id: UserId): User | null {
    const row = this.#db
      .prepare<[string], { id: string; display_name: string }>('SELECT id, display_name FROM users WHERE id = ?')
      .get(id);
    return row === undefined ? null : { id: row.id as UserId, displayName: row.display_name };
  }

  grant(
    id: UserId,
    role: 'owner' | 'admin',
    agentGroupId: AgentGroupId | null,
    grantedBy: UserId | null,
    now: number,
  ): void {
    this.#db
      .prepare(
        `INSERT INTO user_roles (user_id, role, agent_group_id, granted_by, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
      )
      .run(id, role, agentGroupId ?? '', grantedBy, now);
  }

  isOwner(id: UserId): boolean {
    return this.#db.prepare(`SELECT 1 FROM user_roles WHERE user_id = ? AND role = 'owner'`).get(id) !== undefined;
  }

  hasOwner(): boolean {
    return this.#db.prepare(`SELECT 1 FROM user_roles WHERE role = 'owner' LIMIT 1`).get() !== undefined;
  }

  /** Known to an agent group: owner, admin of everything or of it, or member. */
  isKnown(id: UserId, agentGroupId: AgentGroupId): boolean {
    return this.#isKnown.get({ id, agentGroupId }) !== undefined;
  }

  addMember(agentGroupId: AgentGroupId, id: UserId, now: number): void {
    this.#db
      .prepare(
        'INSERT INTO agent_group_members (agent_group_id, user_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(agentGroupId, id, now);
  }
}
