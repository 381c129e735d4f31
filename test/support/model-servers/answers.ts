/**
 * Model servers for tests: real HTTP on loopback, the real protocols, no model. A test says what the next answers
 * are; what a server was asked is recorded. Each API is a dialect (`openai.ts`, `anthropic.ts`), strict about what
 * it accepts, so that a wrong request fails as it would outside.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Token counts as a server tells them. `input` counts everything that was read, cached or not. */
export interface ModelUsage {
  input: number;
  output: number;
  /** Of `input`: read from the server's cache. */
  cached?: number;
  /** Of `input`: written to the server's cache. */
  cacheWritten?: number;
  /** Of `output`: thoughts. */
  reasoning?: number;
}

export interface ModelToolCall {
  name: string;
  /** An object; or a text that is sent as it stands, for a model that writes broken JSON. */
  input: unknown;
  /** Made by the server when absent. */
  id?: string;
}

export type ModelAnswer =
  /** `model` is the name that the answer carries; the one that was asked for when absent. */
  | { kind: 'text'; text: string; reasoning?: string; usage?: ModelUsage; model?: string; isCut?: boolean }
  | { kind: 'tools'; calls: readonly ModelToolCall[]; text?: string; usage?: ModelUsage; model?: string }
  /** An error before the stream. `error` replaces the dialect's own words. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; error?: { type: string; message: string } }
  /** The connection ends after this text, in the middle of the stream; `isClean`: as if that were all. */
  | { kind: 'broken'; text: string; isClean?: boolean }
  /** An error that the server tells in the middle of the stream, after this text. */
  | { kind: 'stream_error'; text: string; error: { type: string; message: string } }
  /** A piece of text each `gapMs`. */
  | { kind: 'slow'; text: string; gapMs: number; usage?: ModelUsage }
  /** The stream begins with this text, and nothing more comes; `null`: not even the headers. */
  | { kind: 'silent'; text: string | null };

export type NextAnswer = ModelAnswer | ((request: RecordedRequest) => ModelAnswer | Promise<ModelAnswer>);

export interface RecordedRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingMessage['headers'];
  /** As it was sent. */
  text: string;
  /** Parsed; null when it is no JSON. */
  body: unknown;
  /** Resolves when the other side is gone, or has its answer. */
  closed: Promise<void>;
}

export interface ServerRules {
  /** The only key that is let in. */
  key: string;
  /** Models that the server has; any when absent. */
  models?: readonly string[];
  /** Larger requests are refused as too long for the model; about four bytes are a token. */
  contextTokens?: number;
}

/** What one API adds: what it accepts, and how it says an answer. */
export interface Dialect {
  /** Null: fine. Otherwise the answer to a request that the API would not take. */
  refuse(request: RecordedRequest, rules: ServerRules): ModelAnswer | null;
  /** Answers that need no queue, as a list of models; null: it is a call of the model. */
  sideAnswer?(request: RecordedRequest, rules: ServerRules): { status: number; body: unknown } | null;
  respond(answer: ModelAnswer, request: RecordedRequest, response: ServerResponse): Promise<ModelUsage | null>;
}

export interface ModelServer extends AsyncDisposable {
  /** Without a path: `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly key: string;
  /** Calls of the model that were understood, oldest first. */
  readonly requests: RecordedRequest[];
  /** Calls that were refused because they were wrong, with the reason. A test ends by looking that there are none. */
  readonly wrong: { request: RecordedRequest; problem: string }[];
  /** The usage of each answer that was told, in order. */
  readonly told: ModelUsage[];
  /** Puts an answer into the queue. A function in the last place stays there. */
  answer(...next: NextAnswer[]): void;
}

export const MODEL_KEY = 'test-key-of-the-model-server';

/** About four bytes a token: near enough for limits, and the same number each time. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** `host` is where it listens: a container's own network needs another than loopback. */
export async function startModelServer(
  dialect: Dialect,
  { rules = {}, host = '127.0.0.1' }: { rules?: Partial<ServerRules>; host?: string } = {},
): Promise<ModelServer> {
  const all: ServerRules = { key: MODEL_KEY, ...rules };
  const queue: NextAnswer[] = [];
  const state = { requests: [] as RecordedRequest[], wrong: [] as ModelServer['wrong'], told: [] as ModelUsage[] };
  const take = (): NextAnswer => {
    const [first] = queue;
    if (first === undefined) return { kind: 'status', status: 500, error: NO_ANSWER };
    if (queue.length > 1 || typeof first !== 'function') queue.shift();
    return first;
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await record(incoming, response);
    const side = dialect.sideAnswer?.(request, all) ?? null;
    if (side !== null) {
      response.writeHead(side.status, { 'content-type': 'application/json' }).end(JSON.stringify(side.body));
      return;
    }
    const refusal = dialect.refuse(request, all);
    if (refusal === null) state.requests.push(request);
    else if (refusal.kind === 'status' && refusal.status === 400 && !isTooLong(refusal)) {
      state.wrong.push({ request, problem: refusal.error?.message ?? '' });
    }
    const next = refusal ?? take();
    const answer = typeof next === 'function' ? await next(request) : next;
    const usage = await dialect.respond(answer, request, response);
    if (usage !== null) state.told.push(usage);
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // A client that went away in the middle is part of the test; anything else ends its request visibly.
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await listen(server, host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    key: all.key,
    ...state,
    answer: (...next) => void queue.push(...next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const NO_ANSWER = { type: 'server_error', message: 'the test gave this server no answer to give' };

function isTooLong(answer: ModelAnswer): boolean {
  return answer.kind === 'status' && /too long|context/i.test(answer.error?.message ?? '');
}

async function listen(server: Server, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
}

async function record(incoming: IncomingMessage, response: ServerResponse): Promise<RecordedRequest> {
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    text,
    body: parseJson(text),
    closed,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A stream of server-sent events. Writes nothing any more once the other side is gone. */
export class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, headers: Record<string, string> = {}) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers });
    response.flushHeaders();
  }

  /** `event` is its name, where the API names them. */
  send(data: unknown, event?: string): void {
    if (this.#response.destroyed) return;
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.#response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`);
  }

  end(): void {
    this.#response.end();
  }

  /** Resolves when the pieces have left, and the connection is gone without an end. */
  async break(): Promise<void> {
    await new Promise<void>((resolve) => this.#response.write('', () => resolve()));
    this.#response.destroy();
  }
}

/** Text in pieces of a few characters, as models send it; never through the middle of a character. */
export function cutPieces(text: string, size = 7): string[] {
  const signs = [...text];
  const pieces: string[] = [];
  for (let at = 0; at < signs.length; at += size) pieces.push(signs.slice(at, at + size).join(''));
  return pieces;
}

/** Waits between the pieces of a slow answer. False: the other side is gone. */
export async function gap(ms: number, response: ServerResponse): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    }
    response.once('close', done);
  });
  return !response.destroyed;
}
