/** Services that an owner added; those that every host knows are in host/egress. */
import type { CentralDb } from './database.ts';

export interface ServiceRow {
  name: string;
  baseUrl: string;
  api: 'anthropic' | 'openai' | null;
  /** Both empty: none. */
  header: string;
  headerValue: string;
  isPrivate: boolean;
  createdBy: string;
  createdAt: number;
  revision: number;
}

type Row = Omit<ServiceRow, 'isPrivate'> & { isPrivate: number };

const SELECT = `SELECT name, base_url AS baseUrl, api, header, header_value AS headerValue, is_private AS isPrivate,
  created_by AS createdBy, created_at AS createdAt, revision FROM services`;

/** An agent that a service cannot be taken from. */
export interface ServiceUser {
  name: string;
  /** Its model is reached through it, or a rule lets it there. */
  as: 'model' | 'rule';
}

export class ServiceStore {
  readonly #db: CentralDb;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string], Row>(`${SELECT} WHERE name = ?`);
  }

  get(name: string): ServiceRow | null {
    const row = this.#get.get(name);
    return row === undefined ? null : toService(row);
  }

  /** By name. */
  list(): ServiceRow[] {
    return this.#db.prepare<[], Row>(`${SELECT} ORDER BY name`).all().map(toService);
  }

  /** Whether the name was free. */
  add(service: Omit<ServiceRow, 'revision'>): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO services (name, base_url, api, header, header_value, is_private, created_by, created_at)
           VALUES (@name, @baseUrl, @api, @header, @headerValue, @isPrivate, @createdBy, @createdAt)
           ON CONFLICT (name) DO NOTHING`,
        )
        .run({ ...service, isPrivate: service.isPrivate ? 1 : 0 }).changes > 0
    );
  }

  /** Whether the revision still held. */
  remove(name: string, revision: number): boolean {
    return this.#db.prepare('DELETE FROM services WHERE name = ? AND revision = ?').run(name, revision).changes > 0;
  }

  /** Living agents, by name; no more than `limit`. */
  listUsers(name: string, limit: number): ServiceUser[] {
    return this.#db
      .prepare<[string, string, number], ServiceUser>(
        `SELECT g.name, 'model' AS "as" FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id
         WHERE g.archived_at IS NULL AND c.service = ?
         UNION SELECT g.name, 'rule' FROM agent_groups g JOIN access_rules r ON r.agent_group_id = g.id
         WHERE g.archived_at IS NULL AND r.service = ?
         ORDER BY 1, 2 LIMIT ?`,
      )
      .all(name, name, limit);
  }
}

function toService(row: Row): ServiceRow {
  return { ...row, isPrivate: row.isPrivate === 1 };
}
