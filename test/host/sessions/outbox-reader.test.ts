import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { createSessionFolder } from '../../../host/sessions/folder.ts';
import { OutboxReader } from '../../../host/sessions/outbox-reader.ts';
import type { ReadResult } from '../../../host/sessions/reader-lane.ts';
import { makeId } from '../../../shared/ids.ts';
import { BUSY_TIMEOUT_MS } from '../../../shared/limits.ts';
import { type SessionPaths, sessionPaths } from '../../../shared/session-files.ts';
import { ScriptedContainer } from '../../support/scripted-container.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';

const uid = process.getuid?.() ?? 0;

function makeReader(): OutboxReader {
  const reader = new OutboxReader(join(projectRoot(), 'dist', 'reader.mjs'));
  onTestFinished(() => reader[Symbol.dispose]());
  return reader;
}

function makeSession(): SessionPaths {
  const paths = sessionPaths(makeTempHome().home, makeId('agentGroup'), makeId('session'));
  createSessionFolder(paths, { uid, gid: process.getgid?.() ?? 0 });
  return paths;
}

function read(reader: OutboxReader, paths: SessionPaths, afterSeq = 0): Promise<ReadResult> {
  return reader.read({ out: paths.out, ownerUid: uid, afterSeq, limit: 200, seqs: [], openIds: [], withState: true });
}

test('rows come in order from the cursor, and no more than the limit', async () => {
  const paths = makeSession();
  const container = new ScriptedContainer(paths);
  container.sendMany(300, (at) => ({ content: { text: `m${at}` } }));
  container.close();
  const first = await read(makeReader(), paths);
  if (first.kind !== 'snapshot') throw new Error(first.kind);
  expect(first.snapshot.rows).toHaveLength(200);
  expect(first.snapshot.more).toBe(true);
  const second = await read(makeReader(), paths, first.snapshot.rows.at(-1)?.seq);
  expect(second).toMatchObject({ kind: 'snapshot', snapshot: { more: false } });
});

const PLANTED: [string, (paths: SessionPaths) => void][] = [
  [
    'a link to another session’s database',
    (paths) => replace(paths, (path) => symlinkSync(makeSession().outboundDb, path)),
  ],
  ['a link to a host file', (paths) => replace(paths, (path) => symlinkSync('/etc/passwd', path))],
  [
    'a second name of another database',
    (paths) => {
      const other = join(paths.root, 'other.db');
      new Database(other).close();
      writeFileSync(other, 'x');
      replace(paths, (path) => linkSync(other, path));
    },
  ],
  ['a FIFO', (paths) => replace(paths, (path) => execFileSync('mkfifo', [path]))],
  ['a folder', (paths) => replace(paths, (path) => mkdirSync(path))],
  ['nothing', (paths) => replace(paths, () => undefined)],
  ['a sparse file of 1 TB', (paths) => truncateSync(paths.outboundDb, 2 ** 40)],
  ['no database', (paths) => replace(paths, (path) => writeFileSync(path, 'x'.repeat(10_000)))],
  [
    'a view named like the table that never ends',
    (paths) => {
      const db = new Database(paths.outboundDb);
      db.exec(`DROP TABLE messages_out; CREATE VIEW messages_out AS
        WITH RECURSIVE r(id, seq, in_reply_to, timestamp, deliver_after, kind, destination, channel_type, platform_id,
          thread_id, trace_id, content) AS (SELECT 'a', 1, 'a', 1, 1, 'chat', 'a', 'a', 'a', 'a', 'a', '{}' UNION ALL
          SELECT id, seq + 2, 'a', 1, 1, 'chat', 'a', 'a', 'a', 'a', 'a', '{}' FROM r) SELECT * FROM r`);
      db.close();
    },
  ],
  [
    'a trigger that was added',
    (paths) => {
      const db = new Database(paths.outboundDb);
      db.exec('CREATE TRIGGER t AFTER INSERT ON processing BEGIN DELETE FROM processing; END');
      db.close();
    },
  ],
];

function replace(paths: SessionPaths, plant: (path: string) => void): void {
  rmSync(paths.outboundDb);
  plant(paths.outboundDb);
}

test.each(PLANTED)(
  'in place of outbound.db, %s breaks the contract, and the next session is read as before',
  async (_name, plant) => {
    const reader = makeReader();
    const paths = makeSession();
    const honest = makeSession();
    plant(paths);
    expect(await read(reader, paths)).toMatchObject({
      kind: 'violation',
      reason: expect.stringContaining('outbound.db'),
    });
    expect(await read(reader, honest)).toMatchObject({ kind: 'snapshot' });
  },
);

test('a file that is replaced between two reads is opened anew and checked anew', async () => {
  const reader = makeReader();
  const paths = makeSession();
  expect(await read(reader, paths)).toMatchObject({ kind: 'snapshot' });
  const other = makeSession();
  renameSync(other.outboundDb, paths.outboundDb);
  expect(await read(reader, paths)).toMatchObject({ kind: 'snapshot' });
  rmSync(paths.outboundDb);
  symlinkSync('/etc/passwd', paths.outboundDb);
  expect(await read(reader, paths)).toMatchObject({ kind: 'violation' });
});

