#!/usr/bin/env node
/**
 * Checks that nothing in a Portolan ledger was changed, taken out or put in. Needs Node 20 or newer and the
 * database file, nothing else: copy it anywhere and read it first. That is why it is one file. It opens files for
 * reading alone, and a host may go on working meanwhile.
 *
 *   central.db ─┐
 *               ├─► pages, as of the last commit ─► rows of the table `ledger` ─► each entry follows the one before
 *   central.db-wal ┘
 *
 * I1. The file is input like any other: whatever its bytes are, the answer is a result or a clear error, in bounded
 *     time and memory.
 * I2. An entry counts as read only when the files were the same before and after. When they changed, reading goes
 *     on after the last entry that was checked: entries are only ever added.
 *
 * Source of the format: https://www.sqlite.org/fileformat2.html
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Entries between two looks whether the files changed. Higher: a busy host lets none of them count. Lower: more looks. */
const CHUNK_ENTRIES = 500;
/** Longest wait without an entry that counts. Lower: a busy host cannot be checked. */
const PATIENCE_MS = 30_000;
/** A file that changed this recently may change again without its time showing it: clocks of file systems are coarse. */
const CLOCK_GRAIN_MS = 20;
/** Largest entry; the host's are below 64 KiB. Higher: memory. */
const MAX_ENTRY_BYTES = 1024 * 1024;
/** Of a b-tree; with the smallest pages, a billion entries need fewer. */
const MAX_DEPTH = 24;
const COLUMNS = ['position', 'at', 'kind', 'session_id', 'message_id', 'actor', 'detail', 'previous_hash', 'hash'];
const FIRST_HASH = '0'.repeat(64);

/** The file is not what it should be; `message` says where and how. */
class BadFile extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'BadFile';
  }
}

/** @typedef {{ position: number, hash: string, at: number | null }} Link the end of a chain that holds */
/**
 * @typedef {object} Verdict
 * @property {boolean} ok
 * @property {number} entries checked
 * @property {Link} head the last entry that holds
 * @property {number | null} brokenAt the first position that does not
 * @property {string | null} problem in words
 */

/**
 * @param {string} path of central.db
 * @param {{ expect?: string, since?: { position: number, hash: string }, onProgress?: (entries: number) => void }} options
 * @returns {Promise<Verdict>} Throws BadFile, and what the file system throws.
 */
export async function verifyLedger(path, { expect, since, onProgress } = {}) {
  /** @type {Link} */
  let link = { position: 0, hash: FIRST_HASH, at: null };
  let entries = 0;
  let isExpectedSeen = expect === undefined;
  let isAtStart = since === undefined;
  let deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    if (Date.now() > deadline) throw new BadFile('the database changes faster than it can be read: try again later');
    const snapshot = await openSnapshot(path);
    try {
      const table = findTable(snapshot, 'ledger');
      checkColumns(table.sql);
      if (since !== undefined && !isAtStart) {
        const start = readChunk(readRows(snapshot, table.rootPage, since.position - 1), 1)[0];
        if (!snapshot.isUnchanged()) continue;
        if (start?.rowid !== since.position || start.values[8] !== since.hash) {
          return broken(0, link, since.position, `entry ${since.position} is not the one that was written down`);
        }
        link = { position: since.position, hash: since.hash, at: Number(start.values[1]) };
        isExpectedSeen ||= since.hash === expect;
        isAtStart = true;
      }
      const rows = readRows(snapshot, table.rootPage, link.position);
      for (;;) {
        const chunk = readChunk(rows, CHUNK_ENTRIES);
        if (!snapshot.isUnchanged()) break;
        for (const row of chunk) {
          const next = checkEntry(row, link);
          if (typeof next === 'string') return broken(entries, link, link.position + 1, next);
          link = next;
          entries++;
          isExpectedSeen ||= link.hash === expect;
        }
        deadline = Date.now() + PATIENCE_MS;
        onProgress?.(entries);
        if (chunk.length < CHUNK_ENTRIES) {
          const ever = readSequence(snapshot);
          if (!snapshot.isUnchanged()) break;
          return conclude(entries, link, ever, isExpectedSeen);
        }
      }
    } catch (error) {
      // What was read while the files changed says nothing about them (I2).
      if (!(error instanceof BadFile || error instanceof RangeError)) throw error;
      if (snapshot.isUnchanged()) {
        throw error instanceof BadFile ? error : new BadFile('something in a page points beyond its end');
      }
    } finally {
      snapshot.close();
    }
  }
}

