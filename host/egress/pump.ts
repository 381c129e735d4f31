/** Bytes from one stream to another, as fast as the slower of the two. */
import type { Readable, Writable } from 'node:stream';

/**
 * `pass` sees each chunk and gives what goes on; null ends the copying. The end of `from` is the caller's: what
 * ends in the middle must not look whole.
 */
export function pump(from: Readable, to: Writable, pass: (chunk: Buffer) => Buffer | null): void {
  const resume = () => {
    from.resume();
  };
  const copy = (chunk: Buffer) => {
    const out = pass(chunk);
    if (out === null) {
      from.off('data', copy);
      to.off('drain', resume);
      return;
    }
    if (out.length > 0 && !to.write(out)) from.pause();
  };
  to.on('drain', resume);
  from.on('data', copy);
}
