#!/usr/bin/env node
/**
 * The first-run story against the real thing: `npm run up` on a throwaway home and a free port, sign in
 * with the printed link, say something, get the answer through a real container, Ctrl+C.
 *
 * I1. Whatever fails, `npm run up` is ended, and the throwaway home goes with the containers that use it
 *     (a host that stops leaves them at work).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { reachEngine } from './lib/engine.mjs';
import { runScript, StepFailure, Steps } from './lib/steps.mjs';
import { ENV, ROOT } from './lib/workspace.mjs';

/** On a clean machine `up` may still build the image. */
const UP_TIMEOUT_MS = 10 * 60_000;
/** A cold container on a busy machine takes seconds. */
const REPLY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const ENGINE_TIMEOUT_MS = 30_000;
const POLL_MS = 100;
const SAID = 'Who am I?';

/** The sign-in link, as the host prints it. */
const LINK = /(http:\/\/(?:127\.0\.0\.1|localhost):\d+)\/\S*#(?:token=)?([\w-]{20,})/;

await runScript(async () => {
  const steps = new Steps({ total: 5 });
  const home = mkdtempSync(join(tmpdir(), 'portolan-smoke-'));
  const port = await findFreePort();
  const up = startUp(home, port);
  try {
    await runStory(steps, up);
  } catch (error) {
    if (error instanceof StepFailure && error.why === '') error.why = up.output.slice(-40).join('\n');
    throw error;
  } finally {
    if (up.child.exitCode === null && up.child.signalCode === null) {
      process.kill(-(up.child.pid ?? 0), 'SIGTERM'); // I1
      await within(STOP_TIMEOUT_MS, 'ending `npm run up`', up.ended);
    }
    await removeContainersOf(home);
    rmSync(home, { recursive: true, force: true });
  }
  return 0;
});

/**
 * @param {Steps} steps
 * @param {ReturnType<typeof startUp>} up
 */
async function runStory(steps, up) {
  let base = '';
  let token = '';
  await steps.run('Up', async () => {
    const ended = up.ended.then((code) => Promise.reject(new StepFailure(`\`npm run up\` ended with ${code}.`)));
    [base, token] = await within(UP_TIMEOUT_MS, '`npm run up` printing its link', Promise.race([up.link, ended]));
    return base;
  });
  let cookie = '';
  await steps.run('Sign in', async () => {
    const answer = await call(base, '/api/v1/login', { method: 'POST', body: { token } });
    cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    if (cookie === '') throw new StepFailure('Signing in set no cookie.');
    return 'with the link, once';
  });
  let session = '';
  await steps.run('Say', async () => {
    const agents = await read(base, '/api/v1/agents', cookie);
    const main = agents.items.find((/** @type {{ name: string }} */ agent) => agent.name === 'main');
    if (!main) throw new StepFailure('There is no agent `main`.', { why: JSON.stringify(agents) });
    session = (await post(base, '/api/v1/sessions', cookie, { agentId: main.id })).id;
    await post(base, `/api/v1/sessions/${session}/messages`, cookie, { text: SAID });
    return SAID;
  });
  await steps.run('Reply', async () => {
    const startedAt = Date.now();
    for (;;) {
      const { items } = await read(base, `/api/v1/sessions/${session}/messages`, cookie);
      const reply = items.find(
        (/** @type {{ direction: string, kind: string, state: string }} */ message) =>
          message.direction === 'out' && message.kind === 'chat' && message.state === 'delivered',
      );
      if (reply) return JSON.stringify(reply.text.split('\n')[0]);
      if (Date.now() - startedAt > REPLY_TIMEOUT_MS) {
        throw new StepFailure(`No reply within ${REPLY_TIMEOUT_MS / 1000} s.`, { why: JSON.stringify(items, null, 2) });
      }
      await delay(POLL_MS);
    }
  });
  await steps.run('Ctrl+C', async () => {
    // To the whole group, as a terminal does it.
    process.kill(-(up.child.pid ?? 0), 'SIGINT');
    const code = await within(STOP_TIMEOUT_MS, 'stopping', up.ended);
    if (code !== 0) throw new StepFailure(`After Ctrl+C \`npm run up\` ended with ${code}, not 0.`);
    return 'ended with 0';
  });
}

/**
 * @param {string} home
 * @param {number} port
 */
function startUp(home, port) {
  const child = spawn('npm', ['run', 'up'], {
    cwd: ROOT,
    env: { ...process.env, [ENV.home]: home, [ENV.port]: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  /** @type {string[]} */
  const output = [];
  /** @type {Promise<[base: string, token: string]>} */
  const link = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        const match = LINK.exec(line);
        if (match) resolve([match[1] ?? '', match[2] ?? '']);
      });
    }
  });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  return { child, output, link, ended };
}

/** @param {string} home */
async function removeContainersOf(home) {
  const client = await reachEngine();
  if (client === null) return;
  const filters = encodeURIComponent(JSON.stringify({ label: ['portolan.install'] }));
  /** @type {{ Id: string, Mounts: { Source: string }[] }[]} */
  const containers = JSON.parse(
    await client.text({
      method: 'GET',
      path: `/containers/json?all=1&filters=${filters}`,
      timeoutMs: ENGINE_TIMEOUT_MS,
    }),
  );
  for (const { Id, Mounts } of containers) {
    if (!Mounts.some(({ Source }) => Source.startsWith(`${home}/`))) continue;
    await client.text({ method: 'DELETE', path: `/containers/${Id}?force=1`, timeoutMs: ENGINE_TIMEOUT_MS });
  }
}

/** @returns {Promise<number>} a port nobody uses now */
async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/**
 * @template T
 * @param {number} timeoutMs
 * @param {string} what
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function within(timeoutMs, what, work) {
  const stop = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: stop.signal, ref: true }).then(
    () => Promise.reject(new StepFailure(`${what} took more than ${timeoutMs / 1000} s.`)),
    () => new Promise(() => {}),
  );
  try {
    return /** @type {T} */ (await Promise.race([work, late]));
  } finally {
    stop.abort();
  }
}

/**
 * @param {string} base
 * @param {string} path
 * @param {string} cookie
 */
async function read(base, path, cookie) {
  return JSON.parse(await (await call(base, path, { method: 'GET', cookie })).text());
}

/**
 * @param {string} base
 * @param {string} path
 * @param {string} cookie
 * @param {object} body
 */
async function post(base, path, cookie, body) {
  return JSON.parse(await (await call(base, path, { method: 'POST', cookie, body })).text());
}

/**
 * As the page calls: same origin, with the cookie. Throws StepFailure unless the answer is a good one.
 * @param {string} base
 * @param {string} path
 * @param {{ method: string, cookie?: string, body?: object }} call
 * @returns {Promise<Response>}
 */
async function call(base, path, { method, cookie, body }) {
  const answer = await fetch(base + path, {
    method,
    headers: {
      origin: base,
      ...(cookie ? { cookie } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new StepFailure(`${method} ${path} answered ${answer.status}.`, { why: await answer.text() });
  return answer;
}
