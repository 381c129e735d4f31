/** Sealed secrets. What opens them is not in this database (host/vault). */
import type { CentralDb } from './database.ts';

/** Without what was sealed. */
export interface SecretRow {
  name: string;
  /** Fingerprint of the key that it is sealed with. */
  keyId: string;
  createdBy: string;
  createdAt: number;
  /** Of its newest value. */
  updatedAt: number;
  revision: number;
}

export interface SealedRow {
  name: string;
  keyId: string;
  nonce: Buffer;
  ciphertext: Buffer;
}

const COLUMNS =
  'name, key_id AS keyId, created_by AS createdBy, created_at AS createdAt, updated_at AS updatedAt, revision';
const SEALED = 'name, key_id AS keyId, nonce, ciphertext';

export class SecretStore {
  readonly #db: CentralDb;
  readonly #sealed;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#sealed = db.prepare<[string], SealedRow>(`SELECT ${SEALED} FROM secrets WHERE name = ?`);
  }

  get(name: string): SecretRow | null {
    return this.#db.prepare<[string], SecretRow>(`SELECT ${COLUMNS} FROM secrets WHERE name = ?`).get(name) ?? null;
  }

  /** By name. */
  list(): SecretRow[] {
    return this.#db.prepare<[], SecretRow>(`SELECT ${COLUMNS} FROM secrets ORDER BY name`).all();
  }

  sealed(name: string): SealedRow | null {
    return this.#sealed.get(name) ?? null;
  }

  listSealed(): SealedRow[] {
    return this.#db.prepare<[], SealedRow>(`SELECT ${SEALED} FROM secrets ORDER BY name`).all();
  }

  /** The keys that something is sealed with. */
  keyIds(): string[] {
    return this.#db.prepare<[], string>('SELECT DISTINCT key_id FROM secrets ORDER BY key_id').pluck().all();
  }

  /** A new secret, or a new value of one. */
  put({ name, keyId, nonce, ciphertext }: SealedRow, by: string, now: number): void {
    this.#db
      .prepare(
        `INSERT INTO secrets (name, key_id, nonce, ciphertext, created_by, created_at, updated_at)
         VALUES (@name, @keyId, @nonce, @ciphertext, @by, @now, @now)
         ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, nonce = excluded.nonce,
           ciphertext = excluded.ciphertext, updated_at = excluded.updated_at, revision = revision + 1`,
      )
      .run({ name, keyId, nonce, ciphertext, by, now });
  }

  /** The same value under another key: no new revision. */
  reseal({ name, keyId, nonce, ciphertext }: SealedRow): void {
    this.#db
      .prepare('UPDATE secrets SET key_id = ?, nonce = ?, ciphertext = ? WHERE name = ?')
      .run(keyId, nonce, ciphertext, name);
  }

  /** With where it was used. Whether the revision still held. */
  remove(name: string, revision: number): boolean {
    return this.#db.prepare('DELETE FROM secrets WHERE name = ? AND revision = ?').run(name, revision).changes > 0;
  }
}
