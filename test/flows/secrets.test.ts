/**
 * A secret's whole life in a host and a container of their own: set, refused by the server, replaced while the agent
 * runs, used. Then everything that anybody could read is searched for it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { errorCode } from '../../host/config/errors.ts';
import { type HomePaths, projectRoot } from '../../host/config/home.ts';
import { agentImage } from '../support/image.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import { makeTempHome } from '../support/temp-home.ts';
import { until } from '../support/until.ts';

const WRONG = 'sk-wrong-0f9a8b7c6d5e4f3a2b1c';
const RIGHT = 'sk-right-1a2b3c4d5e6f7a8b9c0d';
const dist = (name: string) => join(projectRoot(), 'dist', name);

interface RunningHost {
  pid: number;
  /** What it printed. */
  said: () => string;
  stop: () => Promise<void>;
}

async function startHost({ home }: HomePaths, env: NodeJS.ProcessEnv): Promise<RunningHost> {
  const child = spawn(process.execPath, [dist('host.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, DOCKER_HOST: process.env.DOCKER_HOST },
      ...{ PORTOLAN_HOME: home, PORTOLAN_PORT: '0', PORTOLAN_IMAGE: agentImage(), PORTOLAN_LOG_LEVEL: 'trace' },
      ...env,
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGINT');
    await exited;
  };
  onTestFinished(stop, 60_000);
  await until('the host runs', () => said.includes('Portolan is running') || child.exitCode !== null, 60_000);
  return { pid: child.pid ?? 0, said: () => said, stop };
}

async function portolan({ home }: HomePaths, words: string[], stdin = ''): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [dist('cli.mjs'), '--home', home, ...words], { stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  child.stdin.end(stdin);
  const [code] = await once(child, 'close');
  return { code: Number(code), said };
}

/** What the engine, and the kernel, say of a container: its settings, and each of its processes. */
function readContainer(id: string): string {
  const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'latin1', maxBuffer: 1 << 26 });
  const pids = docker('top', id, '-eo', 'pid').split('\n').slice(1).filter(Boolean);
  const processes = pids.flatMap((pid) => readProcess(Number(pid)));
  return [docker('inspect', id), docker('logs', id), ...processes].join('\n');
}

function readProcess(pid: number): string[] {
  return ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
}

function findContainers({ home }: HomePaths): string[] {
  const format = '{{.ID}} {{.Mounts}}';
  // In one look: others on this machine come and go.
  const lines = execFileSync('docker', ['ps', '--no-trunc', '--format', format], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(home)).map((line) => line.split(' ')[0] ?? '');
}

