/**
 * Each wall around a container, tried from inside by a program that wants out. It runs as one script,
 * and prints what it found as JSON into out/.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerDriver } from '../../../host/runtime/drivers/docker.ts';
import {
  type ContainerSpec,
  DriverFault,
  type FolderMount,
  type ObservedContainer,
} from '../../../host/runtime/drivers/driver.ts';
import { makeId } from '../../../shared/ids.ts';
import { untilAsync } from '../../contracts/driver.ts';
import { makeSilentLog } from './silent-log.ts';
import { ensureTestImage } from './test-image.ts';
import { makeWorkspace, TEST_USER } from './workspace.ts';

const installId = makeId('install');
const MIB = 1024 * 1024;

/** Shared by the scripts: what an attempt came to, as the error's code or the result. */
const PRELUDE = `const fs = require('fs'); const os = require('os'); const cp = require('child_process');
const attempt = (f) => { try { const r = f(); return r === undefined ? 'succeeded' : r; } catch (e) { return e.code ?? e.message; } };
const report = (value) => { fs.writeFileSync('/workspace/out/report.json.new', JSON.stringify(value)); fs.renameSync('/workspace/out/report.json.new', '/workspace/out/report.json'); };
`;

const LOOK_AROUND = `${PRELUDE}
const status = Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\\n').filter(Boolean).map((l) => [l.split(':')[0], l.slice(l.indexOf(':') + 1).trim()]));
const mounts = fs.readFileSync('/proc/self/mounts', 'utf8').split('\\n').map((l) => l.split(' '));
const limits = Object.fromEntries(fs.readFileSync('/proc/self/limits', 'utf8').split('\\n').slice(1).filter(Boolean).map((l) => [l.slice(0, 26).trim(), l.slice(26).trim().split(/ +/).slice(0, 2)]));
report({
  uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(),
  status, limits,
  tmp: mounts.find((m) => m[1] === '/tmp'),
  writes: Object.fromEntries(['/', '/bin', '/etc', '/app', '/workspace', '/workspace/in', '/proc/sys/kernel', '/sys', '/dev', '/etc/hosts', '/etc/resolv.conf'].map((p) =>
    [p, attempt(() => fs.statSync(p).isDirectory() ? fs.writeFileSync(p + '/planted', 'x') : fs.appendFileSync(p, 'x'))])),
  own: Object.fromEntries(['/tmp', '/workspace/out', '/workspace/state', '/workspace/agent'].map((p) => [p, attempt(() => fs.writeFileSync(p + '/mine', 'x'))])),
  interfaces: fs.readdirSync('/sys/class/net'),
  sockets: ['/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock'].filter((p) => fs.existsSync(p)),
  devices: fs.readdirSync('/dev').sort(),
  environment: process.env,
  init: fs.readFileSync('/proc/1/comm', 'utf8').trim(),
  chown: attempt(() => fs.chownSync('/workspace/out', 0, 0)),
  setuid: attempt(() => process.setuid(0)),
  killInit: attempt(() => process.kill(1, 'SIGKILL')),
  renice: attempt(() => os.setPriority(0, -10)),
  processes: fs.readdirSync('/proc').filter((n) => /^\\d+$/.test(n)).length,
});`;

interface Findings {
  uid: number;
  gid: number;
  groups: number[];
  status: Record<string, string>;
  limits: Record<string, string[]>;
  tmp: string[];
  writes: Record<string, string>;
  own: Record<string, string>;
  interfaces: string[];
  sockets: string[];
  devices: string[];
  environment: Record<string, string>;
  init: string;
  chown: string;
  setuid: string;
  renice: string;
  processes: number;
}

