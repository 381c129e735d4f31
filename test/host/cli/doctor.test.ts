import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentProvider, Vault } from '../../../host/cli/client/types.ts';
import type { DoctorFacts } from '../../../host/cli/doctor/facts.ts';
import { type Finding, planFindings } from '../../../host/cli/doctor/plan.ts';
import { type HomePaths, homePaths, projectRoot } from '../../../host/config/home.ts';
import { lockHome } from '../../../host/config/lock.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { openVault } from '../vault/open-vault.ts';
import { FakeHost } from './support/fake-host.ts';
import { portolan } from './support/run.ts';

const NOW = Date.UTC(2026, 10, 21);
const HOME = '/srv/portolan';
const GIB = 1024 ** 3;

const OPEN: Vault = { state: 'open', keyId: '0123456789abcdef', source: 'file', why: null, next: null };

const WELL: DoctorFacts = {
  nodeVersion: '20.20.2',
  home: {
    kind: 'folder',
    path: HOME,
    uid: 1000,
    isWritable: true,
    folder: { path: HOME, mode: 0o700, uid: 1000 },
    secrets: [{ path: `${HOME}/portolan.sock`, mode: 0o600, uid: 1000 }],
    files: [],
    socketPathBytes: 40,
  },
  docker: {
    kind: 'answers',
    endpoint: 'unix:///s',
    version: '20.10.24',
    memoryLimit: true,
    pidsLimit: true,
    hasSeccomp: true,
  },
  image: { kind: 'present', name: 'portolan-agent:latest', protocol: '1' },
  agentImages: { kind: 'known', agents: [] },
  disk: { path: HOME, freeBytes: 50 * GIB, totalBytes: 100 * GIB, freeInodes: 1_000_000 },
  database: { kind: 'version', version: 5, known: 5 },
  vault: { kind: 'said', vault: OPEN },
  models: { kind: 'known', agents: [] },
  host: {
    ...{ kind: 'running', version: '0.1.0', protocolVersion: 1, engineOk: true, engineDetail: '', overdue: 0 },
    gateway: { sockets: 2, missing: 0, connections: 1, open: 0, unrecorded: 0 },
    vault: OPEN,
  },
  holder: { kind: 'held', pid: 42 },
  clock: { skewMs: 1, futureMs: 0, timeZone: 'Europe/Berlin', isTimeZoneValid: true, now: NOW },
  inotify: { maxInstances: 128, maxWatches: 65_536 },
};

function find(facts: Partial<DoctorFacts>, check: string): Finding {
  const finding = planFindings({ ...WELL, ...facts }, 1).find((found) => found.check === check);
  if (finding === undefined) throw new Error(`no finding ${check}`);
  return finding;
}

function homeWith(change: object): Partial<DoctorFacts> {
  return { home: { ...WELL.home, ...change } as DoctorFacts['home'] };
}

const THINKER: AgentProvider = {
  ...{ agentId: 'agt_x', agentName: 'main', revision: 1, provider: 'claude', model: 'sonnet', effort: null },
  ...{ service: 'anthropic', api: 'anthropic', isConfined: true },
  image: { state: 'ready', reason: null },
  key: { state: 'given', why: null, next: null },
};
const NO_KEY = { state: 'missing', why: 'anthropic has no secret', next: 'portolan secrets set anthropic' } as const;

