import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage, request } from 'node:http';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayPort } from '../../container/runner/gateway-port.ts';
import { REFUSAL_HEADER } from '../../shared/gateway.ts';

const MIB = 1024 * 1024;

/** The host's end: a Unix socket in a folder of its own, and the runner's port before it. */
class Pair implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'portolan-port-'));
  readonly folder: string;
  readonly path: string;
  readonly port: GatewayPort;
  readonly sockets: Socket[] = [];
  number = 0;
  #server: Server | null = null;

  constructor(below = '') {
    this.folder = join(this.root, below);
    mkdirSync(this.folder, { recursive: true });
    this.path = join(this.folder, 'gateway.sock');
    this.port = new GatewayPort(this.path);
  }

  async begin(serve: ((socket: Socket) => void) | null): Promise<this> {
    if (serve !== null) await this.open(serve);
    this.number = await this.port.listen(0);
    return this;
  }

  async open(serve: (socket: Socket) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      serve(socket);
    });
    this.#server = server;
    const here = process.cwd();
    // A long path is bound from its folder.
    process.chdir(this.folder);
    await new Promise<void>((resolve) => server.listen('gateway.sock', resolve));
    process.chdir(here);
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
    rmSync(this.path, { force: true });
  }

  connect(): Socket {
    return createConnection({ port: this.number, host: '127.0.0.1', allowHalfOpen: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.port[Symbol.dispose]();
    await this.shut();
    rmSync(this.root, { recursive: true, force: true });
  }
}

const pairs: Pair[] = [];
afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair[Symbol.asyncDispose]();
});

async function pair(serve: ((socket: Socket) => void) | null, below = ''): Promise<Pair> {
  const made = new Pair(below);
  pairs.push(made);
  return await made.begin(serve);
}

function answerOf(port: number, path = '/'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject);
  });
}

describe('the gateway’s port inside', () => {
  it('carries bytes both ways as they are', async () => {
    const { number } = await pair((socket) => socket.pipe(socket));
    const bytes = Buffer.from(Array.from({ length: 3 * MIB }, (_, at) => (at * 31) % 256));
    const socket = createConnection({ port: number, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(bytes);
    const back: Buffer[] = [];
    for await (const chunk of socket) back.push(chunk);
    expect(Buffer.concat(back).equals(bytes)).toBe(true);
  });

  it('passes on that one side has said all, while the other still speaks', async () => {
    const { number } = await pair((socket) => {
      // Answers only after the end of the question.
      let question = '';
      socket.on('data', (chunk) => {
        question += chunk;
      });
      socket.on('end', () => socket.end(`you said ${question}`));
    });
    const socket = createConnection({ port: number, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('all');
    expect(await text(socket)).toBe('you said all');
  });

  it('gives the whole of a long answer to a program that reads slowly, though the gateway is gone by then', async () => {
    const { number } = await pair((socket) => socket.end(Buffer.alloc(8 * MIB, 'x')));
    const socket = createConnection({ port: number, host: '127.0.0.1' });
    let bytes = 0;
    for await (const chunk of socket) {
      bytes += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(8 * MIB);
  });

  it('does not read what the other side does not take', async () => {
    const made = await pair((socket) => socket.pause());
    const socket = made.connect();
    const written = await new Promise<number>((resolve) => {
      let total = 0;
      const write = () => {
        while (total < 64 * MIB) {
          total += MIB;
          if (!socket.write(Buffer.alloc(MIB))) {
            // Taken from us no more: the buffers between are full, and small.
            const stuck = setTimeout(() => resolve(total), 500);
            socket.once('drain', () => {
              clearTimeout(stuck);
              write();
            });
            return;
          }
        }
        resolve(total);
      };
      write();
    });
    expect(written).toBeLessThan(32 * MIB);
    socket.destroy();
  });

  it('says in the gateway’s own form that there is none, and finds the next one that is opened', async () => {
    const made = await pair(null);
    const answer = await answerOf(made.number);
    expect(answer.statusCode).toBe(502);
    expect(answer.headers[REFUSAL_HEADER]).toBe('unreachable');
    expect(JSON.parse(await text(answer))).toMatchObject({
      type: 'error',
      error: { type: 'unreachable', message: expect.stringContaining('ENOENT') },
      next: expect.stringContaining('Try again'),
    });
    const serve = (word: string) => (socket: Socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${word.length}\r\n\r\n${word}`));
    await made.open(serve('first'));
    expect(await text(await answerOf(made.number))).toBe('first');
    await made.shut();
    await made.open(serve('second'));
    expect(await text(await answerOf(made.number))).toBe('second');
  });

  it('lets a program that still sends read why it was refused', async () => {
    const made = await pair(null);
    const sending = request({ host: '127.0.0.1', port: made.number, method: 'POST', agent: false });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sending.on('response', resolve).on('error', reject);
    });
    for (let sent = 0; sent < 8; sent++) sending.write(Buffer.alloc(MIB / 4));
    expect((await answered).statusCode).toBe(502);
    sending.destroy();
  });

  it('lets a program that still sends read what the gateway said before it closed', async () => {
    const made = await pair((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'));
      // It goes on reading for as long as it takes to be heard, as servers do.
      socket.resume().once('end', () => socket.destroy());
    });
    const sending = request({ host: '127.0.0.1', port: made.number, method: 'POST', agent: false });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sending.on('response', resolve).on('error', reject);
    });
    for (let sent = 0; sent < 64; sent++) sending.write(Buffer.alloc(MIB / 4));
    expect((await answered).statusCode).toBe(413);
    sending.destroy();
  });

  it('closes a program’s connection when the gateway breaks it off, and the gateway’s when the program is gone', async () => {
    const made = await pair((socket) => socket.write('half of '));
    const first = made.connect();
    const closed = new Promise((resolve) => first.once('close', resolve));
    first.on('error', () => undefined);
    first.once('data', () => made.sockets[0]?.destroy());
    first.on('end', () => first.end());
    await closed;
    const second = made.connect();
    await new Promise((resolve) => second.once('data', resolve));
    const gone = new Promise((resolve) => made.sockets[1]?.once('close', resolve));
    made.sockets[1]?.resume();
    made.sockets[1]?.on('end', () => made.sockets[1]?.end());
    second.resetAndDestroy();
    await gone;
  });

  it('refuses the 257th connection at once, and takes another when one has ended', async () => {
    const made = await pair((socket) => socket.resume().on('end', () => socket.end()));
    const open = Array.from({ length: 256 }, () => made.connect());
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const refused = await answerOf(made.number);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers[REFUSAL_HEADER]).toBe('too_many');
    refused.resume();
    const [first] = open;
    const closed = new Promise((resolve) => first?.once('close', resolve));
    first?.resume().end();
    await closed;
    const next = made.connect();
    next.end();
    expect(await text(next)).toBe('');
    for (const socket of open) socket.destroy();
  });

  it('finds a socket whose path is longer than a socket’s path may be', async () => {
    const made = await pair((socket) => socket.end('deep'), 'x'.repeat(120));
    expect(Buffer.byteLength(made.path)).toBeGreaterThan(107);
    expect(await text(made.connect())).toBe('deep');
  });

  it('takes another port when its own is taken', async () => {
    const first = await pair(null);
    const second = new GatewayPort(first.path);
    const port = await second.listen(first.number);
    expect(port).not.toBe(first.number);
    second[Symbol.dispose]();
  });
});