/**
 * @param {number} entries
 * @param {Link} head
 * @param {number | null} ever positions that the database has given out
 * @param {boolean} isExpectedSeen
 * @returns {Verdict}
 */
function conclude(entries, head, ever, isExpectedSeen) {
  if (ever !== null && ever > head.position) {
    return broken(entries, head, head.position + 1, `the end is missing: there were ${ever} entries once`);
  }
  if (!isExpectedSeen) {
    return broken(
      entries,
      head,
      head.position + 1,
      'the entry that was written down is not there: the end was cut off',
    );
  }
  return { ok: true, entries, head, brokenAt: null, problem: null };
}

/**
 * @param {number} entries
 * @param {Link} head
 * @param {number} brokenAt
 * @param {string} problem
 * @returns {Verdict}
 */
function broken(entries, head, brokenAt, problem) {
  return { ok: false, entries, head, brokenAt, problem };
}

/**
 * @param {Row} row
 * @param {Link} link
 * @returns {Link | string} The next link, or why it does not follow.
 */
function checkEntry({ rowid, values }, link) {
  const [, at, kind, session, message, actor, detail, previousHash, hash] = values;
  const expected = link.position + 1;
  if (rowid !== expected) return `entry ${expected} is missing`;
  if (previousHash !== link.hash) return `entry ${expected} does not follow the one before it`;
  const computed = createHash('sha256')
    .update(JSON.stringify([link.hash, rowid, at, kind, session, message, actor, detail]))
    .digest('hex');
  if (hash !== computed) return `entry ${expected} was changed`;
  return { position: rowid, hash: computed, at: typeof at === 'number' ? at : null };
}

/* ------------------------------------------------------------------ pages, as of the last commit */

/**
 * @typedef {object} Snapshot
 * @property {number} usable bytes of a page that hold something
 * @property {number} pageCount
 * @property {(page: number) => Buffer} readPage
 * @property {() => boolean} isUnchanged whether all that was read is of one commit
 * @property {() => void} close
 */

/**
 * @param {string} path
 * @returns {Promise<Snapshot>}
 */
async function openSnapshot(path) {
  const db = openSync(path, constants.O_RDONLY);
  /** @type {number | null} */
  let log = null;
  try {
    if (!fstatSync(db).isFile()) throw new BadFile(`${path} is not a file`);
    // Otherwise a change within the grain of the clock would not show.
    const ageMs = Date.now() - Number(fstatSync(db).mtimeMs);
    if (ageMs < CLOCK_GRAIN_MS) await new Promise((resolve) => setTimeout(resolve, CLOCK_GRAIN_MS));
    const before = stampOf(db);
    const header = readAt(db, 0, 100);
    const isWal = header.length < 100 || header[18] === 2;
    if (!isWal && existsSync(`${path}-journal`)) {
      throw new BadFile('a journal lies beside it: let its host start once, which mends the database');
    }
    if (isWal && existsSync(`${path}-wal`)) log = openSync(`${path}-wal`, constants.O_RDONLY);
    const frames = log === null ? null : readLog(log);
    const first = frames?.pages.has(1) ? readAt(log ?? db, frames.pages.get(1) ?? 0, 100) : header;
    const { pageSize, usable, pageCount } = parseHeader(first, Number(fstatSync(db).size));
    if (frames !== null && frames.pages.size > 0 && frames.pageSize !== pageSize) {
      throw new BadFile('the log (-wal) belongs to a database with pages of another size');
    }
    const counted = frames === null || frames.pageCount === 0 ? pageCount : frames.pageCount;
    // What a header claims is bounded by what the files hold, and with it the time that loops are followed (I1).
    const held = Math.ceil(Number(fstatSync(db).size) / pageSize) + (frames?.pages.size ?? 0);
    const count = Math.min(counted, held);
    return {
      usable,
      pageCount: count,
      readPage: (page) => {
        if (!(page >= 1 && page <= count)) throw new BadFile(`page ${page} is named, and there are ${count} pages`);
        const logged = frames?.pages.get(page);
        const bytes =
          logged === undefined || log === null
            ? readAt(db, (page - 1) * pageSize, pageSize)
            : readAt(log, logged, pageSize);
        if (bytes.length < pageSize) throw new BadFile(`page ${page} is beyond the end of the file`);
        return bytes;
      },
      isUnchanged: () =>
        stampOf(db) === before && (log === null || frames === null || readAt(log, 0, 32).equals(frames.header)),
      close: () => {
        closeSync(db);
        if (log !== null) closeSync(log);
      },
    };
  } catch (error) {
    closeSync(db);
    if (log !== null) closeSync(log);
    throw error;
  }
}