describe('the doctor', () => {
  it.each<[string, AgentProvider[], string, string | null]>([
    [
      'no model',
      [{ ...THINKER, provider: 'demo', model: null, service: null, api: null }],
      'no agent uses one; for a real model: portolan provider set main claude',
      null,
    ],
    ['a model', [THINKER, THINKER], 'main reaches sonnet through anthropic, and 1 more', null],
    [
      'no key for several',
      ['a', 'b', 'c', 'd'].map((agentName) => ({ ...THINKER, agentName, key: NO_KEY })),
      'a, b, c, and 1 more: anthropic has no secret',
      'portolan secrets set anthropic',
    ],
    [
      'an image that failed',
      [{ ...THINKER, agentName: 'my agent', image: { state: 'failed', reason: 'npm is away' } }],
      'my agent: npm is away',
      "portolan builds retry 'my agent'",
    ],
    [
      'no containers',
      [{ ...THINKER, isConfined: false }],
      'main: what its tools do, they do as the user of this host: PORTOLAN_DRIVER is process',
      'npm run up   # with PORTOLAN_DRIVER unset',
    ],
  ])('says of models what is missing and what to type: %s', (_, agents, detail, fix) => {
    const models = { kind: 'known', agents } as const;
    expect(find({ models }, 'models')).toMatchObject({ verdict: fix === null ? 'ok' : 'warning', detail, fix });
    expect(planFindings({ ...WELL, models: { kind: 'unknown' } }, 1).some(({ check }) => check === 'models')).toBe(
      false,
    );
  });

  it.each([
    [[{ agentName: 'main', service: null }], 'no agent uses one'],
    [
      [
        { agentName: 'main', service: 'ollama' },
        { agentName: 'writer', service: 'anthropic' },
      ],
      'main thinks through ollama, and 1 more; whether that has a key is known when the host runs',
    ],
  ])('says of models what is on record while no host runs (%#)', (agents, detail) => {
    expect(find({ models: { kind: 'recorded', agents } }, 'models')).toMatchObject({
      verdict: 'ok',
      detail,
      fix: null,
    });
  });

  it('warns of deliveries that are overdue', () => {
    expect(find({}, 'deliveries').verdict).toBe('ok');
    const host = { ...WELL.host, overdue: 2 } as DoctorFacts['host'];
    expect(find({ host }, 'deliveries')).toMatchObject({
      verdict: 'warning',
      detail: expect.stringContaining('2 messages wait for a platform'),
      fix: 'portolan logs --level warn',
    });
  });

  it('warns of containers without a way out, and of requests that no log has', () => {
    expect(find({}, 'gateway')).toMatchObject({ verdict: 'ok', detail: 'the gateway listens for 2' });
    const of = (more: object) => {
      const gateway = { sockets: 2, missing: 0, connections: 1, open: 0, unrecorded: 0, ...more };
      return find({ host: { ...WELL.host, gateway } as DoctorFacts['host'] }, 'gateway');
    };
    expect(of({ missing: 1 })).toMatchObject({ verdict: 'warning', fix: 'portolan logs --level warn' });
    expect(of({ unrecorded: 7 })).toMatchObject({ verdict: 'warning', detail: expect.stringContaining('7 requests') });
  });

  it('finds nothing when all is well', () => {
    expect(planFindings(WELL, 1).filter(({ verdict, fix }) => verdict !== 'ok' || fix !== null)).toEqual([]);
  });

  it.each<[string, Partial<DoctorFacts>, string, Finding['verdict'], string]>([
    ['an old Node.js', { nodeVersion: '18.2.0' }, 'node', 'failed', 'install Node.js 20'],
    ['no home', { home: { kind: 'missing', path: HOME } }, 'home', 'failed', 'npm run up'],
    ['a file as home', { home: { kind: 'not-a-folder', path: '/a b' } }, 'home', 'failed', "mv '/a b'"],
    [
      'an open home',
      homeWith({ folder: { path: HOME, mode: 0o755, uid: 1000 } }),
      'home',
      'failed',
      `chmod 700 ${HOME}`,
    ],
    ["another user's home", homeWith({ uid: 0 }), 'home', 'warning', "sudo -u '#1000'"],
    ['a home one cannot write', homeWith({ isWritable: false }), 'home', 'failed', 'chmod u+rwx'],
    ['a path too long for a socket', homeWith({ socketPathBytes: 108 }), 'home', 'failed', 'PORTOLAN_HOME=~/portolan'],
    [
      'an open token',
      homeWith({ secrets: [{ path: `${HOME}/api-token`, mode: 0o644, uid: 1000 }] }),
      'permissions',
      'failed',
      `chmod go= ${HOME}/api-token`,
    ],
    [
      'a database of root',
      homeWith({ files: [{ path: `${HOME}/central.db`, mode: 0o600, uid: 0 }] }),
      'permissions',
      'failed',
      `sudo chown 1000 ${HOME}/central.db`,
    ],
    ['a full disk', { disk: { ...WELL.disk, freeBytes: 1_000 } }, 'disk', 'failed', 'du -xh'],
    ['a disk that gets full', { disk: { ...WELL.disk, freeBytes: GIB } }, 'disk', 'warning', 'du -xh'],
    ['few inodes', { disk: { ...WELL.disk, freeInodes: 10 } }, 'disk', 'warning', 'du -xh'],
    ['no database', { database: { kind: 'missing', known: 5 } }, 'database', 'failed', 'npm run up'],
    ['an old database', { database: { kind: 'version', version: 3, known: 5 } }, 'database', 'warning', 'npm run up'],
    ['a newer database', { database: { kind: 'version', version: 6, known: 5 } }, 'database', 'failed', 'git pull'],
    [
      'a broken database',
      { database: { kind: 'unreadable', reason: 'SQLITE_CORRUPT' } },
      'database',
      'failed',
      'backup',
    ],
    ['no Docker', { docker: { kind: 'no-socket', endpoint: 'e' } }, 'docker', 'failed', 'npm run up'],
    [
      'Docker stopped',
      { docker: { kind: 'refuses-connection', endpoint: 'e' } },
      'docker',
      'failed',
      'systemctl start',
    ],
    ['no permission', { docker: { kind: 'no-permission', endpoint: 'e' } }, 'docker', 'failed', 'usermod -aG docker'],
    [
      'Docker hung',
      { docker: { kind: 'silent', endpoint: 'e', afterMs: 5_000 } },
      'docker',
      'failed',
      'restart docker',
    ],
    ['no process limits', { docker: { ...WELL.docker, pidsLimit: false } as never }, 'docker', 'warning', 'cgroup'],
    ['no image', { image: { kind: 'missing', name: 'i' } }, 'image', 'failed', 'npm run up'],
    [
      'an image of another protocol',
      { image: { kind: 'present', name: 'i', protocol: '2' } },
      'image',
      'failed',
      'npm run up',
    ],
    [
      'an agent whose own image could not be built again',
      { agentImages: { kind: 'known', agents: [{ name: 'main', isThere: true, hasFailed: true }] } },
      'agent-images',
      'warning',
      'portolan builds retry main',
    ],
    ['an image of nobody', { image: { kind: 'present', name: 'i', protocol: null } }, 'image', 'failed', 'npm run up'],
    ['no host', { host: { kind: 'stopped' }, holder: { kind: 'nobody' } }, 'host', 'warning', 'npm run up'],
    ['a host that hangs', { host: { kind: 'silent', path: 's', reason: 'r' } }, 'host', 'failed', 'portolan stop'],
    ['a host that does not listen', { host: { kind: 'stopped' } }, 'lock', 'failed', 'kill 42'],
    ['a host without its lock', { holder: { kind: 'nobody' } }, 'lock', 'warning', 'portolan stop'],
    ['a clock never set', { clock: { ...WELL.clock, now: 0 } }, 'clock', 'failed', 'timedatectl'],
    ['a clock that goes wrong', { clock: { ...WELL.clock, skewMs: -9_000 } }, 'clock', 'warning', 'timedatectl'],
    ['a clock set back', { clock: { ...WELL.clock, futureMs: 3_600_000 } }, 'clock', 'warning', 'timedatectl'],
    ['a false time zone', { clock: { ...WELL.clock, isTimeZoneValid: false } }, 'time-zone', 'warning', 'export TZ='],
    [
      'few watches',
      { inotify: { maxInstances: 128, maxWatches: 10 } },
      'inotify',
      'warning',
      'sudo sysctl fs.inotify.max_user_watches',
    ],
  ])('finds %s, with what to type', (_, facts, check, verdict, fix) => {
    const finding = find(facts, check);
    expect(finding.verdict).toBe(verdict);
    expect(finding.fix).toContain(fix);
  });

  it('says of a vault that is not open what opens it', () => {
    const locked: Vault = {
      ...{ state: 'locked', keyId: 'a', source: null },
      ...{ why: 'the vault is locked with a passphrase', next: 'portolan secrets unlock' },
    };
    expect(find({ vault: { kind: 'said', vault: locked } }, 'vault')).toMatchObject({
      verdict: 'warning',
      fix: 'portolan secrets unlock',
    });
    const unusable: Vault = { ...locked, state: 'unusable', why: 'others may read it', next: 'chmod 600 it' };
    expect(find({ vault: { kind: 'said', vault: unusable } }, 'vault')).toMatchObject({
      verdict: 'failed',
      fix: 'chmod 600 it',
    });
    const plan = { kind: 'unusable', why: 'the key is not there', next: 'cp <backup> it' } as const;
    expect(find({ vault: { kind: 'found', plan, mayBeElsewhere: false } }, 'vault').verdict).toBe('failed');
    expect(find({ vault: { kind: 'found', plan, mayBeElsewhere: true } }, 'vault')).toMatchObject({
      verdict: 'warning',
      detail: 'the key is not there (unless the host is given PORTOLAN_VAULT_KEY)',
    });
  });

  it('asks nothing of Docker where containers are plain processes', () => {
    const findings = planFindings({ ...WELL, docker: { kind: 'not-used' }, image: { kind: 'unknown' } }, 1);
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });
});

