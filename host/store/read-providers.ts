/** What agents think with, from a central database that somebody else may have open: for the doctor. */

export interface RecordedProvider {
  agentName: string;
  provider: string;
  /** Null: the provider's own, or none. */
  service: string | null;
}

const SQL = `
SELECT g.name AS agentName, c.provider, c.service
FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id
WHERE g.archived_at IS NULL
ORDER BY g.name`;

/** Reads without writing. The database must be of this program's version. Throws SQLite's error when it is damaged. */
export async function readProviders(path: string): Promise<RecordedProvider[]> {
  // Loaded on use: the command line starts without a native module.
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
  try {
    return db.prepare<[], RecordedProvider>(SQL).all();
  } finally {
    db.close();
  }
}
