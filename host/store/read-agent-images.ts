/** The images of agents with packages, from a central database that somebody else may have open: for the doctor. */

export interface RecordedImage {
  agent: string;
  /** What was built for it last; null when nothing ever was. */
  image: string | null;
  /** Its newest build was the host's own, and failed. */
  hasFailed: boolean;
}

interface Row {
  name: string;
  image: string | null;
  has_failed: number | null;
}

const SQL = `
SELECT g.name,
  (SELECT image FROM image_builds WHERE agent_group_id = g.id AND state = 'built'
   ORDER BY created_at DESC, id DESC LIMIT 1) AS image,
  (SELECT state = 'failed' AND approval_id IS NULL FROM image_builds WHERE agent_group_id = g.id
   ORDER BY created_at DESC, id DESC LIMIT 1) AS has_failed
FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id
WHERE g.archived_at IS NULL
  AND json_array_length(c.packages, '$.apt') + json_array_length(c.packages, '$.npm') > 0
ORDER BY g.name`;

/** Reads without writing. The database must be of this program's version. Throws SQLite's error when it is damaged. */
export async function readAgentImages(path: string): Promise<RecordedImage[]> {
  // Loaded on use: the command line starts without a native module.
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
  try {
    return db
      .prepare<[], Row>(SQL)
      .all()
      .map(({ name, image, has_failed: hasFailed }) => ({ agent: name, image, hasFailed: hasFailed === 1 }));
  } finally {
    db.close();
  }
}
