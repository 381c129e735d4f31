/**
 * Each attack is made for real, from inside a real container. Whatever it does: the host stays the same
 * process, leaks nothing, names what it set aside, and honest sessions answer within twice their time, or
 * within 50 ms where that is more: below it the noise of a two-core machine counts.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MAX_OUTBOUND_ROWS_PER_MINUTE, OUTBOUND_BURST_ROWS } from '../../shared/limits.ts';
import { readUse, since } from '../bench/process-use.ts';
import type { MemoryUse } from '../support/hosted/protocol.ts';
import { until } from '../support/until.ts';
import { makeJournal } from './attacker/database-attacks.ts';
import { Harbour, median } from './harbour.ts';

/**
 * How long honest answers are measured between attacks, and during each unless it takes longer to show: the host
 * reads at once what it is rung for. Lower: fewer answers than tell noise from harm on a slow machine.
 */
const NORMAL_MS = 400;
const DURING_MS = 750;
/** Twice the normal time, and never less than this: with a warm answer in milliseconds, noise alone is more. */
const FLOOR_MS = 50;

type Args = (harbour: Harbour) => Record<string, string> | Promise<Record<string, string>>;

interface Attack {
  name: string;
  args?: Args;
  duringMs?: number;
  /** What somebody does while the attack is under way. */
  amid?: (harbour: Harbour, name: string) => Promise<void>;
  /** The reason for which its session is set aside. */
  quarantine?: RegExp;
  /** What else must come of it. */
  also?: (harbour: Harbour, name: string) => Promise<void>;
}

const precious: Args = (harbour) => ({ precious: harbour.precious });

/** Chats and messages that the attacker has no business with. */
const foreign: Args = async (harbour) => {
  const report = await harbour.report();
  const message = report.messages.find(({ direction, text }) => direction === 'out' && text.startsWith('ping'));
  return {
    channelType: 'platform-native',
    platformId: 'honest-one',
    destination: 'honest-one',
    foreignMessage: message?.id ?? '',
  };
};

const says = (wanted: RegExp) => async (harbour: Harbour, name: string) => {
  await harbour.untilSaid(name, wanted);
};

/** What it says last is said, and the bad rows before it ended as refusals that people can see. */
const isRefused = (wanted: RegExp, rows: number) => async (harbour: Harbour, name: string) => {
  await harbour.untilSaid(name, wanted);
  // Into the ledger with the next commit of the central database, which may come after what is said.
  await until('the refusals are recorded', async () => (await harbour.refusals(name)).length >= rows);
  expect(await harbour.refusals(name)).toHaveLength(rows);
};

