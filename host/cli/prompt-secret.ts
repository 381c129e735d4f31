/**
 * Reads what nobody may see: typed without echo, or from a pipe. Never from the command's words, which `ps` shows to
 * everybody and shells write down.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Context } from './context.ts';
import { CliError, EXIT } from './errors.ts';
import { oneLine } from './output/text.ts';

/** Higher: a wrong file piped in fills memory. Lower: what the host would refuse in words is cut off here. */
const MAX_PIPED_BYTES = 64 * 1024;

const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ERASE = /[\b\u007f]/;

/** Without the white space around it. Throws CliError `cancelled`, `too_long`. */
export async function readSecretly(context: Context, question: string): Promise<string> {
  const { terminal } = context;
  if (!terminal.isStdinInteractive) return (await readAll(terminal.stdin)).trim();
  // The terminal shows nothing more before it asks: who types ahead is not seen either.
  const hidden = readHidden(terminal.stdin, terminal.interrupted);
  terminal.stderr.write(`${oneLine(question)} `);
  try {
    return (await hidden).trim();
  } finally {
    // Enter was not shown either.
    terminal.stderr.write('\n');
  }
}

async function readAll(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes > MAX_PIPED_BYTES) {
      throw new CliError(EXIT.usage, 'too_long', 'What comes on stdin is no secret: it is too long.', {
        expected: 'the key or token, and nothing else',
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One line. What was pasted behind its end is dropped: it would go to the shell. */
function readHidden(stdin: Readable, interrupted: AbortSignal): Promise<string> {
  const isRaw = hasRawMode(stdin);
  if (isRaw) stdin.setRawMode(true);
  const decoder = new StringDecoder('utf8');
  let line = '';
  return new Promise<string>((resolve, reject) => {
    const finish = (end: () => void) => {
      stdin.off('data', hear);
      stdin.off('end', endHere);
      interrupted.removeEventListener('abort', cancel);
      if (isRaw) stdin.setRawMode(false);
      stdin.pause();
      end();
    };
    const cancel = () => finish(() => reject(new CliError(EXIT.refused, 'cancelled', 'Nothing was changed.')));
    const endHere = () => finish(() => resolve(line));
    const hear = (chunk: Buffer | string) => {
      for (const sign of decoder.write(Buffer.from(chunk))) {
        if (sign === CTRL_C) return cancel();
        if (sign === CTRL_D || ENTER.test(sign)) return endHere();
        if (sign === CTRL_U) line = '';
        else if (ERASE.test(sign)) line = [...line].slice(0, -1).join('');
        else line += sign;
      }
    };
    stdin.on('data', hear);
    stdin.on('end', endHere);
    interrupted.addEventListener('abort', cancel, { once: true });
    stdin.resume();
  });
}

function hasRawMode(stdin: Readable): stdin is Readable & { setRawMode(isRaw: boolean): void } {
  return 'setRawMode' in stdin && typeof stdin.setRawMode === 'function';
}