/** Every file below the home, by name. */
function readHome({ home }: HomePaths): Map<string, string> {
  const paths = readdirSync(home, { recursive: true, withFileTypes: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
  const files = paths.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true);
  return new Map(files.flatMap(readIfThere));
}

/** With its path; nothing of a file that was removed since it was listed. */
function readIfThere(path: string): [path: string, text: string][] {
  try {
    return [[path, readFileSync(path, 'latin1')]];
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return [];
  }
}

/** As it is, and as what is no secret is often written. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)];
}

test('a secret is nowhere but at its service', { timeout: 180_000 }, async () => {
  const home = makeTempHome();
  const vaultKey = randomBytes(32).toString('base64');
  const server = await startOpenAiServer({ rules: { key: RIGHT } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.answer(
    ({ headers }) => ({
      kind: 'status',
      status: 400,
      error: { type: 'bad', message: `I know ${headers.authorization}` },
    }),
    { kind: 'text', text: '<message to="terminal">the tide is low</message>' },
  );
  const host = await startHost(home, { PORTOLAN_VAULT_KEY: vaultKey });

  const seen: string[] = [];
  const type = async (words: string[], stdin = ''): Promise<string> => {
    const { code, said } = await portolan(home, words, stdin);
    seen.push(said);
    expect({ words, code, said }).toMatchObject({ code: expect.toBeOneOf([0, 1]) });
    return said;
  };
  await type(['services', 'add', 'harbour', '--url', `${server.url}/v1`, '--api', 'openai', '--private']);
  await type(['secrets', 'set', 'harbour'], WRONG);
  await type(['provider', 'set', 'main', 'openai', '--service', 'harbour', '--model', 'pilot-1', '--yes']);
  // The server tells which key it does not know.
  const refused = await type(['send', 'main', 'what is the tide?', '--wait', '--timeout', '60']);
  const [container] = findContainers(home);
  await type(['secrets', 'set', 'harbour'], RIGHT);
  const echoed = await type(['send', 'main', 'and what do you know?', '--wait', '--timeout', '60']);
  const answered = await type(['send', 'main', 'and now?', '--wait', '--timeout', '60']);
  expect({ refused, echoed, answered }).toMatchObject({
    echoed: expect.stringContaining('I know'),
    answered: expect.stringContaining('the tide is low'),
  });
  expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${RIGHT}`);
  // The same container: nothing was started anew for the new value.
  expect(findContainers(home)).toEqual([container]);

  for (const words of ['secrets', 'services', 'status', 'ledger', 'egress', 'sessions', 'doctor', 'logs']) {
    await type([words, '--json']);
  }
  const places = new Map<string, string>([
    ['commands', seen.join('\n')],
    ['the host', readProcess(host.pid).join('\n')],
    ['the container', container === undefined ? '' : readContainer(container)],
  ]);
  expect(places.get('the container')).toContain('portolan');
  await host.stop();
  places.set('what the host printed', host.said());
  for (const [path, text] of readHome(home)) places.set(path, text);
  expect(places.size).toBeGreaterThan(10);

  const leaks = [WRONG, RIGHT, vaultKey].flatMap((secret) =>
    spellings(secret).flatMap((text) => [...places].filter(([, said]) => said.includes(text)).map(([place]) => place)),
  );
  expect(leaks).toEqual([]);
});

test('a host with a passphrase starts locked, says so, and is unlocked without a restart', {
  timeout: 120_000,
}, async () => {
  const home = makeTempHome();
  const file = join(home.home, 'passphrase');
  writeFileSync(file, 'five words of a passphrase', { mode: 0o600 });
  const env = { PORTOLAN_DRIVER: 'process' };
  const first = await startHost(home, env);
  await portolan(home, ['secrets', 'set', 'anthropic'], RIGHT);
  expect(await portolan(home, ['secrets', 'passphrase'], 'five words of a passphrase')).toMatchObject({ code: 0 });
  await first.stop();
  expect(first.said()).not.toContain('secrets unlock');

  const locked = await startHost(home, env);
  await until('it says how to unlock it', () => locked.said().includes('secrets unlock'));
  expect((await portolan(home, ['status'])).said).toContain('the vault is locked with a passphrase');
  expect((await portolan(home, ['doctor', '--json'])).said).toContain('secrets unlock');
  expect(await portolan(home, ['secrets', 'set', 'github'], RIGHT)).toMatchObject({ code: 5 });
  expect(await portolan(home, ['secrets', 'unlock'], 'five words of a passphrase')).toMatchObject({ code: 0 });
  expect(await portolan(home, ['secrets', 'set', 'github'], RIGHT)).toMatchObject({ code: 0 });
  await locked.stop();

  const opened = await startHost(home, { ...env, PORTOLAN_VAULT_PASSPHRASE_FILE: file });
  expect((await portolan(home, ['status'])).said).toContain('open, by the passphrase');
  expect(opened.said()).not.toContain('secrets unlock');
});

test('what is written while the vault is locked waits, and is answered once it is unlocked', {
  timeout: 120_000,
}, async () => {
  const home = makeTempHome();
  const server = await startOpenAiServer({ rules: { key: RIGHT } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.answer({ kind: 'text', text: '<message to="terminal">the tide is low</message>' });
  const env = { PORTOLAN_DRIVER: 'process' };
  const first = await startHost(home, env);
  const passphrase = 'five words of a passphrase';
  await portolan(home, ['services', 'add', 'harbour', '--url', `${server.url}/v1`, '--api', 'openai', '--private']);
  await portolan(home, ['secrets', 'set', 'harbour'], RIGHT);
  await portolan(home, ['provider', 'set', 'main', 'openai', '--service', 'harbour', '--model', 'pilot-1', '--yes']);
  expect(await portolan(home, ['secrets', 'passphrase'], passphrase)).toMatchObject({ code: 0 });
  await first.stop();

  const locked = await startHost(home, env);
  const answer = portolan(home, ['send', 'main', 'what is the tide?', '--wait', '--timeout', '60']);
  await until('it is said what the chat waits for', async () =>
    (await portolan(home, ['sessions', '--json'])).said.includes('the console’s page Secrets, or types: portolan'),
  );
  expect(server.requests).toEqual([]);
  expect(await portolan(home, ['secrets', 'unlock'], passphrase)).toMatchObject({ code: 0 });
  expect((await answer).said).toContain('the tide is low');

  // Locked while its container is there.
  const asked = server.requests.length;
  expect(await portolan(home, ['secrets', 'lock'])).toMatchObject({ code: 0 });
  await until(
    'its container ends',
    async () => !(await portolan(home, ['sessions', '--json'])).said.includes('"state": "running"'),
  );
  server.answer({ kind: 'text', text: '<message to="terminal">the tide is high</message>' });
  const later = portolan(home, ['send', 'main', 'and now?', '--wait', '--timeout', '60']);
  await until('it waits again', async () =>
    (await portolan(home, ['sessions', '--json'])).said.includes('the vault is locked with a passphrase'),
  );
  expect(server.requests).toHaveLength(asked);
  expect(await portolan(home, ['secrets', 'unlock'], passphrase)).toMatchObject({ code: 0 });
  expect((await later).said).toContain('the tide is high');
  await locked.stop();
});