describe('inside a container', () => {
  const workspace = makeWorkspace();
  let image: string;
  let driver: DockerDriver;
  let found: Findings;

  /** Runs a script to its end. The container stays for the test to look at. */
  async function run(script: string, changes: Partial<ContainerSpec> = {}) {
    const spec = { ...workspace.makeSpec(installId, image, ['node', '-e', script]), ...changes };
    const { id } = await driver.start(spec);
    let observed: ObservedContainer = { kind: 'absent' };
    await untilAsync('the script ended', async () => {
      observed = await driver.inspect(id);
      return observed.kind === 'exited';
    });
    return { spec, observed };
  }

  function readReport<T>(spec: ContainerSpec): T {
    return JSON.parse(readFileSync(join(spec.mounts.out, 'report.json'), 'utf8'));
  }

  beforeAll(async () => {
    image = ensureTestImage();
    driver = new DockerDriver({ installId, log: makeSilentLog() });
    const { spec, observed } = await run(LOOK_AROUND);
    expect(observed).toMatchObject({ exitCode: 0 });
    found = readReport<Findings>(spec);
  });

  afterAll(async () => {
    for (const listed of await driver.list()) await driver.remove(listed.id);
    await driver.close();
    workspace.remove();
  });

  test('folders of the machine are there as they were judged, and nothing that is mounted below them', async () => {
    const root = realpathSync(workspace.folder);
    for (const name of ['read', 'write']) {
      mkdirSync(join(root, name, 'sub'), { recursive: true });
      writeFileSync(join(root, name, 'file'), name);
      for (const folder of [name, `${name}/sub`]) chmodSync(join(root, folder), 0o777);
    }
    const give = (name: string, isReadOnly: boolean): FolderMount => {
      const { dev, ino } = statSync(join(root, name), { bigint: true });
      return { name, source: join(root, name), identity: `${dev}:${ino}`, isReadOnly };
    };
    const { spec } = await run(
      `${PRELUDE}
const at = '/workspace/mounts/';
const found = Object.fromEntries(['read', 'write'].map((name) => [name, {
  reads: fs.readFileSync(at + name + '/file', 'utf8'),
  writes: attempt(() => fs.writeFileSync(at + name + '/mine', 'x')),
  below: attempt(() => fs.writeFileSync(at + name + '/sub/mine', 'x')),
}]));
report({ ...found, beside: attempt(() => fs.mkdirSync(at + 'more')), listed: fs.readdirSync(at).sort() });`,
      { folders: [give('read', true), give('write', false)] },
    );
    expect(readReport(spec)).toEqual({
      read: { reads: 'read', writes: 'EROFS', below: 'EROFS' },
      write: { reads: 'write', writes: 'succeeded', below: 'succeeded' },
      beside: expect.stringMatching(/^E(?:ROFS|ACCES)$/),
      listed: ['read', 'write'],
    });
    expect(existsSync(join(root, 'write', 'mine'))).toBe(true);
    // A name that climbs would cover the inbox.
    const evil = { ...give('read', true), name: '../in' };
    const over = { ...workspace.makeSpec(installId, image, ['true']), folders: [evil] };
    await expect(driver.start(over)).rejects.toMatchObject({ kind: 'bad-spec' });
  });

  test('the program is not root, has no further groups and cannot become root', () => {
    expect(found).toMatchObject({ uid: TEST_USER.uid, gid: TEST_USER.gid });
    expect(found.groups.filter((group) => group !== TEST_USER.gid)).toEqual([]);
    expect(found.setuid).not.toBe('succeeded');
  });

  test('every set of capabilities is empty', () => {
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(found.status[set], set).toBe('0000000000000000');
    }
    expect(found.chown).toBe('EPERM');
    expect(found.renice).not.toBe('succeeded');
  });

  test('no program it starts gains privileges, and system calls are filtered', () => {
    expect(found.status).toMatchObject({ NoNewPrivs: '1', Seccomp: '2' });
  });

  test('it can write to its own four places alone', () => {
    expect(found.own).toEqual({
      '/tmp': 'succeeded',
      '/workspace/out': 'succeeded',
      '/workspace/state': 'succeeded',
      '/workspace/agent': 'succeeded',
    });
    for (const [place, outcome] of Object.entries(found.writes)) {
      expect(['EROFS', 'EACCES', 'EPERM', 'ENOENT'], place).toContain(outcome);
    }
    // Read-only by mount, and not merely by owner: a root inside could not either.
    expect(found.writes).toMatchObject({ '/': 'EROFS', '/bin': 'EROFS', '/workspace/in': 'EROFS' });
  });

  test('/tmp is in memory, small, without setuid and devices', () => {
    const [, , type, options] = found.tmp;
    expect(type).toBe('tmpfs');
    expect(options).toMatch(/nosuid/);
    expect(options).toMatch(/nodev/);
    expect(options).toMatch(/size=65536k/);
  });

  test('there is no network but loopback, and no engine socket', () => {
    expect(found.interfaces).toEqual(['lo']);
    expect(found.sockets).toEqual([]);
  });

  test('it sees no block device, no other process and nothing of the host environment', () => {
    expect(found.devices.filter((name) => /^(sd|vd|nvme|loop|dm-|kmsg|mem|kvm)/.test(name))).toEqual([]);
    expect(found.processes).toBeLessThan(5);
    expect(Object.keys(found.environment).sort()).toEqual(['HOME', 'HOSTNAME', 'PATH']);
  });

  test('an init is the first process', () => {
    expect(found.init).toMatch(/init/);
  });

  test('files, open files and cores are limited', () => {
    expect(found.limits).toMatchObject({
      'Max file size': [String(4 * MIB), String(4 * MIB)],
      'Max open files': ['256', '256'],
      'Max core file size': ['0', '0'],
    });
  });

  test('a file cannot grow past the limit', async () => {
    const { spec } = await run(`${PRELUDE}process.on('SIGXFSZ', () => {});
let size = 0; const chunk = Buffer.alloc(65536);
const end = attempt(() => { const fd = fs.openSync('/workspace/out/big', 'w'); for (;;) size += fs.writeSync(fd, chunk); });
const sparse = attempt(() => fs.truncateSync('/workspace/out/big', 1e12));
report({ size, end, sparse });`);
    expect(readReport(spec)).toEqual({ size: 4 * MIB, end: 'EFBIG', sparse: 'EFBIG' });
  });

  test('a fork bomb ends at the limit of processes, and the host goes on answering', async () => {
    const bomb = `${PRELUDE}const bomb = "setInterval(()=>{try{const c=require('child_process').spawn(process.execPath,['-e',process.env.BOMB],{env:process.env,stdio:'ignore'});c.on('error',()=>{})}catch(e){}},1)";
process.env.BOMB = bomb; let refused = 0;
const grow = () => { try { const c = cp.spawn(process.execPath, ['-e', bomb], { stdio: 'ignore' }); c.on('error', () => { refused++; }); } catch (e) { refused++; } };
setInterval(grow, 1); setInterval(() => { if (refused > 0) { report({ refused }); } }, 50);`;
    const spec = workspace.makeSpec(installId, image, ['node', '-e', bomb]);
    const { id } = await driver.start(spec);
    await untilAsync('the bomb meets its limit', async () => {
      try {
        return readReport<{ refused: number }>(spec).refused > 0;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
        throw error;
      }
    });
    const began = performance.now();
    expect(await driver.available()).toEqual({ kind: 'available' });
    expect(await driver.inspect(id)).toMatchObject({ kind: 'running' });
    await driver.stop(id, 100);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await driver.inspect(id)).toMatchObject({ kind: 'exited' });
  });

  test('a program that takes all memory is killed, and is seen to be', async () => {
    const limits = { memoryBytes: 64 * MIB, cpus: 1, pids: 64, fileSizeBytes: 4 * MIB, openFiles: 256 };
    const script = 'const hoard = []; for (;;) hoard.push(Buffer.alloc(8 * 1024 * 1024, 1));';
    const spec = { ...workspace.makeSpec(installId, image, ['node', '-e', script]), limits };
    const { id } = await driver.start(spec);
    // The engine hears of the end and of its cause from two sides: the cause may come a moment later.
    await untilAsync('the engine tells why it ended', async () => {
      const observed = await driver.inspect(id);
      return observed.kind === 'exited' && observed.outOfMemory;
    });
    expect(await driver.inspect(id)).toEqual({ kind: 'exited', exitCode: 137, outOfMemory: true });
  });

  test('processor time is limited', async () => {
    const { spec } = await run(
      `${PRELUDE}const began = performance.now(); while (performance.now() - began < 1500);
report({ share: process.cpuUsage().user / 1000 / (performance.now() - began) });`,
      { limits: { memoryBytes: 256 * MIB, cpus: 0.3, pids: 64, fileSizeBytes: 4 * MIB, openFiles: 256 } },
    );
    expect(readReport<{ share: number }>(spec).share).toBeLessThan(0.5);
  });
});

