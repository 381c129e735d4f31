/**
 * One at a time, across processes of this user on this machine.
 *
 * The lock is a listening socket: the kernel frees it when its holder dies, so there is no stale lock
 * to clean up, and whoever waits is connected to the holder and learns of its end without polling.
 *
 *   first:   listen(name) → holds            second: listen → EADDRINUSE → connect, wait for close → again
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isErrno } from './commands.mjs';

/**
 * Runs `work` while no other process runs work under the same scope and name.
 * @template T
 * @param {{ scope: string, name: string, onWait?: (holder: string) => void }} lock scope: usually the clone's folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock({ scope, name, onWait }, work) {
  const path = socketPath(scope, name);
  for (;;) {
    const server = await tryListen(path);
    if (server === null) {
      await waitForHolder(path, (holder) => onWait?.(holder));
      continue;
    }
    /** @type {Set<import('node:net').Socket>} */
    const waiting = new Set();
    server.on('connection', (socket) => {
      waiting.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiting.delete(socket));
      socket.write(`process ${process.pid}`);
    });
    try {
      return await work();
    } finally {
      server.close();
      for (const socket of waiting) socket.destroy();
      await once(server, 'close');
    }
  }
}

/**
 * @param {string} scope
 * @param {string} name
 */
function socketPath(scope, name) {
  const id = createHash('sha256').update(`${process.getuid?.()}\0${scope}`).digest('hex').slice(0, 16);
  const file = `portolan-${id}-${name}.lock`;
  // Linux: the abstract namespace, which leaves no file behind.
  return process.platform === 'linux' ? `\0${file}` : join(tmpdir(), file);
}

/**
 * @param {string} path
 * @returns {Promise<import('node:net').Server | null>} null when another process holds it
 */
async function tryListen(path) {
  const server = createServer();
  try {
    server.listen(path);
    await once(server, 'listening');
    server.unref();
    return server;
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return null;
    throw error;
  }
}

/**
 * Returns when the holder has let go or died.
 * @param {string} path
 * @param {(holder: string) => void} onHolder
 */
async function waitForHolder(path, onHolder) {
  const socket = connect(path);
  socket.setEncoding('utf8').on('data', (text) => onHolder(String(text)));
  try {
    await once(socket, 'close');
  } catch (error) {
    if (!isErrno(error, 'ECONNREFUSED', 'ECONNRESET', 'ENOENT')) throw error;
    // A socket file whose holder died: only where the path is a file.
    if (error.code === 'ECONNREFUSED' && !path.startsWith('\0')) rmSync(path, { force: true });
  }
}