const ATTACKS: Attack[] = [
  {
    name: 'plants-inbound-journal',
    args: precious,
    also: async (harbour, name) => {
      const tried = JSON.parse(await harbour.untilSaid(name, /journal/));
      expect(tried.remount).not.toBe('worked: 0');
      expect(tried).toMatchObject({
        journal: 'EROFS',
        remove: 'EROFS',
        // The host's own journal stands there, and stays.
        link: 'EEXIST',
        rename: 'EROFS',
        write: 'EACCES',
        chart: 'EROFS',
      });
    },
  },
  {
    name: 'links-outbound',
    args: async (harbour) => ({ other: (await harbour.folder('honest-one')).outboundDb }),
    quarantine: /it is a link/,
  },
  { name: 'fifo-outbound', quarantine: /not a regular file/ },
  { name: 'folder-outbound', quarantine: /not a regular file/ },
  {
    name: 'sparse-outbound',
    quarantine: /outbound\.db/,
    also: async (harbour, name) => {
      // The limit on file sizes stops it first; the 255 MB that it may make are no database.
      const { out } = await harbour.folder(name);
      expect(readFileSync(join(out, 'terabyte'), 'utf8')).toBe('EFBIG');
    },
  },
  { name: 'endless-view', quarantine: /schema/ },
  { name: 'corrupt-page', quarantine: /outbound\.db/ },
  { name: 'swapped-roots', quarantine: /outbound\.db/ },
  ...['id', 'seq', 'kind', 'content', 'destination', 'channel_type', 'deliver_after', 'in_reply_to'].flatMap(
    (field): Attack[] => [
      {
        name: `wrong-types--${field}`,
        args: () => ({ field, type: field === 'seq' ? 'real' : 'blob' }),
        quarantine: /outbound\.db/,
      },
    ],
  ),
  { name: 'million-marks', duringMs: 4_000, quarantine: /outbound\.db/ },
  {
    name: 'million-rows',
    duringMs: 6_000,
    also: async (harbour, name) => {
      // Honest agents are below this; a flood is let through drop by drop.
      const posted = harbour.platform.inChat('platform-native', name).length;
      expect(posted).toBeGreaterThan(0);
      expect(posted).toBeLessThan(OUTBOUND_BURST_ROWS + MAX_OUTBOUND_ROWS_PER_MINUTE);
    },
  },
  { name: 'huge-row', also: isRefused(/after the huge row/, 1) },
  { name: 'deep-json', also: isRefused(/after the deep rows/, 3) },
  ...['2', '4', '100001', '9007199254740993', '9223372036854775807', '-1'].map(
    (seq, at): Attack => ({
      name: `forged-seq--${at}`,
      args: () => ({ seq }),
      ...(Number(seq) > 4 ? { quarantine: /sequence number/ } : {}),
    }),
  ),
  { name: 'forged-routing', args: foreign, also: says(/after the forged rows/) },
  { name: 'odd-names', args: precious, also: says(/after the odd names/) },
  {
    name: 'links',
    args: (harbour) => ({ precious: harbour.precious, folder: harbour.home, name: 'precious.txt' }),
    also: says(/after the links/),
  },
  {
    name: 'swapping-links',
    args: (harbour) => ({ precious: harbour.precious, forMs: '4000' }),
    duringMs: 4_000,
    also: says(/after the swaps/),
  },
  {
    name: 'heartbeat--link',
    args: (harbour) => ({ kind: 'link', precious: harbour.precious }),
    also: says(/heartbeat is a link/),
  },
  { name: 'heartbeat--fifo', args: () => ({ kind: 'fifo' }), also: says(/heartbeat is a fifo/) },
  {
    name: 'holds-inbound',
    duringMs: 5_000,
    amid: async (harbour, name) => {
      const { out } = await harbour.folder(name);
      await until('it holds the lock', () => existsSync(join(out, 'locked')));
      // Not accepted, so the platform keeps it; and it is noticed who is in the way.
      const answer = await harbour.hosted.receive('platform-native', name, '{}', 'kept-by-the-platform');
      expect(answer).toEqual({ kind: 'refused', code: 'session_busy' });
    },
    also: untilState(/holds|locked|inbox/),
  },
  { name: 'holds-outbound', duringMs: 5_000, also: untilState(/holds|locked|inbox/) },
  { name: 'rewrites-outbound', quarantine: /outbound\.db/ },
  {
    name: 'fork-bomb',
    duringMs: 4_000,
    also: async (harbour, name) => {
      const processes = (await harbour.docker(name, 'top')).split('\n').length;
      expect(processes).toBeGreaterThan(20);
      expect(processes).toBeLessThan(135);
    },
  },
  { name: 'eats-memory', duringMs: 3_000, also: untilState(/memory/) },
  {
    name: 'fills-bytes--out',
    duringMs: 5_000,
    args: () => ({ folder: '/workspace/out' }),
    quarantine: /bytes on disk/,
  },
  {
    name: 'fills-bytes--agent',
    duringMs: 5_000,
    args: () => ({ folder: '/workspace/agent' }),
    quarantine: /bytes on disk/,
  },
  { name: 'fills-inodes', duringMs: 4_000, quarantine: /files/ },
  { name: 'deep-folders', quarantine: /too deep/ },
  {
    name: 'floods-log',
    duringMs: 4_000,
    also: async (harbour, name) => {
      // 4 MB were printed by now; what the engine keeps is bounded.
      expect((await harbour.docker(name, 'logs')).length).toBeLessThan(3 * 2 ** 20);
    },
  },
  ...['touch', 'turns'].map(
    (by): Attack => ({ name: `rings-without-end--${by}`, args: () => ({ by }), also: costsLittle }),
  ),
  { name: 'ignores-sigterm', also: says(/not listening/) },
];

