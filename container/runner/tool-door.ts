/**
 * The door for programs beside the runner: a Unix socket at which they list and call the tools of the turn
 * that runs. Tools run in this process, so that their rows carry the message that they answer.
 *
 * I1. Whoever connects is as untrusted as all else in the container: every line is bounded and parsed, and
 *     nothing that is said here ends the runner.
 * I2. One request a connection, and a bounded number of connections.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { MAX_JSON_DEPTH } from '../../shared/limits.ts';
import { nestingExceeds } from '../../shared/messages.ts';
import { LineReader } from '../mcp/line-reader.ts';
import { MAX_REQUEST_BYTES, type WireReply, type WireRequest, wireRequestSchema } from '../mcp/wire.ts';
import { listTools } from '../tools/index.ts';
import type { ToolBox } from '../tools/tool.ts';
import { describeError, log } from './log.ts';

/** Calls at once. Higher: a flood fills memory. Lower: parallel calls of one model wait. */
const MAX_CONNECTIONS = 32;
/** How long a connection may take to say what it wants. Higher: silent ones fill the places. */
const REQUEST_TIMEOUT_MS = 10_000;

const NO_TURN = 'No turn is running, so nothing was done. Tools work while the agent answers a message.';

export class ToolDoor implements Disposable {
  readonly #path: string;
  readonly #isAdmin: boolean;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #tools: ToolBox | null = null;

  constructor(path: string, isAdmin: boolean) {
    this.#path = path;
    this.#isAdmin = isAdmin;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
    // Without it the agent still works; only programs beside the runner have no tools.
    this.#server.on('error', (error) => log.warn('the tool socket does not work', { error: describeError(error) }));
  }

  /** Begins to listen. What a killed predecessor left at the path is removed. */
  listen(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch (error) {
      log.warn('the tool socket cannot be replaced', { error: describeError(error) });
      return;
    }
    // The socket is made at once, in this call: nobody else can ever open it.
    const before = process.umask(0o177);
    try {
      this.#server.listen(this.#path);
    } finally {
      process.umask(before);
    }
  }

  /** A turn began: its tools can be called. */
  open(tools: ToolBox): void {
    this.#tools = tools;
  }

  close(): void {
    this.#tools = null;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let isAsked = false;
    const reader = new LineReader(MAX_REQUEST_BYTES, {
      onLine: (line) => {
        if (isAsked) return;
        isAsked = true;
        socket.pause();
        socket.setTimeout(0);
        void this.#answer(line).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
      },
      onTooLong: () => {
        isAsked = true;
        socket.end(`${JSON.stringify(problem(`a request has at most ${MAX_REQUEST_BYTES} bytes`))}\n`);
      },
    });
    socket.on('data', (chunk: Buffer) => reader.add(chunk));
  }

  /** Never rejects (I1). */
  async #answer(line: string): Promise<WireReply> {
    try {
      const request = parseRequest(line);
      if (request === null)
        return problem('this is no request: {"op": "list"} or {"op": "call", "name": …, "input": …}');
      return await this.#carryOut(request);
    } catch (error) {
      log.error('a tool failed', { error: describeError(error) });
      return problem('something went wrong inside the runner; try again');
    }
  }

  async #carryOut(request: WireRequest): Promise<WireReply> {
    if (request.op === 'list') {
      const tools = this.#tools?.list() ?? listTools(this.#isAdmin);
      return {
        kind: 'tools',
        tools: tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
      };
    }
    if (this.#tools === null) return { kind: 'result', ok: false, text: NO_TURN };
    const { ok, text } = await this.#tools.call(request.name, request.input);
    return { kind: 'result', ok, text };
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
    // Also removes the file.
    this.#server.close();
  }
}

function parseRequest(line: string): WireRequest | null {
  if (nestingExceeds(line, MAX_JSON_DEPTH)) return null;
  try {
    const parsed = wireRequestSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function problem(text: string): WireReply {
  return { kind: 'error', text };
}
