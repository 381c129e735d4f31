/** Asks the runner over its tool socket: a connection for each request. */
import { connect } from 'node:net';
import { LineReader } from './line-reader.ts';
import { MAX_REPLY_BYTES, type WireReply, type WireRequest, wireReplySchema } from './wire.ts';

/** The runner is not there, or does not speak this language. */
export class RunnerAwayError extends Error {
  override readonly name = 'RunnerAwayError';
  readonly retryable = true;
}

/** Waits as long as the runner does; a call ends with its turn. Throws RunnerAwayError. */
export async function callRunner(path: string, request: WireRequest): Promise<WireReply> {
  const line = await exchange(path, `${JSON.stringify(request)}\n`);
  return parseReply(line);
}

async function exchange(path: string, request: string): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const fail = (text: string, cause?: unknown) => {
      reject(new RunnerAwayError(text, { cause }));
      socket.destroy();
    };
    const reader = new LineReader(MAX_REPLY_BYTES, {
      onLine: (line) => {
        resolve(line);
        socket.destroy();
      },
      onTooLong: () => fail('the runner answers too much'),
    });
    const socket = connect(path);
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => reader.add(chunk));
    socket.once('error', (cause: NodeJS.ErrnoException) => fail(`the runner cannot be reached (${cause.code})`, cause));
    // Nothing happens when there was a reply.
    socket.once('close', () => fail('the runner ended without an answer'));
  });
}

function parseReply(line: string): WireReply {
  try {
    return wireReplySchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new RunnerAwayError('the runner answers in another language: rebuild the agent image', { cause });
  }
}
