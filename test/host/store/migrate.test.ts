import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Fault } from '../../../host/config/errors.ts';
import { projectRoot } from '../../../host/config/home.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { dumpSchema, migrate, readMigrations, readVersion } from '../../../host/store/migrate.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const folder = join(projectRoot(), 'migrations', 'central');
const newest = readMigrations(folder).length;

function openAt(version: number): Database.Database {
  const db = new Database(':memory:');
  db.pragma('foreign_keys = ON');
  migrate(db, folder, 1, version);
  return db;
}

test('an upgraded database has the schema of a fresh one, from every version', () => {
  const fresh = dumpSchema(openAt(newest));
  for (let version = 1; version < newest; version++) {
    const db = openAt(version);
    expect(readVersion(db)).toBe(version);
    migrate(db, folder, 2);
    expect(dumpSchema(db)).toBe(fresh);
  }
});

test('schema.sql is what the migrations make', () => {
  expect(readFileSync(join(folder, 'schema.sql'), 'utf8')).toBe(dumpSchema(openAt(newest)));
});

test('every table is STRICT', () => {
  const db = openAt(newest);
  const loose = db
    .prepare(`SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all();
  expect(loose).toEqual([]);
});

test('migrating twice changes nothing', () => {
  const db = openAt(newest);
  const before = db.prepare('SELECT * FROM schema_version').all();
  migrate(db, folder, 99);
  expect(db.prepare('SELECT * FROM schema_version').all()).toEqual(before);
});

test('a database newer than the program is refused, and left as it is', () => {
  const home = makeTempHome();
  const db = openCentralDb(home.centralDb, folder, 1);
  db.prepare(`INSERT INTO schema_version (version, name, applied_at) VALUES (?, 'later', 1)`).run(newest + 1);
  db.close();
  expect(() => openCentralDb(home.centralDb, folder, 1)).toThrowError(
    expect.objectContaining({ code: 'database_newer', message: expect.stringContaining(String(newest + 1)) }),
  );
});

test('a migration that fails leaves the version before it', () => {
  const db = openAt(3);
  db.exec('CREATE TABLE agent_destinations (x INTEGER) STRICT');
  expect(() => migrate(db, folder, 2)).toThrow(Fault);
  expect(readVersion(db)).toBe(3);
});

function addChat(db: Database.Database, id: string, name: string): void {
  db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?, 'test', ?, ?, 1)`,
  ).run(id, id, name);
}

function addWiring(db: Database.Database, id: string, chat: string, agent: string, at: number): void {
  db.prepare('INSERT INTO wirings (id, messaging_group_id, agent_group_id, created_at) VALUES (?, ?, ?, ?)').run(
    id,
    chat,
    agent,
    at,
  );
}

test('version 4 makes one destination per wiring of a version-3 database, clashing names included', () => {
  const db = openAt(3);
  for (const agent of ['a', 'b']) {
    db.prepare('INSERT INTO agent_groups (id, name, folder, created_at) VALUES (?, ?, ?, 1)').run(agent, agent, agent);
  }
  const names = ['Family', 'family!', 'Family 2', '  Fam--ily ', '日本語', '😀', 'x'.repeat(90), 'y', 'FAMILY'];
  for (const [at, name] of names.entries()) {
    addChat(db, `m${at}`, name);
    addWiring(db, `w${at}`, `m${at}`, 'a', at);
  }
  addWiring(db, 'w-b', 'm0', 'b', 50);
  migrate(db, folder, 2);
  const rows = db
    .prepare<[], { agent: string; name: string; target: string }>(
      `SELECT agent_group_id AS agent, local_name AS name, target_id AS target FROM agent_destinations
       WHERE target_type = 'channel' ORDER BY agent, created_at`,
    )
    .all();
  expect(rows).toEqual([
    { agent: 'a', name: 'family', target: 'm0' },
    { agent: 'a', name: 'family-2', target: 'm1' },
    { agent: 'a', name: 'family-2-2', target: 'm2' },
    { agent: 'a', name: 'fam-ily', target: 'm3' },
    { agent: 'a', name: 'chat', target: 'm4' },
    { agent: 'a', name: 'chat-2', target: 'm5' },
    { agent: 'a', name: 'x'.repeat(56), target: 'm6' },
    { agent: 'a', name: 'y', target: 'm7' },
    { agent: 'a', name: 'family-3', target: 'm8' },
    { agent: 'b', name: 'family', target: 'm0' },
  ]);
});

test('version 4 gives three hundred chats of one name three hundred names', () => {
  const db = openAt(3);
  db.prepare(`INSERT INTO agent_groups (id, name, folder, created_at) VALUES ('a', 'a', 'a', 1)`).run();
  for (let at = 0; at < 300; at++) {
    addChat(db, `m${at}`, 'Room');
    addWiring(db, `w${at}`, `m${at}`, 'a', at);
  }
  migrate(db, folder, 2);
  const names = db.prepare('SELECT local_name FROM agent_destinations ORDER BY created_at').pluck().all();
  expect(names[0]).toBe('room');
  expect(names.at(-1)).toBe('room-300');
  expect(new Set(names).size).toBe(300);
});

test('version 7 keeps approvals, their cards and the ledger of a version-6 database, and the chain goes on', () => {
  const db = openAt(6);
  const ledger = new Ledger(db);
  const entry = {
    kind: 'approval.requested',
    sessionId: null,
    messageId: 'apr_1',
    actor: null,
    detail: { choice: 'ä' },
  };
  ledger.appendAll([entry, entry, entry], 5);
  const before = db.prepare('SELECT * FROM ledger').all();
  db.exec(`
    INSERT INTO agent_groups (id, name, folder, created_at) VALUES ('agt_1', 'main', 'main', 1);
    INSERT INTO container_configs (agent_group_id, provider, resources) VALUES ('agt_1', 'demo', '{"cpus":2}');
    INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES ('chat_1', 'web', 'w', 1);
    INSERT INTO sessions (id, agent_group_id, messaging_group_id, state_since, user_offset, last_active_at, created_at)
      VALUES ('ses_1', 'agt_1', 'chat_1', 1, 1, 1, 1);
    INSERT INTO pending_approvals (id, action, subject_key, request_hash, payload, agent_group_id, title, question,
      options, expires_at, created_at)
      VALUES ('apr_1', 'admit_sender', 'a', '${'0'.repeat(64)}', '{}', 'agt_1', 't', 'q', '[]', 9, 1),
             ('apr_2', 'admit_sender', 'b', '${'0'.repeat(64)}', '{}', 'agt_1', 't', 'q', '[]', 9, 1);
    INSERT INTO pending_questions (message_id, session_id, messaging_group_id, approval_id, title, question, options,
      expires_at, created_at) VALUES ('msg_1', 'ses_1', 'chat_1', 'apr_1', 't', 'q', '[]', 9, 1);
  `);
  migrate(db, folder, 2);
  expect(db.prepare('SELECT * FROM ledger').all()).toEqual(before);
  new Ledger(db).append(entry, 6);
  expect(new Ledger(db).findBreak()).toBeNull();
  expect(() => db.exec('DELETE FROM ledger')).toThrow('append-only');
  expect(() => db.exec(`UPDATE ledger SET kind = 'x'`)).toThrow('append-only');
  const codes = db.prepare('SELECT code FROM pending_approvals').pluck().all();
  expect(new Set(codes).size).toBe(2);
  expect(db.prepare('SELECT approval_id FROM pending_questions').pluck().all()).toEqual(['apr_1']);
  expect(JSON.parse(String(db.prepare('SELECT config FROM container_config_history').pluck().get()))).toMatchObject({
    provider: 'demo',
    resources: { cpus: 2 },
    packages: { apt: [], npm: [], generation: 0 },
  });
  expect(db.pragma('foreign_key_check')).toEqual([]);
  db.exec(`DELETE FROM pending_approvals WHERE id = 'apr_1'`);
  expect(db.prepare('SELECT count(*) FROM pending_questions').pluck().get()).toBe(0);
});