/** @param {number} file */
function stampOf(file) {
  const { size, mtimeNs } = fstatSync(file, { bigint: true });
  return `${size} ${mtimeNs}`;
}

/**
 * As many bytes as there are.
 * @param {number} file
 * @param {number} offset
 * @param {number} length
 */
function readAt(file, offset, length) {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/**
 * @param {Buffer} header
 * @param {number} fileSize
 */
function parseHeader(header, fileSize) {
  if (header.length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new BadFile('this is not an SQLite database');
  }
  const raw = header.readUInt16BE(16);
  const pageSize = raw === 1 ? 65_536 : raw;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0)
    throw new BadFile(`pages of ${pageSize} bytes are impossible`);
  const usable = pageSize - (header[20] ?? 0);
  if (usable < 480) throw new BadFile('too much of each page is set aside');
  if (header.readUInt32BE(56) > 1) throw new BadFile('the text of this database is not UTF-8');
  // The count in the header holds when both change counters agree; else the size of the file does.
  const isCounted = header.readUInt32BE(24) === header.readUInt32BE(92);
  const counted = header.readUInt32BE(28);
  return { pageSize, usable, pageCount: isCounted && counted > 0 ? counted : Math.floor(fileSize / pageSize) };
}

/**
 * The write-ahead log: for each page, where its newest committed version stands. A frame counts when its checksum,
 * which goes over all before it, holds; and when a commit comes at it or after it.
 * @param {number} file
 */
