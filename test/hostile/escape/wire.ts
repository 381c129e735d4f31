/** Bytes on a connection, and what came back, in words that a test can compare. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** How long an answer is waited for. What is refused is refused at once. */
const PATIENCE_MS = 3_000;

/** `connected`, or the code of the error. */
export function tryConnect(where: NetConnectOpts, patienceMs = PATIENCE_MS): Promise<string> {
  return new Promise((resolve) => {
    let socket: Socket;
    const done = (word: string) => {
      socket.destroy();
      resolve(word);
    };
    try {
      socket = connect(where);
    } catch (error) {
      return resolve(codeOf(error));
    }
    socket.setTimeout(patienceMs, () => done('silence'));
    socket.once('connect', () => done('connected'));
    socket.once('error', (error) => done(codeOf(error)));
  });
}

/** All that came back until it was closed or silent. */
export function exchange(where: NetConnectOpts, text: string | Buffer, patienceMs = PATIENCE_MS): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(where, () => void socket.write(text));
    const done = () => {
      socket.destroy();
      resolve(heard);
    };
    socket.setTimeout(patienceMs, done);
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.once('end', done);
    socket.once('error', (error) => {
      heard ||= codeOf(error);
      done();
    });
  });
}

/** The loopback port that the runner offers. */
export function gatewayPort(): NetConnectOpts {
  const proxy = new URL(process.env.HTTP_PROXY ?? '');
  return { host: proxy.hostname, port: Number(proxy.port) };
}

/** Each answer in what came back: its status, and why it was refused. */
export function outcomes(heard: string): string[] {
  return [...heard.matchAll(/HTTP\/1\.1 (\d{3})[^\r\n]*((?:\r\n[^\r\n]+)*)\r\n\r\n/g)].map(
    ([, status, headers = '']) => {
      const refusal = /^x-portolan-refusal: (\w+)/im.exec(headers)?.[1];
      return refusal === undefined ? `${status}` : `${status} ${refusal}`;
    },
  );
}

/** One request through the runner's port, as these bytes; what the first answer was. */
export async function ask(...lines: string[]): Promise<string> {
  const heard = await exchange(gatewayPort(), `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  return outcomes(heard)[0] ?? (heard.slice(0, 40) || 'nothing');
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
