/** Which secret a service gets: of one agent, or of all that have none of their own. */
import type { AgentGroupId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface SecretUse {
  service: string;
  /** Null: of every agent that has none of its own. */
  agentGroupId: AgentGroupId | null;
  secretName: string;
  createdBy: string;
  createdAt: number;
}

const SELECT = `SELECT service, agent_group_id AS agentGroupId, secret_name AS secretName, created_by AS createdBy,
  created_at AS createdAt FROM secret_uses`;

export class SecretUseStore {
  readonly #db: CentralDb;
  readonly #at;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#at = db
      .prepare<[string, string], string>(
        `SELECT secret_name FROM secret_uses WHERE service = ? AND coalesce(agent_group_id, '') = ?`,
      )
      .pluck();
  }

  /** The name of the secret at exactly this place. By index `secret_uses_place`. */
  at(service: string, agentGroupId: AgentGroupId | null): string | null {
    return this.#at.get(service, agentGroupId ?? '') ?? null;
  }

  list(): SecretUse[] {
    return this.#db.prepare<[], SecretUse>(`${SELECT} ORDER BY service, coalesce(agent_group_id, '')`).all();
  }

  listForSecret(name: string): SecretUse[] {
    return this.#db
      .prepare<[string], SecretUse>(`${SELECT} WHERE secret_name = ? ORDER BY service, coalesce(agent_group_id, '')`)
      .all(name);
  }

  /** Takes the place of what was there. */
  put({ service, agentGroupId, secretName, createdBy, createdAt }: SecretUse): void {
    this.#db
      .prepare(
        `INSERT INTO secret_uses (service, agent_group_id, secret_name, created_by, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (service, coalesce(agent_group_id, '')) DO UPDATE SET secret_name = excluded.secret_name,
           created_by = excluded.created_by, created_at = excluded.created_at`,
      )
      .run(service, agentGroupId, secretName, createdBy, createdAt);
  }

  /** Whether there was one. */
  remove(service: string, agentGroupId: AgentGroupId | null): boolean {
    return (
      this.#db
        .prepare(`DELETE FROM secret_uses WHERE service = ? AND coalesce(agent_group_id, '') = ?`)
        .run(service, agentGroupId ?? '').changes > 0
    );
  }

  removeForService(service: string): void {
    this.#db.prepare('DELETE FROM secret_uses WHERE service = ?').run(service);
  }
}
