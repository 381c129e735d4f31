/**
 * Writes `migrations/central/schema.sql`, the central database as the migrations make it; with `--check`
 * only compares, and ends with 1 when the file is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { projectRoot } from '../host/config/home.ts';
import { dumpSchema, migrate } from '../host/store/migrate.ts';

const folder = join(projectRoot(), 'migrations', 'central');
const file = join(folder, 'schema.sql');

const db = new Database(':memory:');
migrate(db, folder, 0);
const schema = dumpSchema(db);
db.close();

if (!process.argv.includes('--check')) {
  writeFileSync(file, schema);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== schema) {
  process.stderr.write('migrations/central/schema.sql differs from what the migrations make\n');
  process.exitCode = 1;
}
