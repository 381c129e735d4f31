import type { InstallId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** Small facts of this install, by key. */
export class SettingsStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  get(key: string): string | null {
    const row = this.#db.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?').get(key);
    return row?.value ?? null;
  }

  set(key: string, value: string): void {
    this.#db
      .prepare('INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
      .run(key, value);
  }

  /** Made at first start, never changed: containers are labelled with it. */
  installId(): InstallId {
    const known = this.get('install_id');
    if (known !== null) return known as InstallId;
    const made = makeId('install');
    this.set('install_id', made);
    return made;
  }
}