function readLog(file) {
  const header = readAt(file, 0, 32);
  /** @type {Map<number, number>} */
  const pages = new Map();
  const none = { header, pages, pageSize: 0, pageCount: 0 };
  if (header.length < 32) return none;
  const magic = header.readUInt32BE(0);
  const pageSize = header.readUInt32BE(8);
  const isKnown = magic === 0x377f0682 || magic === 0x377f0683;
  if (!isKnown || pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return none;
  const isBigEndian = magic === 0x377f0683;
  /** @type {[number, number]} */
  let sum = addChecksum([0, 0], header.subarray(0, 24), isBigEndian);
  if (sum[0] !== header.readUInt32BE(24) || sum[1] !== header.readUInt32BE(28)) return none;
  let pageCount = 0;
  /** @type {Map<number, number>} */
  let uncommitted = new Map();
  for (let offset = 32; ; offset += 24 + pageSize) {
    const frame = readAt(file, offset, 24 + pageSize);
    if (frame.length < 24 + pageSize || !frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
    sum = addChecksum(sum, frame.subarray(0, 8), isBigEndian);
    sum = addChecksum(sum, frame.subarray(24), isBigEndian);
    if (sum[0] !== frame.readUInt32BE(16) || sum[1] !== frame.readUInt32BE(20)) break;
    uncommitted.set(frame.readUInt32BE(0), offset + 24);
    const committed = frame.readUInt32BE(4);
    if (committed === 0) continue;
    for (const [page, at] of uncommitted) pages.set(page, at);
    uncommitted = new Map();
    pageCount = committed;
  }
  return { header, pages, pageSize, pageCount };
}

/**
 * @param {[number, number]} sum
 * @param {Buffer} bytes
 * @param {boolean} isBigEndian
 * @returns {[number, number]}
 */
function addChecksum([first, second], bytes, isBigEndian) {
  for (let at = 0; at < bytes.length; at += 8) {
    const one = isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const two = isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
    first = (first + one + second) >>> 0;
    second = (second + two + first) >>> 0;
  }
  return [first, second];
}

/* ------------------------------------------------------------------ tables */

/** @typedef {string | number | null} Value */
/** @typedef {{ rowid: number, values: Value[] }} Row */

/**
 * Rows of a table after a rowid, in order.
 * @param {Snapshot} snapshot
 * @param {number} rootPage
 * @param {number} after
 * @returns {Generator<Row>}
 */
function* readRows({ usable, pageCount, readPage }, rootPage, after) {
  let seen = 0;
  // Each page belongs to one place of a table: more of them is a loop.
  const visit = (/** @type {number} */ page) => {
    if (++seen > pageCount) throw new BadFile(`page ${page} leads back to where it was named`);
    return readPage(page);
  };
  /** Pages to look at, the next one last, each with how deep it lies. @type {[number, number][]} */
  const waiting = [[rootPage, 0]];
  let last = after;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [number, depth] = next;
    if (depth > MAX_DEPTH) throw new BadFile(`page ${number} lies too deep`);
    const page = visit(number);
    const { type, cells, rightmost } = parsePage(page, number);
    if (type === 'leaf') {
      for (const at of cells) {
        const size = readVarint(page, at);
        const { value: rowid, next: start } = readVarint(page, size.next);
        if (rowid <= after) continue;
        if (rowid <= last) throw new BadFile(`row ${rowid} stands behind row ${last}`);
        if (size.value > MAX_ENTRY_BYTES) throw new BadFile(`row ${rowid} says that it has ${size.value} bytes`);
        last = rowid;
        yield { rowid, values: parseRecord(readPayload(usable, visit, page, start, size.value), rowid) };
      }
      continue;
    }
    /** @type {[number, number][]} */
    const children = [];
    for (const at of cells) {
      if (readVarint(page, at + 4).value > after) children.push([page.readUInt32BE(at), depth + 1]);
    }
    children.push([rightmost, depth + 1]);
    waiting.push(...children.reverse());
  }
}

/**
 * @param {Buffer} page
 * @param {number} number
 * @returns {{ type: 'leaf' | 'interior', cells: number[], rightmost: number }}
 */
function parsePage(page, number) {
  const start = number === 1 ? 100 : 0;
  const kind = page[start];
  if (kind !== 13 && kind !== 5) throw new BadFile(`page ${number} is no page of a table`);
  const head = start + (kind === 13 ? 8 : 12);
  const count = page.readUInt16BE(start + 3);
  if (head + 2 * count > page.length) throw new BadFile(`page ${number} says that it holds ${count} cells`);
  const cells = [];
  for (let index = 0; index < count; index++) cells.push(page.readUInt16BE(head + 2 * index));
  return { type: kind === 13 ? 'leaf' : 'interior', cells, rightmost: kind === 5 ? page.readUInt32BE(start + 8) : 0 };
}

/**
 * What does not fit in the page goes on in a chain of others.
 * @param {number} usable
 * @param {(page: number) => Buffer} visit
 * @param {Buffer} page
 * @param {number} at
 * @param {number} size
 */
function readPayload(usable, visit, page, at, size) {
  const inPage = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = least + ((size - least) % (usable - 4));
  const local = size <= inPage ? size : wanted <= inPage ? wanted : least;
  if (at + local + (local < size ? 4 : 0) > page.length) throw new BadFile('a row goes beyond its page');
  const parts = [page.subarray(at, at + local)];
  let next = local < size ? page.readUInt32BE(at + local) : 0;
  for (let left = size - local; left > 0; left -= usable - 4) {
    const overflow = visit(next);
    parts.push(overflow.subarray(4, 4 + Math.min(left, usable - 4)));
    next = overflow.readUInt32BE(0);
  }
  return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
}

/**
 * @param {Buffer} payload
 * @param {number} rowid
 * @returns {Value[]}
 */
function parseRecord(payload, rowid) {
  const head = readVarint(payload, 0);
  let at = head.value;
  /** @type {Value[]} */
  const values = [];
  for (let cursor = head.next; cursor < head.value; ) {
    const type = readVarint(payload, cursor);
    cursor = type.next;
    const size = sizeOf(type.value);
    if (at + size > payload.length) throw new BadFile(`row ${rowid} is shorter than it says`);
    values.push(readValue(payload, at, type.value, size, rowid));
    at += size;
  }
  return values;
}

/** Bytes of the integer types 1 to 6. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

/** @param {number} type */
function sizeOf(type) {
  if (type >= 12) return Math.floor((type - 12) / 2);
  if (type === 7) return 8;
  return INTEGER_BYTES[type] ?? 0;
}

/**
 * @param {Buffer} payload
 * @param {number} at
 * @param {number} type
 * @param {number} size
 * @param {number} rowid
 * @returns {Value}
 */
function readValue(payload, at, type, size, rowid) {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type === 6) {
    const value = Number(payload.readBigInt64BE(at));
    if (!Number.isSafeInteger(value)) throw new BadFile(`row ${rowid} holds a number that is too large`);
    return value;
  }
  if (type >= 1 && type <= 5) return payload.readIntBE(at, size);
  if (type >= 13 && type % 2 === 1) return payload.toString('utf8', at, at + size);
  throw new BadFile(`row ${rowid} holds a value of a sort that no entry has`);
}

