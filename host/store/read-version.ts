/** The version of a central database that somebody else may have open: for the doctor. */
import { readVersion } from './migrate.ts';

/** Reads without migrating or writing. Throws SQLite's error when it is no database, or damaged. */
export async function readCentralVersion(path: string): Promise<number> {
  // Loaded on use: the command line starts without a native module.
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
  try {
    return readVersion(db);
  } finally {
    db.close();
  }
}
