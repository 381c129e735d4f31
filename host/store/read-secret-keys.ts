/** Which keys the secrets are sealed with, from a central database that somebody else may have open: for the doctor. */

/** Reads without writing. The database must be of this program's version. Throws SQLite's error when it is damaged. */
export async function readSecretKeys(path: string): Promise<string[]> {
  // Loaded on use: the command line starts without a native module.
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
  try {
    return db.prepare<[], string>('SELECT DISTINCT key_id FROM secrets ORDER BY key_id').pluck().all();
  } finally {
    db.close();
  }
}
