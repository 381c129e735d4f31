/**
 * A Unix socket at a path of any length (a socket's address holds 107 bytes), in the place of whatever an earlier
 * host left there. Linux: the folder is reached through the descriptor of it.
 */
import { chmodSync, closeSync, constants, lstatSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { errorCode } from '../config/errors.ts';

/** The container has a uid of its own. Who may connect is decided by who sees the folder. */
const SOCKET_MODE = 0o666;

export class SocketPlace {
  readonly #path: string;
  #folder: number | null = null;
  /** Of the file that was put there. */
  #inode: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with what the file system said. */
  async listen(server: Server): Promise<void> {
    // Held while it listens: the server removes by this path what it made.
    this.#folder = openSync(dirname(this.#path), constants.O_RDONLY | constants.O_DIRECTORY);
    const making = `/proc/self/fd/${this.#folder}/${basename(this.#path)}.making`;
    try {
      rmSync(making, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(making, () => {
          server.off('error', reject);
          resolve();
        });
      });
      chmodSync(making, SOCKET_MODE);
      this.#inode = lstatSync(making).ino;
      renameSync(making, this.#path);
    } catch (error) {
      this.leave(server);
      throw error;
    }
  }

  isThere(): boolean {
    try {
      return this.#inode !== null && lstatSync(this.#path).ino === this.#inode;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return false;
    }
  }

  /** Nobody connects any more; who is connected stays so. May be repeated. */
  leave(server: Server): void {
    if (server.listening) server.close();
    // Another host's is left alone.
    if (this.isThere()) rmSync(this.#path, { force: true });
    this.#inode = null;
    if (this.#folder !== null) closeSync(this.#folder);
    this.#folder = null;
  }
}
