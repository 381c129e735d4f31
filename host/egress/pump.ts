/** Bytes from one stream to another, as fast as the slower of the two. */
import type { OutgoingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';

/**
 * Chunks passed on in one turn of the event loop: one that reads 64 KiB may have found 10,000 of a byte each. Higher:
 * who cuts a body into single bytes holds up all others. Lower: many small events of a stream take longer.
 */
const CHUNKS_AT_ONCE = 64;

/** What went on so far. */
export interface Pumped {
  bytes: number;
}

/**
 * `pass` sees each chunk and gives what goes on; null ends the copying. The end of `from` is the caller's: what
 * ends in the middle must not look whole.
 */
export function pump(from: Readable, to: Writable, pass: (chunk: Buffer) => Buffer | null): Pumped {
  const pumped: Pumped = { bytes: 0 };
  let chunks = 0;
  let isResting = false;
  const resume = () => {
    if (!isResting) from.resume();
  };
  const rest = () => {
    isResting = true;
    from.pause();
    setImmediate(() => {
      isResting = false;
      if (!to.writableNeedDrain) from.resume();
    });
  };
  const copy = (chunk: Buffer) => {
    const out = pass(chunk);
    if (out === null) {
      from.off('data', copy);
      to.off('drain', resume);
      return;
    }
    pumped.bytes += out.length;
    if (out.length > 0 && !to.write(out)) from.pause();
    chunks += 1;
    if (chunks % CHUNKS_AT_ONCE === 0) rest();
  };
  to.on('drain', resume);
  from.on('data', copy);
  return pumped;
}

/**
 * Sends a head that nothing has followed when the event loop comes round. What follows at once leaves with it: as one
 * write, which wakes the other side once instead of twice.
 */
export function sendHead(message: OutgoingMessage, body: Readonly<Pumped>): void {
  setImmediate(() => {
    if (body.bytes === 0 && !message.destroyed && !message.writableEnded) message.flushHeaders();
  });
}