/**
 * Seven bits in each byte. No size and no row of a file needs more than seven bytes.
 * @param {Buffer} bytes
 * @param {number} at
 */
function readVarint(bytes, at) {
  let value = 0;
  for (let index = 0; index < 7; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new BadFile('a number goes beyond its page');
    value = value * 128 + (byte & 127);
    if (byte < 128) return { value, next: at + index + 1 };
  }
  throw new BadFile('a number is absurd');
}

/**
 * @param {Snapshot} snapshot
 * @param {string} name
 */
function findTable(snapshot, name) {
  for (const { values } of readRows(snapshot, 1, 0)) {
    const [type, own, , rootPage, sql] = values;
    if (type === 'table' && own === name) return { rootPage: Number(rootPage), sql: String(sql) };
  }
  throw new BadFile(`this database has no table "${name}": is it the central.db of a host?`);
}

/** @param {string} sql */
function checkColumns(sql) {
  const body = sql.slice(sql.indexOf('(') + 1);
  const names = [...body.matchAll(/(?:^|,)\s*(?:--[^\n]*\n\s*)*([a-z_]+) (?:INTEGER|TEXT)/g)].map((match) => match[1]);
  if (names.join() !== COLUMNS.join() || !/position INTEGER PRIMARY KEY/.test(body)) {
    throw new BadFile('its ledger has other columns than this script knows: use the one that came with its host');
  }
}

/**
 * How many positions were ever given out; null when that is not kept.
 * @param {Snapshot} snapshot
 */
function readSequence(snapshot) {
  const { rootPage } = findTable(snapshot, 'sqlite_sequence');
  for (const { values } of readRows(snapshot, rootPage, 0)) {
    if (values[0] === 'ledger') return Number(values[1]);
  }
  return null;
}

/**
 * @param {Generator<Row>} rows
 * @param {number} count
 */
function readChunk(rows, count) {
  /** @type {Row[]} */
  const chunk = [];
  while (chunk.length < count) {
    const { value, done } = rows.next();
    if (done === true) break;
    chunk.push(value);
  }
  return chunk;
}

/* ------------------------------------------------------------------ the command line */

const USAGE = `usage: node verify-ledger.mjs [central.db] [--expect <hash>] [--since <position>:<hash>] [--json]

  central.db   default: central.db in PORTOLAN_HOME, else in data/
  --expect     an entry with this hash must be there: write the head down elsewhere, and nothing can be cut off
  --since      start after this entry, which must have this hash

exit codes: 0 the chain holds, 1 it does not, 2 usage, 3 the file cannot be read`;

/** @param {string[]} words */
function parseWords(words) {
  /** @type {{ path: string | null, expect?: string, since?: { position: number, hash: string }, json: boolean }} */
  const parsed = { path: null, json: false };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--json') parsed.json = true;
    else if (word === '--expect') {
      const hash = words[++at] ?? '';
      if (!/^[0-9a-f]{64}$/.test(hash)) return null;
      parsed.expect = hash;
    } else if (word === '--since') {
      const match = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(words[++at] ?? '');
      if (match === null) return null;
      parsed.since = { position: Number(match[1]), hash: match[2] ?? '' };
    } else if (word.startsWith('-') || parsed.path !== null) return null;
    else parsed.path = word;
  }
  return parsed;
}

/** @param {string[]} words */
async function main(words) {
  const parsed = parseWords(words);
  if (parsed === null || words.includes('--help')) {
    console.error(USAGE);
    return 2;
  }
  const { path, json, ...options } = parsed;
  const home = process.env.PORTOLAN_HOME ?? fileURLToPath(new URL('../data', import.meta.url));
  const file = path ?? join(home, 'central.db');
  try {
    const verdict = await verifyLedger(file, options);
    console.log(json ? JSON.stringify(verdict) : describe(verdict));
    return verdict.ok ? 0 : 1;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(json ? JSON.stringify({ error: message }) : `✗ ${file}: ${message}`);
    return 3;
  }
}

/** @param {Verdict} verdict */
function describe({ ok, entries, head, problem }) {
  const lines = [
    ok ? `✓ The chain holds: ${entries} entries, each follows the one before.` : `✗ The chain is broken: ${problem}.`,
    ...(ok ? [] : [`  before it  ${entries} entries that hold`]),
    `  head       ${head.position}:${head.hash}`,
  ];
  if (head.at !== null) lines.push(`  written    ${new Date(head.at).toISOString()}`);
  return lines.join('\n');
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
