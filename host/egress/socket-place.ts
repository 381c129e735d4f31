/** A Unix socket at a path of any length, in the place of whatever an earlier host left there. */
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { errorCode } from '../config/errors.ts';
import { ShortPath } from './short-path.ts';

/** The container has a uid of its own. Who may connect is decided by who sees the folder. */
const SOCKET_MODE = 0o666;

export class SocketPlace {
  readonly #path: string;
  #short: ShortPath | null = null;
  /** Of the file that was put there. */
  #inode: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with what the file system said. */
  async listen(server: Server): Promise<void> {
    // Held while it listens: the server removes by this path what it made.
    this.#short = new ShortPath(this.#path);
    const making = `${this.#short.text}.making`;
    try {
      rmSync(making, { force: true });
      await new Promise<void>((resolve, reject) => {
        // One that is closed in the turn in which it was opened never says that it listens.
        const closed = () => reject(new Error('it was closed before it listened'));
        server.once('error', reject);
        server.once('close', closed);
        server.listen(making, () => {
          server.off('error', reject);
          server.off('close', closed);
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
    this.#short?.[Symbol.dispose]();
    this.#short = null;
  }
}
