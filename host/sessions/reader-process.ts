/** Entry of the reader process: answers one read after the other, and ends with its host. */
import { OutboxFiles } from './read-outbox.ts';
import type { ReaderMessage, ReadRequest } from './reader-protocol.ts';

const files = new OutboxFiles();
/** A host that ended meanwhile hears nothing, and that is no error: this process ends with it. */
const say = (message: ReaderMessage) => void process.send?.(message, () => undefined);

process.on('message', (message) => {
  // Only the host that started this process can write to the pipe.
  say(files.read(message as ReadRequest));
});
process.on('disconnect', () => process.exit(0));
// Ctrl+C reaches the whole process group; the host decides when its readers end.
process.on('SIGINT', () => undefined);
say({ kind: 'up' });
