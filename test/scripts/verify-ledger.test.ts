/**
 * The script that proves a ledger without the host's own code: against SQLite itself on databases of every shape,
 * against whoever changes the file, and against files that were made to harm it.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../host/config/home.ts';
import { openCentralDb } from '../../host/store/database.ts';
import { Ledger, type LedgerEntry } from '../../host/store/ledger.ts';
import { verifyLedger } from '../../scripts/verify-ledger.mjs';
import { makeTempHome } from '../support/temp-home.ts';

const MIGRATIONS = join(projectRoot(), 'migrations', 'central');

const makeTempFolder = (): string => makeTempHome().home;

function entry(number: number, size = 20): LedgerEntry {
  return {
    kind: 'delivery.delivered',
    sessionId: null,
    messageId: `msg_${number}`,
    actor: number % 3 === 0 ? null : 'web:owner',
    detail: { number, text: 'x'.repeat(size) },
  };
}

/** A real central database, closed: what it held is in one file. */
function makeDatabase(entries: number): { path: string; hashes: string[] } {
  const path = join(makeTempFolder(), 'central.db');
  const db = openCentralDb(path, MIGRATIONS, 1);
  const ledger = new Ledger(db);
  for (let number = 1; number <= entries; number++) ledger.append(entry(number), 1_000 + number);
  const hashes = db.prepare<[], string>('SELECT hash FROM ledger ORDER BY position').pluck().all();
  db.close();
  return { path, hashes };
}

/** Changes the file as somebody would who has it: the ledger's triggers are no obstacle. */
function tamper(path: string, ...statements: string[]): void {
  const db = new Database(path);
  db.exec('DROP TRIGGER ledger_is_never_changed; DROP TRIGGER ledger_is_never_cut');
  for (const statement of statements) db.exec(statement);
  db.close();
}

test('an untouched ledger holds, and its head is the newest entry', async () => {
  const { path, hashes } = makeDatabase(1_234);
  expect(await verifyLedger(path)).toEqual({
    ok: true,
    entries: 1_234,
    head: { position: 1_234, hash: hashes.at(-1), at: 2_234 },
    brokenAt: null,
    problem: null,
  });
});

test('an empty ledger holds', async () => {
  const { path } = makeDatabase(0);
  expect(await verifyLedger(path)).toMatchObject({ ok: true, entries: 0, head: { position: 0 } });
});

