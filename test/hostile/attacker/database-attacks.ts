/** Attacks on whoever reads outbound.db, and on what may be written beside it. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { makeId } from '../../../shared/ids.ts';
import { OUTBOUND_SCHEMA } from '../../../shared/session-schema.ts';
import { type Attacker, attempt, files, open, type Task } from './attacker.ts';

type Attack = (attacker: Attacker, task: Task) => void | Promise<void>;

function replaceOutbound(make: (path: string) => void): Attack {
  return (attacker) => {
    attacker.db.close();
    const making = `${files.out}/making`;
    make(making);
    // A folder does not replace a file by renaming.
    if (lstatSync(making).isDirectory()) rmSync(files.outboundDb);
    renameSync(making, files.outboundDb);
  };
}

const JOURNAL_MAGIC = Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);

/** A hot journal of `pages` pages that names a super-journal, which a reader that may write removes. */
export function makeJournal(superJournal: string, pages: number): Buffer {
  const header = Buffer.alloc(512);
  JOURNAL_MAGIC.copy(header);
  header.writeUInt32BE(0, 8);
  header.writeUInt32BE(12_345, 12);
  header.writeUInt32BE(pages, 16);
  header.writeUInt32BE(512, 20);
  header.writeUInt32BE(4_096, 24);
  const name = Buffer.from(superJournal);
  const tail = Buffer.alloc(16);
  const sum = name.reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0);
  tail.writeUInt32BE(name.length, 0);
  tail.writeUInt32BE(sum >>> 0, 4);
  JOURNAL_MAGIC.copy(tail, 8);
  // The page number of the lock byte, which no page of a small database has.
  const lockPage = Buffer.alloc(4);
  lockPage.writeUInt32BE(0x40000000 / 4_096 + 1, 0);
  return Buffer.concat([header, lockPage, name, tail]);
}

/** The tables as the contract has them by their text, and without its checks in truth. */
function remakeLoosely(attacker: Attacker, further: (sql: string) => string = (sql) => sql): void {
  const { db } = attacker;
  const loose = OUTBOUND_SCHEMA.filter((sql) => sql.startsWith('CREATE TABLE')).map((sql) =>
    sql
      .replace(/ STRICT$/, '')
      .replace(/ (INTEGER|TEXT)\b/g, ' BLOB')
      .replace(/ NOT NULL/g, '')
      .replace(/ CHECK \((?:[^()]|\([^()]*\))*\)/g, ''),
  );
  for (const table of ['messages_out', 'processing', 'runner_state']) db.exec(`DROP TABLE ${table}`);
  for (const sql of loose) db.exec(further(sql));
  db.exec('CREATE INDEX messages_out_reply ON messages_out (in_reply_to)');
}

function claimContractSchema(attacker: Attacker): void {
  const { db } = attacker;
  db.unsafeMode(true);
  db.pragma('writable_schema = ON');
  for (const sql of OUTBOUND_SCHEMA) {
    const name = /^CREATE (?:TABLE|INDEX) (\w+)/.exec(sql)?.[1];
    db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(sql, name);
  }
  db.pragma('writable_schema = OFF');
}

/** Kept from the garbage collector, which would end a statement and its lock. */
const held: unknown[] = [];

