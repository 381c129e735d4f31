/** Makes sure a Docker Engine answers: loads facts, asks planEngine, does it, until it answers or explains. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { aptInstall, isDebianLike } from './apt.mjs';
import { findProgram, isErrno, isRoot, runLogged } from './commands.mjs';
import { EngineError, engineAddress, engineClient } from './engine-client.mjs';
import { planEngine } from './engine-plan.mjs';
import { withLock } from './lock.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS } from './workspace.mjs';

/** An engine on a busy machine takes seconds; more than this and it hangs. */
const PING_TIMEOUT_MS = 10_000;
/** A first start on a slow disk takes half a minute; longer means that it will not. */
const START_TIMEOUT_MS = 90_000;
const START_POLL_MS = 200;

/** Written when this clone started dockerd itself, so that whoever must end it ends the right one. */
export const DOCKERD_PID_FILE = join(LOGS, 'dockerd.pid');
const DOCKERD_LOG = join(LOGS, 'dockerd.log');
const INSTALL_LOG = join(LOGS, 'apt.log');

/**
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<{ client: import('./engine-client.mjs').EngineClient, outcome: string }>}
 */
export async function ensureEngine(progress) {
  const address = engineAddress(process.env);
  if (address === null) {
    throw new StepFailure(`DOCKER_HOST is ${process.env.DOCKER_HOST}, which Portolan cannot use.`, {
      why: 'It is expected to start with unix:// or tcp://.',
      next: ['unset DOCKER_HOST', 'npm run up'],
    });
  }
  const client = engineClient(address);
  const probed = await probe(client);
  if (probed.state === 'answers') return { client, outcome: await describeEngine(client) };
  // Of all clones on this machine, one starts the engine; the others find it running.
  return withLock(
    { scope: 'machine', name: 'engine', onWait: (holder) => progress.phase(`waiting for ${holder}`) },
    () => bringUp(client, progress),
  );
}

/**
 * The engine if it answers as it is; null otherwise. Starts and installs nothing.
 * @returns {Promise<import('./engine-client.mjs').EngineClient | null>}
 */
export async function reachEngine() {
  const address = engineAddress(process.env);
  if (address === null) return null;
  const client = engineClient(address);
  return (await probe(client)).state === 'answers' ? client : null;
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {import('./steps.mjs').Progress} progress
 */
async function bringUp(client, progress) {
  /** @type {string[]} */
  const tried = [];
  for (;;) {
    const plan = planEngine({ ...(await probe(client)), ...machineFacts(), address: client.name, tried });
    switch (plan.kind) {
      case 'use': {
        const how = tried.length > 0 ? `, ${tried.includes('install') ? 'installed and ' : ''}started just now` : '';
        return { client, outcome: `${await describeEngine(client)}${how}` };
      }
      case 'start-service':
        progress.phase('starting the installed Docker Engine (systemctl start docker)');
        await runLogged('systemctl', ['start', 'docker'], { log: DOCKERD_LOG, next: ['journalctl -u docker -n 50'] });
        await waitUntilAnswers(client, () => null);
        break;
      case 'start-dockerd':
        progress.phase(`starting the installed Docker Engine (dockerd, log in ${DOCKERD_LOG})`);
        await startDockerd(client);
        break;
      case 'install':
        progress.phase('installing Docker Engine (apt-get install docker.io)');
        await aptInstall(['docker.io'], { log: INSTALL_LOG, onLine: progress.detail });
        // The package starts its service where it can: give that a moment before starting another.
        if (existsSync('/run/systemd/system')) await waitUntilAnswers(client, () => null);
        break;
      case 'explain':
        throw new StepFailure(plan.what, {
          why: plan.why,
          next: plan.next,
          ...(tried.includes('start-dockerd') ? { log: DOCKERD_LOG } : {}),
        });
    }
    tried.push(plan.kind);
  }
}

function machineFacts() {
  return {
    chosen: Boolean(process.env.DOCKER_HOST),
    isRoot: isRoot(),
    isDebianLike: isDebianLike(),
    hasDockerd: findProgram('dockerd') !== null,
    hasSystemd: existsSync('/run/systemd/system'),
    user: userInfo().username,
    platform: process.platform,
  };
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @returns {Promise<Pick<import('./engine-plan.mjs').EngineFacts, 'state' | 'problem'>>}
 */
async function probe(client) {
  try {
    await client.text({ method: 'GET', path: '/_ping', timeoutMs: PING_TIMEOUT_MS });
    return { state: 'answers', problem: '' };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { state: 'absent', problem: error.message };
    if (isErrno(error, 'EACCES', 'EPERM')) return { state: 'forbidden', problem: error.message };
    // Whatever else goes wrong with the connection means the same: it does not answer.
    if (error instanceof EngineError || (error instanceof Error && 'code' in error)) {
      return { state: 'refused', problem: error.message || String(error.cause ?? error) };
    }
    throw error;
  }
}

/** @param {import('./engine-client.mjs').EngineClient} client */
async function describeEngine(client) {
  const version = JSON.parse(await client.text({ method: 'GET', path: '/version', timeoutMs: PING_TIMEOUT_MS }));
  return `Engine ${version.Version}`;
}

/**
 * Starts dockerd in its own process group, so that Ctrl+C here does not end it: other programs may use it.
 * @param {import('./engine-client.mjs').EngineClient} client
 */
async function startDockerd(client) {
  mkdirSync(LOGS, { recursive: true });
  await mountControlGroups();
  const log = openSync(DOCKERD_LOG, 'a');
  const child = spawn(findProgram('dockerd') ?? 'dockerd', [], {
    detached: true,
    stdio: ['ignore', log, log],
    // dockerd looks for containerd and iptables in PATH.
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` },
  });
  /** @type {string | null} */
  let ended = null;
  child.on('exit', (code, signal) => {
    ended = `dockerd ended with ${code ?? signal}`;
  });
  child.on('error', (error) => {
    ended = error.message;
  });
  child.unref();
  if (child.pid !== undefined) writeFileSync(DOCKERD_PID_FILE, `${child.pid}\n`);
  await waitUntilAnswers(client, () => ended);
}

/** Without systemd nobody mounts the control groups, and dockerd then refuses to run. */
async function mountControlGroups() {
  const folder = '/sys/fs/cgroup';
  const mount = findProgram('cgroupfs-mount');
  if (!existsSync(folder) || readdirSync(folder).length > 0 || mount === null) return;
  await runLogged(mount, [], { log: DOCKERD_LOG });
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {() => string | null} hasEnded why there is no more hope, if so
 */
async function waitUntilAnswers(client, hasEnded) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await probe(client)).state === 'answers') return;
    const end = hasEnded();
    if (end !== null) {
      throw new StepFailure('Docker Engine does not start.', {
        why: `${end}\n${lastLines(DOCKERD_LOG)}`,
        log: DOCKERD_LOG,
        next: ['dockerd'],
      });
    }
    await delay(START_POLL_MS);
  }
}

/** @param {string} file */
function lastLines(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