/** What happens to a database, step by step. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        texts: fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 12 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('large' as const), size: fc.integer({ min: 0, max: 40_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('other' as const), rows: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('passive' as const, 'truncate' as const, 'rollback' as const, 'vacuum' as const),
      }),
    },
  ),
  { maxLength: 25 },
);

test('it reads what SQLite wrote: every page size, overflow, rows deleted elsewhere, logs and checkpoints', async () => {
  const schema = readFileSync(join(MIGRATIONS, '003_approvals.sql'), 'utf8');
  const table = /CREATE TABLE ledger \([\s\S]*?\) STRICT;/.exec(schema)?.[0] ?? '';
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(512, 1_024, 4_096, 65_536), fc.boolean(), async (done, pageSize, isWal) => {
      const path = join(makeTempFolder(), 'central.db');
      const db = new Database(path);
      db.pragma(`page_size = ${pageSize}`);
      db.pragma(`journal_mode = ${isWal ? 'WAL' : 'DELETE'}`);
      db.pragma('wal_autocheckpoint = 0');
      db.exec(`${table} CREATE TABLE other (id INTEGER PRIMARY KEY, text TEXT)`);
      const ledger = new Ledger(db);
      const put = (text: string, kind = 'kind') =>
        ledger.append(
          { kind, sessionId: null, messageId: text, actor: text === '' ? null : text, detail: { text } },
          5,
        );
      for (const step of done) {
        if (step.kind === 'append') for (const text of step.texts) put(text, text);
        else if (step.kind === 'large') put('€'.repeat(step.size / 3));
        else if (step.kind === 'other')
          for (let row = 0; row < step.rows; row++)
            db.prepare('INSERT INTO other (text) VALUES (?)').run('o'.repeat(row * 20));
        else if (step.kind === 'delete') db.exec('DELETE FROM other WHERE id % 2 = 0');
        else if (step.kind === 'passive') db.pragma('wal_checkpoint(PASSIVE)');
        else if (step.kind === 'truncate') db.pragma('wal_checkpoint(TRUNCATE)');
        else if (step.kind === 'vacuum') db.exec('VACUUM');
        else {
          db.exec('BEGIN');
          put('rolled back');
          db.exec('ROLLBACK');
        }
      }
      // The database is open: what was committed last is in the log alone.
      const verdict = await verifyLedger(path);
      expect(verdict).toMatchObject({ ok: true, head: ledger.head(), entries: ledger.head().position });
      db.close();
      expect(await verifyLedger(path)).toEqual(verdict);
    }),
    { numRuns: 60 },
  );
});

test.each<[string, string[], number, RegExp]>([
  [
    'a changed byte of a detail',
    [`UPDATE ledger SET detail = replace(detail, '"number":77', '"number":78') WHERE position = 77`],
    77,
    /entry 77 was changed/,
  ],
  ['a changed actor', [`UPDATE ledger SET actor = 'web:mallory' WHERE position = 5`], 5, /was changed/],
  ['a changed time', ['UPDATE ledger SET at = at + 1 WHERE position = 5'], 5, /was changed/],
  ['an entry taken out', ['DELETE FROM ledger WHERE position = 50'], 50, /entry 50 is missing/],
  [
    'an entry taken out, the others moved up',
    ['DELETE FROM ledger WHERE position = 50', 'UPDATE ledger SET position = position - 1 WHERE position > 50'],
    50,
    /does not follow/,
  ],
  [
    'two entries in the other order',
    [
      'UPDATE ledger SET position = 1000 WHERE position = 10',
      'UPDATE ledger SET position = 10 WHERE position = 11',
      'UPDATE ledger SET position = 11 WHERE position = 1000',
    ],
    10,
    /does not follow/,
  ],
  ['the first entry taken out', ['DELETE FROM ledger WHERE position = 1'], 1, /entry 1 is missing/],
  [
    'the end cut off',
    ['DELETE FROM ledger WHERE position > 90'],
    91,
    /the end is missing: there were 100 entries once/,
  ],
])('%s is found, with its position', async (_what, statements, brokenAt, problem) => {
  const { path } = makeDatabase(100);
  tamper(path, ...statements);
  const verdict = await verifyLedger(path);
  expect(verdict).toMatchObject({ ok: false, brokenAt, head: { position: brokenAt - 1 } });
  expect(verdict.problem).toMatch(problem);
});

test('a tail that was hashed anew by somebody who knows how is found by a head written down elsewhere', async () => {
  const { path, hashes } = makeDatabase(100);
  tamper(path, 'DELETE FROM ledger WHERE position > 60', `UPDATE sqlite_sequence SET seq = 60 WHERE name = 'ledger'`);
  const db = new Database(path);
  const ledger = new Ledger(db);
  for (let number = 61; number <= 100; number++) ledger.append(entry(number, 21), 1_000 + number);
  db.close();
  expect(await verifyLedger(path)).toMatchObject({ ok: true, entries: 100 });
  expect(await verifyLedger(path, { expect: hashes[99] ?? '' })).toMatchObject({ ok: false, entries: 100 });
  expect(await verifyLedger(path, { expect: hashes[59] ?? '' })).toMatchObject({ ok: true });
  const since = { position: 70, hash: hashes[69] ?? '' };
  expect(await verifyLedger(path, { since })).toMatchObject({ ok: false, brokenAt: 70 });
});

test('a cut end is found by the head that was written down, though the database forgot how many there were', async () => {
  const { path, hashes } = makeDatabase(100);
  tamper(path, 'DELETE FROM ledger WHERE position > 90', `UPDATE sqlite_sequence SET seq = 90 WHERE name = 'ledger'`);
  expect(await verifyLedger(path)).toMatchObject({ ok: true, entries: 90 });
  expect(await verifyLedger(path, { expect: hashes[99] ?? '' })).toMatchObject({ ok: false, brokenAt: 91 });
  const gone = { position: 95, hash: hashes[94] ?? '' };
  expect(await verifyLedger(path, { since: gone })).toMatchObject({ ok: false, brokenAt: 95 });
  const since = { position: 80, hash: hashes[79] ?? '' };
  expect(await verifyLedger(path, { since, expect: hashes[79] ?? '' })).toMatchObject({ ok: true, entries: 10 });
});

test('a host that writes and checkpoints in the middle of it is followed to its newest entry', async () => {
  const path = join(makeTempFolder(), 'central.db');
  const db = openCentralDb(path, MIGRATIONS, 1);
  onTestFinished(() => void db.close());
  const ledger = new Ledger(db);
  ledger.appendAll(
    Array.from({ length: 5_000 }, (_, number) => entry(number, 300)),
    7,
  );
  let rounds = 0;
  const verdict = await verifyLedger(path, {
    onProgress: () => {
      if (++rounds > 30) return;
      ledger.appendAll(
        Array.from({ length: 40 }, (_, number) => entry(number, 300)),
        8,
      );
      db.pragma(rounds % 2 === 0 ? 'wal_checkpoint(TRUNCATE)' : 'wal_checkpoint(PASSIVE)');
    },
  });
  expect(verdict).toMatchObject({ ok: true, head: ledger.head(), entries: 6_200 });
});

test('whatever bytes are changed, it answers or says what is wrong, and never takes another ledger for this one', async () => {
  const { path, hashes } = makeDatabase(300);
  const original = readFileSync(path);
  const copy = join(makeTempFolder(), 'copy.db');
  const changes = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(changes, fc.option(fc.nat(original.length), { nil: null }), async (bytes, cut) => {
      const forged = Buffer.from(original);
      for (const [at, byte] of bytes) forged[at] = byte;
      writeFileSync(copy, cut === null ? forged : forged.subarray(0, cut));
      const verdict = await verifyLedger(copy).catch((error: unknown) => {
        expect(error).toMatchObject({ name: 'BadFile' });
        return null;
      });
      if (verdict?.ok === true) expect(verdict.head.hash).toBe(hashes[verdict.head.position - 1] ?? '0'.repeat(64));
    }),
    { numRuns: 400 },
  );
});

/** Pages of the ledger's own b-tree, root first. */
function findRoot(path: string): { root: number; pageSize: number } {
  const db = new Database(path, { readonly: true });
  const root = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'`).pluck().get();
  const pageSize = db.pragma('page_size', { simple: true });
  db.close();
  return { root: Number(root), pageSize: Number(pageSize) };
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

test('a b-tree that leads back to itself is an error, and no hang', async () => {
  const { path } = makeDatabase(2_000);
  const { root, pageSize } = findRoot(path);
  const page = readFileSync(path).subarray((root - 1) * pageSize, root * pageSize);
  expect(page[0]).toBe(5);
  const self = Buffer.alloc(4);
  self.writeUInt32BE(root);
  const firstCell = page.readUInt16BE(12);
  overwrite(path, (root - 1) * pageSize + firstCell, self);
  await expect(verifyLedger(path)).rejects.toThrow(/too deep|leads back/);
});

test('a few pages that each name the next one ten thousand times, in a file that claims billions, are an error', async () => {
  const pageSize = 65_536;
  const makePage = (number: number, child: number) => {
    const page = Buffer.alloc(pageSize);
    const start = number === 1 ? 100 : 0;
    const cell = pageSize - 8;
    page[start] = 5;
    page.writeUInt16BE(10_000, start + 3);
    page.writeUInt32BE(child, start + 8);
    page.writeUInt32BE(child, cell);
    page.writeUInt16BE(0x8101, cell + 4);
    for (let index = 0; index < 10_000; index++) page.writeUInt16BE(cell, start + 12 + 2 * index);
    return page;
  };
  const pages = Array.from({ length: 8 }, (_, index) => makePage(index + 1, index + 2));
  const header = pages[0] ?? Buffer.alloc(0);
  header.write('SQLite format 3\0', 0, 'latin1');
  header.writeUInt16BE(1, 16);
  header.writeUInt32BE(7, 24);
  header.writeUInt32BE(4_000_000_000, 28);
  header.writeUInt32BE(1, 56);
  header.writeUInt32BE(7, 92);
  const leaf = Buffer.alloc(pageSize);
  leaf[0] = 13;
  const path = join(makeTempFolder(), 'billions.db');
  writeFileSync(path, Buffer.concat([...pages, leaf]));
  await expect(verifyLedger(path)).rejects.toThrow(/leads back/);
});

test('a page that claims more cells, sizes or numbers than there can be is an error', async () => {
  const { path } = makeDatabase(10);
  const { root, pageSize } = findRoot(path);
  const start = (root - 1) * pageSize;
  const copy = (name: string) => {
    const to = join(makeTempFolder(), name);
    copyFileSync(path, to);
    return to;
  };
  const cells = copy('cells.db');
  overwrite(cells, start + 3, Buffer.from([0xff, 0xff]));
  await expect(verifyLedger(cells)).rejects.toThrow(/65535 cells/);
  const firstCell = readFileSync(path).readUInt16BE(start + 8);
  const absurd = copy('absurd.db');
  overwrite(absurd, start + firstCell, Buffer.alloc(9, 0xff));
  await expect(verifyLedger(absurd)).rejects.toThrow(/absurd/);
  const huge = copy('huge.db');
  overwrite(huge, start + firstCell, Buffer.from([0xff, 0xff, 0x7f]));
  await expect(verifyLedger(huge)).rejects.toThrow(/says that it has 2097151 bytes/);
});

test('files that are no ledger are named as such', async () => {
  const folder = makeTempFolder();
  const text = join(folder, 'text.db');
  writeFileSync(text, 'hello');
  await expect(verifyLedger(text)).rejects.toThrow('not an SQLite database');
  await expect(verifyLedger(folder)).rejects.toThrow('is not a file');
  await expect(verifyLedger(join(folder, 'none.db'))).rejects.toThrow('ENOENT');
  const other = join(folder, 'other.db');
  const db = new Database(other);
  db.exec('CREATE TABLE ledger (id INTEGER PRIMARY KEY, text TEXT)');
  db.close();
  await expect(verifyLedger(other)).rejects.toThrow('other columns');
  const { path } = makeDatabase(200);
  truncateSync(path, 20_480);
  await expect(verifyLedger(path)).rejects.toThrow(/beyond the end|pages/);
});

test('a log that is half written counts as far as it is whole', async () => {
  const path = join(makeTempFolder(), 'central.db');
  const db = openCentralDb(path, MIGRATIONS, 1);
  const ledger = new Ledger(db);
  ledger.append(entry(1), 1);
  const copy = join(makeTempFolder(), 'central.db');
  copyFileSync(path, copy);
  const whole = readFileSync(`${path}-wal`);
  ledger.append(entry(2), 2);
  const longer = readFileSync(`${path}-wal`);
  db.close();
  expect(longer.length).toBeGreaterThan(whole.length);
  for (let cut = whole.length; cut < longer.length; cut += 700) {
    writeFileSync(`${copy}-wal`, longer.subarray(0, cut));
    expect(await verifyLedger(copy)).toMatchObject({ ok: true, entries: 1 });
  }
  writeFileSync(`${copy}-wal`, longer);
  expect(await verifyLedger(copy)).toMatchObject({ ok: true, entries: 2 });
  // What lies behind the end, of an earlier round, is no part of it.
  appendFileSync(`${copy}-wal`, whole.subarray(32));
  expect(await verifyLedger(copy)).toMatchObject({ ok: true, entries: 2 });
});

const SCRIPT = join(projectRoot(), 'scripts', 'verify-ledger.mjs');

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [SCRIPT, ...words], { cwd: '/' });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

test('alone in a folder, with Node and nothing else, it says what it found and ends with its code', async () => {
  const { path, hashes } = makeDatabase(12);
  const head = hashes.at(-1) ?? '';
  const lone = join(makeTempFolder(), 'verify-ledger.mjs');
  copyFileSync(SCRIPT, lone);
  const { stdout } = await promisify(execFile)(process.execPath, [lone, path, '--expect', head], { cwd: '/' });
  expect(stdout).toContain('✓ The chain holds: 12 entries');
  expect(stdout).toContain(`12:${head}`);
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(JSON.parse((await run(path, '--json', '--since', `3:${hashes[2]}`)).out)).toMatchObject({
    ok: true,
    entries: 9,
  });
  expect(await run(path, '--expect', 'f'.repeat(64))).toMatchObject({
    code: 1,
    out: expect.stringContaining('cut off'),
  });
  expect(await run(path, '--expect', 'short')).toMatchObject({ code: 2, err: expect.stringContaining('usage') });
  rmSync(path);
  expect(await run(path)).toMatchObject({ code: 3, err: expect.stringContaining('ENOENT') });
});
