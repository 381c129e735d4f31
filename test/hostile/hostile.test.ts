/**
 * Each attack is made for real, from inside a real container. Whatever it does: the host stays the same
 * process, leaks nothing, names what it set aside, and honest sessions answer within twice their time.
 */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { Harbour, median } from './harbour.ts';

/** How long honest answers are measured before each attack, and during it unless it takes longer to show. */
const BEFORE_MS = 400;
const DURING_MS = 1_500;
/** Twice the normal time, and never less than this: with a warm answer in milliseconds, noise alone is more. */
const FLOOR_MS = 50;

type Args = (harbour: Harbour) => Record<string, string> | Promise<Record<string, string>>;

interface Attack {
  name: string;
  args?: Args;
  duringMs?: number;
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

const ATTACKS: Attack[] = [
  {
    name: 'plants-inbound-journal',
    args: precious,
    also: async (harbour, name) => {
      const tried = JSON.parse(await harbour.untilSaid(name, /journal/));
      expect(tried.remount).not.toBe('worked: 0');
      expect(tried).toMatchObject({
        journal: 'EROFS',
        link: 'EROFS',
        rename: 'EROFS',
        write: 'EACCES',
        chart: 'EROFS',
      });
    },
  },
  { name: 'plants-outbound-journal', args: precious },
  {
    name: 'links-outbound',
    args: async (harbour) => {
      const { sessions } = await harbour.report();
      const other = sessions.find(({ agent }) => agent === 'honest-one');
      return { other: join(harbour.home, 'sessions', other?.agentId ?? '', other?.id ?? '', 'out', 'outbound.db') };
    },
    quarantine: /it is a link/,
  },
  { name: 'fifo-outbound', quarantine: /not a regular file/ },
  { name: 'folder-outbound', quarantine: /not a regular file/ },
  {
    name: 'sparse-outbound',
    quarantine: /outbound\.db/,
    also: async (harbour, name) => {
      // The limit on file sizes stops it first; the 255 MB that it may make are no database.
      expect(
        (await harbour.platform.inChat('platform-native', name)).every(({ text }) => !text.includes('worked')),
      ).toBe(true);
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
  { name: 'million-rows', duringMs: 6_000, quarantine: /larger than|longer than|flood/ },
  { name: 'huge-row', also: says(/after the huge row/) },
  { name: 'deep-json', also: says(/after the deep rows/) },
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
  { name: 'holds-inbound', duringMs: 5_000, also: untilState(/holds|locked|inbox/) },
  { name: 'holds-outbound', duringMs: 5_000, also: untilState(/holds|locked|inbox/) },
  { name: 'rewrites-outbound', quarantine: /outbound\.db/ },
  { name: 'fork-bomb', duringMs: 4_000 },
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
  { name: 'floods-log', duringMs: 4_000 },
  { name: 'ignores-sigterm', also: says(/not listening/) },
];

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

let harbour: Harbour;
let pid: number;
let listener: Server;
const figures: { name: string; before: number; during: number }[] = [];

beforeAll(async () => {
  listener = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
  harbour = await Harbour.open([...ATTACKS.map(({ name }) => name), 'looks-around', 'claims-and-sleeps']);
  pid = harbour.hosted.pid;
  await harbour.ping(1_000);
  // Stuck only after a minute: begun now, looked at in the end.
  await harbour.wake('claims-and-sleeps');
  await harbour.unleash('claims-and-sleeps', {});
});

afterAll(async () => {
  listener.close();
  await harbour.close();
  const lines = figures.map(
    ({ name, before, during }) =>
      `${name.padEnd(28)} ${before.toFixed(1).padStart(7)} ${during.toFixed(1).padStart(7)}`,
  );
  console.log(`hostile: median answer of honest sessions, ms: before, during\n${lines.join('\n')}`);
});

test.each(ATTACKS)(
  '$name harms nobody else',
  { timeout: 90_000 },
  async ({ name, args, duringMs, quarantine, also }) => {
    await harbour.wake(name);
    const before = median(await harbour.ping(BEFORE_MS));
    await harbour.unleash(name, (await args?.(harbour)) ?? {});
    const during = median(await harbour.ping(duringMs ?? DURING_MS));
    figures.push({ name, before, during });
    if (quarantine !== undefined) {
      const reason = await until(
        `${name} is set aside`,
        async () => (await harbour.session(name)).quarantineReason,
        45_000,
      );
      expect(reason).toMatch(quarantine);
      expect((await harbour.session(name)).state).toBe('quarantined');
    }
    await also?.(harbour, name);
    await harbour.putAway(name);
    expect(await harbour.findBreaches(name, pid)).toEqual([]);
    expect(during).toBeLessThan(Math.max(2 * before, FLOOR_MS));
  },
);

test('inside there is no network, no host file, no other process and no secret', async () => {
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await harbour.wake('looks-around');
  await harbour.unleash('looks-around', { gateway: '172.17.0.1', port: String(port), precious: harbour.precious });
  const text = await harbour.untilSaid('looks-around', /interfaces/);
  const seen = JSON.parse(text);
  expect(seen).toMatchObject({
    precious: 'ENOENT',
    dockerSocket: [],
    interfaces: ['lo'],
    network: 'ENETUNREACH',
    loopback: 'ECONNREFUSED',
    rootfs: 'EROFS',
    setuid: 'EPERM',
    mounts: ['/workspace/in', '/workspace/out', '/workspace/state', '/workspace/agent'],
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

test('who claims everything and never answers is found stuck, ended, and tried again', {
  timeout: 120_000,
}, async () => {
  await until('it is found stuck', async () => (await harbour.session('claims-and-sleeps')).failures > 0, 100_000);
  expect(await harbour.findBreaches('claims-and-sleeps', pid)).toEqual([]);
});