test('a corrupt page breaks the contract', async () => {
  const paths = makeSession();
  const container = new ScriptedContainer(paths);
  container.sendMany(500, () => ({ content: { text: 'x'.repeat(500) } }));
  container.close();
  const page = Buffer.alloc(4096, 0xa5);
  const { openSync, writeSync, closeSync } = await import('node:fs');
  const fd = openSync(paths.outboundDb, 'r+');
  for (let number = 6; number < 60; number++) writeSync(fd, page, 0, page.length, number * 4096);
  closeSync(fd);
  expect(await read(makeReader(), paths)).toMatchObject({ kind: 'violation' });
});

test('a row of 100 MB comes without its content, quickly', async () => {
  const paths = makeSession();
  const container = new ScriptedContainer(paths);
  container.send({ content: JSON.stringify({ text: 'x'.repeat(100_000_000) }) });
  container.send({ content: { text: 'small' } });
  container.close();
  const result = await read(makeReader(), paths);
  if (result.kind !== 'snapshot') throw new Error(result.kind);
  expect(result.snapshot.rows.map((row) => row.content)).toEqual([null, '{"text":"small"}']);
});

test('a lock that the container holds is reported, not waited for', async () => {
  const paths = makeSession();
  const container = new Database(paths.outboundDb);
  container.exec('BEGIN EXCLUSIVE');
  const started = performance.now();
  expect(await read(makeReader(), paths)).toMatchObject({ kind: 'busy' });
  expect(performance.now() - started).toBeLessThan(BUSY_TIMEOUT_MS);
  container.close();
});

test('half a commit is reported, and the journal is left alone', async () => {
  const paths = makeSession();
  const script = `
    const Database = require('better-sqlite3');
    const db = new Database(process.argv[1]);
    db.pragma('journal_mode = PERSIST'); db.pragma('cache_size = 1'); db.pragma('cache_spill = 1');
    db.exec('BEGIN');
    const insert = db.prepare("INSERT INTO runner_state VALUES (?, ?, 1)");
    for (let at = 0; at < 2000; at++) insert.run('k' + at, JSON.stringify('x'.repeat(500)));
    process.kill(process.pid, 'SIGKILL');`;
  try {
    execFileSync(process.execPath, ['-e', script, paths.outboundDb], { cwd: projectRoot() });
  } catch (error) {
    expect(error).toMatchObject({ signal: 'SIGKILL' });
  }
  expect(await read(makeReader(), paths)).toMatchObject({ kind: 'hot-journal' });
  new Database(paths.outboundDb).prepare('SELECT count(*) FROM runner_state').get();
  expect(await read(makeReader(), paths)).toMatchObject({ kind: 'snapshot' });
});

test('a file that is replaced again and again is a violation, whole and empty as each may be', async () => {
  const reader = makeReader();
  const paths = makeSession();
  const kinds: string[] = [];
  for (let at = 0; at < 3; at++) {
    kinds.push((await read(reader, paths)).kind);
    renameSync(makeSession().outboundDb, paths.outboundDb);
  }
  expect(kinds).toEqual(['snapshot', 'snapshot', 'violation']);
  // What a release makes is read at once.
  expect(await read(reader, paths)).toMatchObject({ kind: 'snapshot' });
});

/** The reader program behind something that it meets on a machine, or in a file, at its start or at each read. */
function makeReaderBehind(program: string): OutboxReader {
  const entry = join(makeTempHome().home, 'reader.mjs');
  const wait = 'const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);';
  writeFileSync(
    entry,
    `${wait}\n${program}\nawait import(${JSON.stringify(join(projectRoot(), 'dist', 'reader.mjs'))});`,
  );
  const reader = new OutboxReader(entry);
  onTestFinished(() => reader[Symbol.dispose]());
  return reader;
}

test('a reader that starts slower than a read may take blames no session', async () => {
  expect(await read(makeReaderBehind('wait(3_000);'), makeSession())).toMatchObject({ kind: 'snapshot' });
});

test('a reader that gets no processor time blames no session: the read is tried again', async () => {
  const reader = makeReaderBehind(`process.on('message', () => wait(60_000));`);
  expect(await read(reader, makeSession())).toEqual({ kind: 'unread' });
});

test('a reader that works on one file past its deadline, twice, blames that file', async () => {
  const reader = makeReaderBehind(`process.on('message', () => { for (;;); });`);
  const paths = makeSession();
  // While the machine gives it no time to work in, nobody is blamed.
  const readAgain = async () => {
    const result = await read(reader, paths);
    return result.kind !== 'unread' && result;
  };
  const blamed = await until('it has worked for so long', readAgain, 50_000);
  expect(blamed).toMatchObject({ kind: 'violation', reason: expect.stringContaining('2000 ms') });
});

test('a reader that cannot start blames no session', async () => {
  expect(await read(makeReaderBehind('process.exit(1);'), makeSession())).toEqual({ kind: 'unread' });
});

test('closed, it answers what waits and starts no other reader for it', async () => {
  const reader = makeReader();
  const results = Promise.all([makeSession(), makeSession(), makeSession()].map((paths) => read(reader, paths)));
  reader[Symbol.dispose]();
  expect((await results).map(({ kind }) => kind)).toEqual(['busy', 'busy', 'busy']);
});