/** What is found out only after a minute of silence: begun before all others, looked at after them. */
const SLOW: Attack[] = [{ name: 'claims-and-sleeps' }, { name: 'plants-outbound-journal', args: precious }];

/** The state that people see names the trouble. */
function untilState(wanted: RegExp) {
  return async (harbour: Harbour, name: string) => {
    await until(
      `the state of ${name} says ${wanted}`,
      async () => {
        const { state, reason } = await harbour.session(name);
        return ['waiting', 'failed', 'quarantined'].includes(state) && wanted.test(reason ?? '');
      },
      30_000,
    );
  };
}

/**
 * What it holds for itself, over what that was before the first attack, after a collection: 4 MiB of JavaScript and
 * none outside it were seen. A leak for each message or ring is more.
 */
const MAX_GROWTH_BYTES = 16 * 2 ** 20;
/**
 * All of the process: 230 to 325 MiB were seen, 180 before the first attack; 48 are Node's own program, and what the
 * allocator keeps for later differs from machine to machine. The attacks brought gigabytes, and 558 and 620 MiB were
 * left by faults that are mended.
 */
const MAX_RSS_BYTES = 400 * 2 ** 20;
/**
 * What an attacker may cost the host and its readers while it goes on: 1 to 10 % were seen, which a core three times
 * slower makes 30. A host that never rests from its rings takes all that it gets.
 */
const MAX_CORE_SHARE = 0.35;
const MEASURE_MS = 2_000;

async function costsLittle(harbour: Harbour) {
  const before = readUse(harbour.hosted.pid);
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  const { coreShare } = since(before, readUse(harbour.hosted.pid));
  console.log(`hostile: the host took ${(coreShare * 100).toFixed(1)} % of a core meanwhile`);
  expect(coreShare).toBeLessThan(MAX_CORE_SHARE);
}

/** Most are found out at the first read; who swaps the file at the third. */
const SET_ASIDE_MS = 45_000;

/** Noise comes now and then, harm comes each time: an attack has harmed somebody when it does so in each of these. */
const TRIES = 3;

/** Agents that make the same attack, one for each try. */
function doubles(name: string): string[] {
  return Array.from({ length: TRIES }, (_each, at) => (at === 0 ? name : `${name}--again-${at}`));
}

let harbour: Harbour;
let pid: number;
let atRest: MemoryUse;
/** What honest answers take while nobody attacks, as last measured. */
let normalMs: number;
let listener: Server;
const figures: ({ name: string } & Times)[] = [];

beforeAll(async () => {
  listener = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
  harbour = await Harbour.open([
    ...ATTACKS.flatMap(({ name }) => doubles(name)),
    ...['looks-around', ...SLOW.map(({ name }) => name)],
  ]);
  pid = harbour.hosted.pid;
  normalMs = median(await harbour.ping(1_000));
  atRest = await measureMemory();
  for (const { name, args } of SLOW) {
    await harbour.wake(name);
    await harbour.unleash(name, (await args?.(harbour)) ?? {});
  }
});

afterAll(async () => {
  listener.close();
  await harbour.close();
  const lines = figures.map(({ name, ...times }) =>
    [name.padEnd(28), ...Object.values(times).map((ms) => ms.toFixed(1).padStart(7))].join(' '),
  );
  console.log(`hostile: median answer of honest sessions, ms: before, during, after\n${lines.join('\n')}`);
});

async function measureMemory(): Promise<MemoryUse> {
  const memory = await harbour.hosted.memory();
  if (memory === null) throw new Error('the host is gone');
  return memory;
}

interface Times {
  before: number;
  during: number;
  after: number;
}