describe('the docker driver refuses', () => {
  test('an image that is not there, with the command that builds it', async () => {
    const workspace = makeWorkspace();
    const driver = new DockerDriver({ installId, log: makeSilentLog() });
    const spec = workspace.makeSpec(installId, 'portolan-no-such-image:none', ['node']);
    const fault = await driver.start(spec).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(DriverFault);
    expect(fault).toMatchObject({ kind: 'image-missing', retryable: false, hint: expect.stringContaining('build') });
    workspace.remove();
  });

  test('a folder that is missing, without making it', async () => {
    const workspace = makeWorkspace();
    const driver = new DockerDriver({ installId, log: makeSilentLog() });
    const spec = workspace.makeSpec(installId, ensureTestImage(), ['node']);
    const mounts = { ...spec.mounts, agent: join(workspace.folder, 'nowhere') };
    await expect(driver.start({ ...spec, mounts })).rejects.toMatchObject({ kind: 'bad-spec' });
    expect(await driver.list()).toEqual([]);
    workspace.remove();
  });

  test('a program that is not in the image, and leaves no container behind', async () => {
    const workspace = makeWorkspace();
    const driver = new DockerDriver({ installId, log: makeSilentLog() });
    const spec = workspace.makeSpec(installId, ensureTestImage(), ['/no/such/program']);
    // The init starts and reports it by its exit code, or the engine does.
    const outcome = await driver.start(spec).catch((error: unknown) => error);
    if (outcome instanceof DriverFault) expect(await driver.list()).toEqual([]);
    for (const listed of await driver.list()) await driver.remove(listed.id);
    workspace.remove();
  });

  test('anything while the engine is away, with a hint, and says so when asked', async () => {
    const socketPath = join(makeWorkspace().folder, 'no.sock');
    const driver = new DockerDriver({ installId, log: makeSilentLog(), socketPath });
    await expect(driver.list()).rejects.toMatchObject({ kind: 'engine-away', retryable: true });
    expect(await driver.available()).toMatchObject({ kind: 'away', hint: expect.stringContaining('docker') });
  });
});