export const DATABASE_ATTACKS: Record<string, Attack> = {
  'plants-inbound-journal': (attacker, { args }) => {
    const target = `${files.inboundDb}-journal`;
    const tried = {
      journal: attempt(() => writeFileSync(target, makeJournal(args.precious ?? '', 1))),
      remove: attempt(() => unlinkSync(target)),
      link: attempt(() => symlinkSync(args.precious ?? '', target)),
      rename: attempt(() => renameSync(files.inboundDb, `${files.inboundDb}.old`)),
      write: attempt(() => writeSync(openSync(files.inboundDb, 'r+'), 'x')),
      chart: attempt(() => writeFileSync(files.chart, '{}')),
      remount: attempt(() => spawnSync('mount', ['-o', 'remount,rw', '/workspace/in']).status),
    };
    attacker.say(JSON.stringify(tried));
  },

  'plants-outbound-journal': (attacker, { args }) => {
    const pages = Number(attacker.db.pragma('page_count', { simple: true }));
    attacker.db.close();
    writeFileSync(`${files.outboundDb}-journal`, makeJournal(args.precious ?? '', pages));
    const fd = openSync(`${files.outboundDb}-journal`, 'r');
    fsyncSync(fd);
    closeSync(fd);
  },

  'links-outbound': (attacker, task) =>
    replaceOutbound((path) => symlinkSync(task.args.other ?? '', path))(attacker, task),
  'fifo-outbound': replaceOutbound((path) => spawnSync('mkfifo', [path])),
  'folder-outbound': replaceOutbound((path) => mkdirSync(path)),

  'sparse-outbound': (attacker, task) => {
    const tried = attempt(() => ftruncateSync(openSync(`${files.out}/huge`, 'w'), 2 ** 40));
    // Not said as a message: the database is gone before the host has read it.
    writeFileSync(`${files.out}/terabyte`, tried);
    return replaceOutbound((path) => ftruncateSync(openSync(path, 'w'), 255 * 2 ** 20))(attacker, task);
  },

  'endless-view': (attacker) => {
    attacker.db.exec('DROP TABLE messages_out');
    attacker.db.exec(
      `CREATE VIEW messages_out AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)
       SELECT n AS id, n AS seq, NULL AS in_reply_to, 0 AS timestamp, NULL AS deliver_after, 'chat' AS kind, NULL AS destination,
         NULL AS channel_type, NULL AS platform_id, NULL AS thread_id, NULL AS trace_id, '{}' AS content FROM r WHERE n < 0`,
    );
    attacker.mark('msg_00000000000000000000', 'claimed');
  },

  'corrupt-page': (attacker) => {
    for (let n = 0; n < 50; n++) attacker.say(`filler ${n} ${'x'.repeat(2_000)}`);
    attacker.db.close();
    const fd = openSync(files.outboundDb, 'r+');
    for (let page = 1; page < 20; page++) writeSync(fd, Buffer.alloc(4_096, 0xee), 0, 4_096, page * 4_096);
    closeSync(fd);
  },

  'swapped-roots': (attacker) => {
    attacker.say('before');
    const { db } = attacker;
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.exec(
      `UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'runner_state') WHERE name = 'messages_out'`,
    );
    // Whoever has read the schema reads it again.
    db.pragma('schema_version = 999');
    db.close();
  },

  'wrong-types': (attacker, { args }) => {
    remakeLoosely(attacker);
    const insert = attacker.db.prepare('INSERT INTO messages_out VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const [own] = attacker.chart.destinations;
    const row: Record<string, unknown> = {
      ...{ id: makeId('message'), seq: attacker.nextSeq(), in_reply_to: null, timestamp: 0, deliver_after: null },
      ...{ kind: 'chat', destination: own?.name ?? null, channel_type: 'x', platform_id: 'x', thread_id: null },
      ...{ trace_id: null, content: '{"text":"x"}' },
    };
    // The field that the test names gets a value of a type that its column cannot have.
    row[args.field ?? ''] =
      args.type === 'number' ? 7 : args.type === 'real' ? 1.5 : args.type === 'null' ? null : Buffer.from('blob');
    insert.run(...Object.values(row));
    const blob = Buffer.from('blob');
    attacker.db.prepare('INSERT INTO processing VALUES (?, ?, ?, ?)').run(args.message ?? blob, 'done', blob, blob);
    attacker.db.prepare('INSERT INTO runner_state VALUES (?, ?, ?)').run('hello', blob, blob);
    claimContractSchema(attacker);
  },

  'million-marks': (attacker, { id }) => {
    remakeLoosely(attacker, (sql) => sql.replace(/ PRIMARY KEY/g, ''));
    const mark = attacker.db.prepare('INSERT INTO processing VALUES (?, ?, ?, ?)');
    attacker.db.transaction(() => {
      for (let n = 0; n < 1_000_000; n++) mark.run(id, 'claimed', n, null);
    })();
    claimContractSchema(attacker);
  },

  'million-rows': (attacker) => {
    const [own] = attacker.chart.destinations;
    if (own?.type !== 'channel') throw new Error('the chart has no chat');
    const insert = attacker.db.prepare(
      `INSERT INTO messages_out (id, seq, timestamp, kind, destination, channel_type, platform_id, trace_id, content)
       VALUES (?, ?, 0, 'chat', ?, ?, ?, '', '{"text":"flood"}')`,
    );
    let seq = attacker.nextSeq();
    // In parts, so that the host reads while more is coming.
    for (let part = 0; part < 20; part++) {
      attacker.db.transaction(() => {
        for (let n = 0; n < 50_000; n++, seq += 2) {
          insert.run(`msg_${String(seq).padStart(20, '0')}`, seq, own.name, own.channelType, own.platformId);
        }
      })();
    }
  },

  'huge-row': (attacker) => {
    const { db } = attacker;
    db.pragma('ignore_check_constraints = ON');
    // At once: a host that looks in between finds a row like any other.
    db.transaction(() => {
      const id = attacker.insert();
      db.prepare('UPDATE messages_out SET content = CAST(zeroblob(100 << 20) AS TEXT) WHERE id = ?').run(id);
    })();
    attacker.say('after the huge row');
  },

  'deep-json': (attacker) => {
    attacker.db.pragma('ignore_check_constraints = ON');
    const depth = 100_000;
    attacker.insert({ content: '['.repeat(depth) + ']'.repeat(depth) });
    attacker.insert({ content: `{"text":"x","attachments":${'['.repeat(depth)}${']'.repeat(depth)}}` });
    attacker.insert({ content: `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}` });
    attacker.say('after the deep rows');
  },

  'forged-seq': (attacker, { args }) => {
    attacker.db.pragma('ignore_check_constraints = ON');
    attacker.insert({ seq: BigInt(args.seq ?? '') });
  },

  'forged-routing': (attacker, { args }) => {
    const { destination, channelType, platformId } = args;
    const forged = [
      { channelType, platformId },
      { destination, channelType, platformId },
      { platformId },
      { channelType },
      { destination },
      { destination: null },
      { destination: '../../x' },
      { destination: 'a\nb' },
      { threadId: 'a-thread-of-another-chat' },
      { kind: 'edit', content: JSON.stringify({ messageId: args.foreignMessage, text: 'edited' }) },
      { kind: 'reaction', content: JSON.stringify({ messageId: args.foreignMessage, emoji: '!' }) },
      { inReplyTo: args.foreignMessage },
      { id: args.foreignMessage },
      { id: '../../../etc/passwd' },
      { traceId: '../../x' },
      { kind: 'request', content: JSON.stringify({ action: 'create_agent', name: 'mine' }) },
      { deliverAfter: 2 ** 52 },
      { kind: 'question', content: JSON.stringify({ title: 't', question: 'q', options: [] }) },
    ];
    for (const row of forged) attacker.insert(row as never);
    attacker.say('after the forged rows');
  },

  'holds-inbound': async () => {
    const inbound = new Database(files.inboundDb, { readonly: true });
    const rows = inbound.prepare('SELECT 1 FROM sqlite_schema').iterate();
    rows.next();
    // Not said as a message: the host could not note that it sends one.
    writeFileSync(`${files.out}/locked`, '');
    held.push(rows);
    await delay(2 ** 30);
  },

  'holds-outbound': async (attacker) => {
    attacker.db.exec('BEGIN EXCLUSIVE');
    await delay(2 ** 30);
  },

  'claims-and-sleeps': async (attacker, { id }) => {
    attacker.mark(id, 'claimed');
    await delay(2 ** 30);
  },

  'rewrites-outbound': async (attacker) => {
    // Never the same file twice: what is checked is not what is opened.
    attacker.db.close();
    for (;;) {
      const other = `${files.out}/other.db`;
      rmSync(other, { force: true });
      const db = open(other);
      for (const sql of OUTBOUND_SCHEMA) db.exec(sql);
      db.close();
      renameSync(other, files.outboundDb);
      await delay(1);
    }
  },
};
