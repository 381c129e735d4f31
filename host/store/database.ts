/** Opens the central database: WAL, because host processes alone share it; FULL, because accepted means kept (I8). */
import { chmodSync } from 'node:fs';
import Database from 'better-sqlite3';
import { errorCode, Fault } from '../config/errors.ts';
import { migrate } from './migrate.ts';

export type CentralDb = Database.Database;

/**
 * Opens and migrates. Throws Fault `database_unusable`, `database_newer`.
 * Times are epoch ms throughout.
 */
export function openCentralDb(path: string, migrationsFolder: string, now: number = Date.now()): CentralDb {
  let db: CentralDb;
  try {
    db = new Database(path, { timeout: 5_000 });
    // Before WAL: its files take the mode of this one.
    chmodSync(path, 0o600);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
  } catch (cause) {
    throw new Fault('database_unusable', `cannot open the central database (${errorCode(cause) || 'unknown'})`, {
      cause,
      hint: 'npx portolan doctor',
    });
  }
  try {
    migrate(db, migrationsFolder, now);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