async function diagnose(paths: HomePaths, env: Record<string, string> = {}) {
  const run = await portolan(paths, ['doctor', '--json'], { env });
  const { ok, findings } = JSON.parse(run.out) as { ok: boolean; findings: Finding[] };
  return { code: run.code, ok, of: (check: string) => findings.find((finding) => finding.check === check) };
}

function prepareDatabase(paths: HomePaths): void {
  openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central')).close();
}

describe('portolan doctor', () => {
  it('works with the host down, and is content with a home that is ready', async () => {
    const paths = makeTempHome();
    prepareDatabase(paths);
    const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
    new AgentStore(db).create({ name: 'main', folder: 'main', provider: 'claude', now: 0 });
    db.close();
    const doctor = await diagnose(paths, { PORTOLAN_DRIVER: 'process' });
    expect(doctor.of('models')).toMatchObject({ detail: expect.stringContaining('main thinks through anthropic') });
    expect(doctor.of('database')).toMatchObject({ verdict: 'ok' });
    expect(doctor.of('home')).toMatchObject({ verdict: 'ok' });
    expect(doctor.of('host')).toMatchObject({ verdict: 'warning', fix: 'npm run up' });
    expect(doctor).toMatchObject({ code: 0, ok: true });
  });

  it('ends with 6 when a check failed, and prints each fix for people', async () => {
    const paths = homePaths(join(makeTempHome().home, 'nowhere'));
    const { code, out } = await portolan(paths, ['doctor'], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    expect(code).toBe(6);
    expect(out).toMatch(/✗ Home +.*does not exist yet\n +fix: PORTOLAN_HOME=\S+ npm run up/);
    expect(out).toMatch(/✗ Docker +no Docker Engine/);
    expect(out).toMatch(/✓ Node\.js/);
  });

  it('knows the engine of this machine and the limits it can set', async () => {
    const { of } = await diagnose(makeTempHome());
    expect(of('docker')?.detail).toMatch(/^\d+\.\d+/);
  });

  it('sees a running host, its socket and who holds its home', async () => {
    const paths = makeTempHome();
    prepareDatabase(paths);
    await FakeHost.start(paths);
    chmodSync(paths.socket, 0o600);
    const lock = lockHome(paths.lock);
    onTestFinished(() => lock[Symbol.dispose]());
    const doctor = await diagnose(paths);
    expect(doctor.of('host')).toMatchObject({ verdict: 'ok' });
    expect(doctor.of('lock')).toMatchObject({ verdict: 'ok', detail: `held by process ${process.pid}` });
    expect(doctor.of('permissions')).toMatchObject({ verdict: 'ok' });
  });

  it('tells a lock that nobody holds from one whose holder does not listen', async () => {
    const paths = makeTempHome();
    const lock = lockHome(paths.lock);
    expect((await diagnose(paths)).of('lock')).toMatchObject({
      verdict: 'failed',
      fix: `kill ${process.pid}; npm run up`,
    });
    lock[Symbol.dispose]();
    expect((await diagnose(paths)).of('lock')).toMatchObject({ verdict: 'ok', detail: 'free' });
  });

  it('sees open sockets, left-over sockets and broken databases', async () => {
    const paths = makeTempHome();
    writeFileSync(paths.centralDb, 'this is no database, whatever its name says');
    const host = await FakeHost.start(paths);
    chmodSync(paths.socket, 0o666);
    const running = await diagnose(paths);
    expect(running.of('permissions')).toMatchObject({ verdict: 'failed', fix: `chmod go= ${paths.socket}` });
    expect(running.of('database')?.detail).toContain('SQLITE_NOTADB');
    await host.stop();
    expect((await diagnose(paths)).of('host')?.verdict).toBe('warning');
  });

  it.each([
    ['answers nonsense', () => 'hello', 'does not answer in JSON'],
    ['is something else', () => '{}', "is not a Docker Engine's answer"],
  ])('names what is wrong with an engine that %s', async (_, answer, detail) => {
    const paths = makeTempHome();
    mkdirSync(paths.home, { recursive: true });
    const path = join(paths.home, 'docker.sock');
    const server = createServer((_request, response) => response.end(answer())).listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect((await diagnose(paths, { DOCKER_HOST: `unix://${path}` })).of('docker')?.detail).toContain(detail);
  });

  it('sees in the home of a host that does not run whether its vault will open', async () => {
    const paths = makeTempHome();
    const look = async (env: Record<string, string> = {}) => {
      const { out } = await portolan(paths, ['doctor', '--json'], { env: { PORTOLAN_DRIVER: 'process', ...env } });
      return JSON.parse(out).findings.find(({ check }: Finding) => check === 'vault') as Finding;
    };
    {
      using opened = openVault(paths);
      expect(await look()).toMatchObject({ verdict: 'ok', detail: 'none yet' });
      opened.vault.set('anthropic', SecretValue.ofText('sk-1'), 'web:owner');
    }
    expect(await look()).toMatchObject({ verdict: 'ok', detail: 'the vault opens when the host starts' });
    chmodSync(paths.vaultKey, 0o640);
    expect(await look()).toMatchObject({ verdict: 'failed', fix: expect.stringContaining('chmod 600') });
    const key = readFileSync(paths.vaultKey, 'utf8').trim();
    rmSync(paths.vaultKey);
    expect(await look()).toMatchObject({ verdict: 'warning' });
    expect(await look({ PORTOLAN_VAULT_KEY: key })).toMatchObject({ verdict: 'ok' });
  });

  it('finds an image of another protocol on the engine', async () => {
    const paths = makeTempHome();
    const path = join(paths.home, 'docker.sock');
    const info = {
      ServerVersion: '27.1',
      MemoryLimit: true,
      PidsLimit: true,
      SecurityOptions: ['name=seccomp,profile=default'],
    };
    const image = { Config: { Labels: { 'portolan.protocol': String(PROTOCOL_VERSION + 1) } } };
    const server = createServer((request, response) =>
      response.end(JSON.stringify(request.url === '/info' ? info : image)),
    ).listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const doctor = await diagnose(paths, { DOCKER_HOST: `unix://${path}` });
    expect(doctor.of('docker')?.verdict).toBe('ok');
    expect(doctor.of('image')?.detail).toContain(`speaks protocol ${PROTOCOL_VERSION + 1}`);
  });

  it('refuses a DOCKER_HOST it cannot read, saying what was expected', async () => {
    expect((await diagnose(makeTempHome(), { DOCKER_HOST: 'ssh://x' })).of('docker')?.detail).toContain('unix:///path');
  });

  it('warns of a time zone that does not exist', async () => {
    expect((await diagnose(makeTempHome(), { TZ: 'Mars/Olympus' })).of('time-zone')?.verdict).toBe('warning');
  });
});
