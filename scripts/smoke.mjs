#!/usr/bin/env node
/**
 * The first-run story against the real thing: `npm run up` on a throwaway home and a free port, sign in
 * with the printed link, say something, get the answer through a real container, Ctrl+C. Then the second
 * day: `npm run up` on the same home has everything still, beside a second home on another port.
 *
 * I1. Whatever fails, every `npm run up` is ended, and the throwaway homes go with the containers that use
 *     them (a host that stops leaves them at work).
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
/** Generous: a start with nothing to install or build takes a second or two. */
const UP_AGAIN_MS = 15_000;
const STOP_TIMEOUT_MS = 30_000;
const ENGINE_TIMEOUT_MS = 30_000;
const POLL_MS = 100;
const SAID = 'Who am I?';

/** The sign-in link, as the host prints it. */
const LINK = /(http:\/\/(?:127\.0\.0\.1|localhost):\d+)\/\S*#(?:token=)?([\w-]{20,})/;

/** @typedef {ReturnType<typeof startUp>} Up */
/** @typedef {{ id: string, direction: string, kind: string, state: string, text: string }} Message */

await runScript(async () => {
  const steps = new Steps({ total: 8 });
  const homes = [makeHome(), makeHome()];
  /** @type {Up[]} */
  const ups = [];
  const start = (/** @type {string} */ home, /** @type {number} */ port) => {
    const up = startUp(home, port);
    ups.push(up);
    return up;
  };
  try {
    await runStory(steps, homes, start);
  } catch (error) {
    const output = ups.flatMap((up) => up.output.slice(-40));
    if (error instanceof StepFailure && error.why === '') error.why = output.join('\n');
    throw error;
  } finally {
    for (const up of ups) await end(up); // I1
    for (const home of homes) {
      await removeContainersOf(home);
      rmSync(home, { recursive: true, force: true });
    }
  }
  return 0;
});

/**
 * @param {Steps} steps
 * @param {string[]} homes
 * @param {(home: string, port: number) => Up} start
 */
async function runStory(steps, [home = '', otherHome = ''], start) {
  const port = await findFreePort();
  const up = start(home, port);
  let base = '';
  let token = '';
  await steps.run('Up', async () => {
    [base, token] = await readLink(up);
    return base;
  });
  let cookie = '';
  await steps.run('Sign in', async () => {
    cookie = await signIn(base, token);
    return 'with the link, once';
  });
  let session = '';
  await steps.run('Say', async () => {
    session = await startChat(base, cookie);
    await post(base, `/api/v1/sessions/${session}/messages`, cookie, { text: SAID });
    return SAID;
  });
  await steps.run('Reply', async () => {
    const [reply] = await readReplies(base, cookie, session, 1);
    return JSON.stringify(reply?.text.split('\n')[0]);
  });
  const kept = await readKept(base, cookie, session);
  await steps.run('Ctrl+C', () => interrupt([up]));

  const again = start(home, port);
  const other = start(otherHome, 0);
  await steps.run('Up again', async () => {
    const startedAt = Date.now();
    await readLink(again);
    const tookMs = Date.now() - startedAt;
    const redone = again.output.find((line) => /\b(built|installed)\b/.test(line));
    if (redone !== undefined) throw new StepFailure('A second `npm run up` did work again.', { why: redone });
    if (tookMs > UP_AGAIN_MS) throw new StepFailure(`A second \`npm run up\` took ${tookMs / 1000} s.`);
    // With the cookie of before: who had signed in still is.
    const found = await readKept(base, cookie, session);
    if (JSON.stringify(found) !== JSON.stringify(kept)) {
      throw new StepFailure('After a second `npm run up` not everything is there as it was.', {
        why: JSON.stringify({ before: kept, after: found }, null, 2),
      });
    }
    return 'the same agents, chats and messages; nothing done again';
  });
  await steps.run('Beside it', async () => {
    const [otherBase, otherToken] = await readLink(other);
    const otherCookie = await signIn(otherBase, otherToken);
    const otherSession = await startChat(otherBase, otherCookie);
    await Promise.all([
      post(base, `/api/v1/sessions/${session}/messages`, cookie, { text: SAID }),
      post(otherBase, `/api/v1/sessions/${otherSession}/messages`, otherCookie, { text: SAID }),
    ]);
    await Promise.all([readReplies(base, cookie, session, 2), readReplies(otherBase, otherCookie, otherSession, 1)]);
    return `a second home on ${otherBase}; both answer`;
  });
  await steps.run('Ctrl+C', () => interrupt([again, other]));
}

