/**
 * Numbered SQL files, forward only, one transaction each. A database newer than this program is
 * refused: an old binary would read it wrongly.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { Fault } from '../config/errors.ts';

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

const FILE_SHAPE = /^(\d{3})_([a-z0-9-]+)\.sql$/;

/** The migrations in a folder, in order. Numbers start at 001 and leave no gap. */
export function readMigrations(folder: string): Migration[] {
  const migrations: Migration[] = [];
  for (const file of readdirSync(folder).sort()) {
    const match = FILE_SHAPE.exec(file);
    if (match === null) continue;
    const version = Number(match[1]);
    if (version !== migrations.length + 1) throw new Error(`migration ${file} is out of order`);
    migrations.push({ version, name: match[2] ?? '', sql: readFileSync(join(folder, file), 'utf8') });
  }
  return migrations;
}

/** The database's version, 0 when it is empty. */
export function readVersion(db: Database.Database): number {
  const table = db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'`).get();
  if (table === undefined) return 0;
  return (
    db.prepare<[], { version: number }>('SELECT coalesce(max(version), 0) AS version FROM schema_version').get()
      ?.version ?? 0
  );
}

/**
 * Brings the database to `upTo` (the newest by default). Each file commits with its version row, so a
 * crash leaves a whole version. Throws Fault `database_newer`, `migration_failed`.
 */
export function migrate(db: Database.Database, folder: string, now: number, upTo?: number): void {
  const migrations = readMigrations(folder);
  const newest = migrations.at(-1)?.version ?? 0;
  const current = readVersion(db);
  if (current > newest) {
    throw new Fault('database_newer', `the database is at version ${current}, this program knows ${newest}`, {
      hint: 'use the newer program, or a home that was made by this one',
    });
  }
  if (current === 0) {
    db.exec(`CREATE TABLE IF NOT EXISTS schema_version (
  version INTEGER PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`);
  }
  const record = db.prepare('INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, ?)');
  for (const migration of migrations) {
    if (migration.version <= current || migration.version > (upTo ?? newest)) continue;
    try {
      db.transaction(() => {
        db.exec(migration.sql);
        record.run(migration.version, migration.name, now);
      }).immediate();
    } catch (cause) {
      throw new Fault('migration_failed', `migration ${migration.version} (${migration.name}) failed`, { cause });
    }
  }
}

/** Every table, index and trigger as text, in a stable order: what `schema.sql` holds. */
export function dumpSchema(db: Database.Database): string {
  const rows = db
    .prepare<[], { sql: string }>(
      `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name`,
    )
    .all();
  return `-- Generated from the migrations by scripts/dump-schema.ts. Do not edit.\n\n${rows
    .map((row) => `${row.sql};`)
    .join('\n\n')}\n`;
}