/** The attack from its first step to its container's end. What it did must hold; what it cost is told. */
async function suffer({ args, duringMs, amid, quarantine, also }: Attack, name: string): Promise<Times> {
  await harbour.wake(name);
  const before = normalMs;
  await harbour.unleash(name, (await args?.(harbour)) ?? {});
  const [pings] = await Promise.all([harbour.ping(duringMs ?? DURING_MS), amid?.(harbour, name)]);
  if (quarantine !== undefined) {
    const isSetAside = async () => (await harbour.session(name)).quarantineReason;
    expect(await until(`${name} is set aside`, isSetAside, SET_ASIDE_MS)).toMatch(quarantine);
    expect((await harbour.session(name)).state).toBe('quarantined');
  }
  await also?.(harbour, name);
  await harbour.putAway(name);
  expect(await harbour.findBreaches(name, pid)).toEqual([]);
  normalMs = median(await harbour.ping(NORMAL_MS));
  const times = { before, during: median(pings), after: normalMs };
  figures.push({ name, ...times });
  return times;
}

/** The machine may be busy with something else at one end: the normal time is the longer of the two. */
function isWithin({ before, during, after }: Times): boolean {
  return during <= Math.max(2 * before, 2 * after, FLOOR_MS);
}

test.each(ATTACKS)('$name harms nobody else', { timeout: TRIES * (SET_ASIDE_MS + 30_000) }, async (attack) => {
  const slow: Times[] = [];
  for (const name of doubles(attack.name)) {
    const times = await suffer(attack, name);
    if (isWithin(times)) return;
    slow.push(times);
  }
  expect(slow, 'median answers of honest sessions, ms').toEqual([]);
});

test('the journal that is planted has a careless reader delete the file it names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [db, named] = [join(folder, 'outbound.db'), join(folder, 'precious.txt')];
  new Database(db).exec('CREATE TABLE t (x)').close();
  writeFileSync(named, 'precious');
  writeFileSync(`${db}-journal`, makeJournal(named, 2));
  const careless = new Database(db);
  careless.prepare('SELECT count(*) FROM t').get();
  careless.close();
  expect(existsSync(named)).toBe(false);
});

test('after all that the host holds no more memory than a busy host does', async () => {
  const memory = await measureMemory();
  const show = ({ rssBytes, heapBytes, externalBytes }: MemoryUse) =>
    [rssBytes, heapBytes, externalBytes].map((bytes) => Math.round(bytes / 2 ** 20)).join(', ');
  console.log(`hostile: MiB in all, of JavaScript, outside it: ${show(memory)}; at rest ${show(atRest)}`);
  expect(memory.heapBytes - atRest.heapBytes).toBeLessThan(MAX_GROWTH_BYTES);
  expect(memory.externalBytes - atRest.externalBytes).toBeLessThan(MAX_GROWTH_BYTES);
  expect(memory.rssBytes).toBeLessThan(MAX_RSS_BYTES);
});

test('inside there is no network, no host file, no other process and no secret', async () => {
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await harbour.wake('looks-around');
  await harbour.unleash('looks-around', { gateway: '172.17.0.1', port: String(port), precious: harbour.precious });
  const text = await harbour.untilSaid('looks-around', /interfaces/);
  const seen = JSON.parse(text);
  seen.mounts.sort();
  expect(seen).toMatchObject({
    precious: 'ENOENT',
    dockerSocket: [],
    interfaces: ['lo'],
    network: 'ENETUNREACH',
    loopback: 'ECONNREFUSED',
    rootfs: 'EROFS',
    setuid: 'EPERM',
    mounts: ['/workspace/agent', '/workspace/in', '/workspace/out', '/workspace/state'],
  });
  expect(seen.preciousThroughInit).not.toContain('worked');
  expect(seen.kernelMemory).not.toContain('worked');
  expect(seen.sysctl).not.toContain('worked');
  expect(seen.devices).not.toBe('worked: 0');
  expect(seen.processes).toBeLessThanOrEqual(5);
  for (const hidden of [harbour.secret, 'PORTOLAN_TEST_SECRET', 'PORTOLAN_HOSTED', harbour.home])
    expect(text).not.toContain(hidden);
  expect(await harbour.findBreaches('looks-around', pid)).toEqual([]);
});

test.each(SLOW)('$name is found out in the end: its container is ended', { timeout: 120_000 }, async ({ name }) => {
  await until('its run has failed', async () => (await harbour.session(name)).failures > 0, 100_000);
  await harbour.putAway(name);
  expect(await harbour.findBreaches(name, pid)).toEqual([]);
});
