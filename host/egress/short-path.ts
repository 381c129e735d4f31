/**
 * A name for the Unix socket at a path of any length: a socket's address holds 107 bytes, so its folder is held open and
 * reached through the descriptor of it. Linux.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

export class ShortPath implements Disposable {
  readonly #folder: number;
  /** Good until this is disposed. */
  readonly text: string;

  /** Throws what the file system says. */
  constructor(path: string) {
    this.#folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    this.text = `/proc/self/fd/${this.#folder}/${basename(path)}`;
  }

  [Symbol.dispose](): void {
    closeSync(this.#folder);
  }
}