/**
 * What a person has: agents, chats, and what was said in one of them.
 * @param {string} base
 * @param {string} cookie
 * @param {string} session
 */
async function readKept(base, cookie, session) {
  const idOf = (/** @type {{ id: string }} */ item) => item.id;
  const [agents, chats, messages] = await Promise.all([
    read(base, '/api/v1/agents', cookie),
    read(base, '/api/v1/sessions', cookie),
    read(base, `/api/v1/sessions/${session}/messages`, cookie),
  ]);
  return {
    agents: agents.items.map(idOf).sort(),
    chats: chats.items.map(idOf).sort(),
    messages: messages.items.map((/** @type {Message} */ { id, direction, text }) => ({ id, direction, text })),
  };
}

/**
 * @param {string} base
 * @param {string} cookie
 * @param {string} session
 * @param {number} count waits until there are as many
 * @returns {Promise<Message[]>}
 */
async function readReplies(base, cookie, session, count) {
  const startedAt = Date.now();
  for (;;) {
    /** @type {{ items: Message[] }} */
    const { items } = await read(base, `/api/v1/sessions/${session}/messages`, cookie);
    const replies = items.filter(
      ({ direction, kind, state }) => direction === 'out' && kind === 'chat' && state === 'delivered',
    );
    if (replies.length >= count) return replies;
    if (Date.now() - startedAt > REPLY_TIMEOUT_MS) {
      throw new StepFailure(`No reply within ${REPLY_TIMEOUT_MS / 1000} s.`, { why: JSON.stringify(items, null, 2) });
    }
    await delay(POLL_MS);
  }
}

/**
 * @param {string} base
 * @param {string} token
 * @returns {Promise<string>} the cookie
 */
async function signIn(base, token) {
  const answer = await call(base, '/api/v1/login', { method: 'POST', body: { token } });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  if (cookie === '') throw new StepFailure('Signing in set no cookie.');
  return cookie;
}

/**
 * @param {string} base
 * @param {string} cookie
 * @returns {Promise<string>} the session's id
 */
async function startChat(base, cookie) {
  const agents = await read(base, '/api/v1/agents', cookie);
  const main = agents.items.find((/** @type {{ name: string }} */ agent) => agent.name === 'main');
  if (!main) throw new StepFailure('There is no agent `main`.', { why: JSON.stringify(agents) });
  return (await post(base, '/api/v1/sessions', cookie, { agentId: main.id })).id;
}

function makeHome() {
  return mkdtempSync(join(tmpdir(), 'portolan-smoke-'));
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

/** @param {Up} up */
async function readLink(up) {
  const ended = up.ended.then((code) => Promise.reject(new StepFailure(`\`npm run up\` ended with ${code}.`)));
  return within(UP_TIMEOUT_MS, '`npm run up` printing its link', Promise.race([up.link, ended]));
}

/**
 * Ctrl+C: to the whole group, as a terminal does it.
 * @param {Up[]} ups
 */
async function interrupt(ups) {
  for (const { child } of ups) process.kill(-(child.pid ?? 0), 'SIGINT');
  for (const { ended } of ups) {
    const code = await within(STOP_TIMEOUT_MS, 'stopping', ended);
    if (code !== 0) throw new StepFailure(`After Ctrl+C \`npm run up\` ended with ${code}, not 0.`);
  }
  return 'ended with 0';
}

/** @param {Up} up */
async function end({ child, ended }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  await within(STOP_TIMEOUT_MS, 'ending `npm run up`', ended);
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
