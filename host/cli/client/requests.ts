/** The verbs of the host's API over its Unix socket; each failure a CliError with its exit code. */
import type { IncomingMessage } from 'node:http';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { openStream, requestOverSocket, type SocketAnswer } from './socket.ts';
import type { Page } from './types.ts';

const BASE = '/api/v1';
/** The most the API gives in one page. */
export const PAGE_LIMIT = 200;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `revision`: what the change is based on; one that changed meanwhile stays as it is, and the call is refused. */
interface PostOptions {
  revision?: number;
  /** Silence before it is given up, when the host has long work to do first. */
  timeoutMs?: number;
}

/** Paths are below the API's root. Each throws CliError: the host's refusal in its own words, or that it is not there. */
export class Requests {
  readonly #address: { socketPath: string };

  constructor(socketPath: string) {
    this.#address = { socketPath };
  }

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const whole = `${BASE}${path}${formatQuery(query)}`;
    return decode(
      await requestOverSocket(this.#address, { method: 'GET', path: whole, ...(signal && { signal }) }),
      path,
    );
  }

  /** As many pages as `limit` items take. */
  async list<T>(path: string, query: Query, limit: number): Promise<Page<T>> {
    const items: T[] = [];
    let cursor: string | undefined;
    for (;;) {
      const wanted = Math.min(PAGE_LIMIT, limit - items.length);
      const page: Page<T> = await this.get(path, { ...query, limit: wanted, cursor });
      items.push(...page.items);
      if (page.nextCursor === null || items.length >= limit) return { items, nextCursor: page.nextCursor };
      cursor = page.nextCursor;
    }
  }

  /** Null: without a body. */
  post<T>(path: string, body: Record<string, unknown> | null, options: PostOptions = {}): Promise<T> {
    return this.#change('POST', path, body, options);
  }

  patch<T>(path: string, revision: number, body: Record<string, unknown>): Promise<T> {
    return this.#change('PATCH', path, body, { revision });
  }

  put<T>(path: string, revision: number | null, body: Record<string, unknown>): Promise<T> {
    return this.#change('PUT', path, body, revision === null ? {} : { revision });
  }

  delete<T>(path: string, revision?: number): Promise<T> {
    return this.#change('DELETE', path, null, revision === undefined ? {} : { revision });
  }

  async postForm<T>(path: string, form: FormData): Promise<T> {
    // Response knows how to write a form as bytes, boundary included.
    const encoded = new Response(form);
    const answer = await requestOverSocket(this.#address, {
      method: 'POST',
      path: BASE + path,
      headers: { 'Content-Type': encoded.headers.get('content-type') ?? '' },
      body: Buffer.from(await encoded.arrayBuffer()),
    });
    return decode(answer, path);
  }

  async download(path: string): Promise<Buffer> {
    const answer = await requestOverSocket(this.#address, { method: 'GET', path: BASE + path });
    if (answer.status !== 200) throw describeRefusal(answer, path);
    return answer.body;
  }

  /** Server-sent events, after `lastEventId` when it is not empty; the caller reads or destroys the stream. `refusedAs`: the error’s code. */
  async openEvents(
    path: string,
    lastEventId: string,
    signal: AbortSignal,
    refusedAs = 'no_events',
  ): Promise<IncomingMessage> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastEventId !== '') headers['Last-Event-ID'] = lastEventId;
    const stream = await openStream(this.#address, { method: 'GET', path: BASE + path, headers, signal });
    if (stream.statusCode === 200) return stream;
    stream.destroy();
    throw new CliError(EXIT.failed, refusedAs, `The host answered ${stream.statusCode} to ${BASE}${path}.`);
  }

  /** What is answered where something is; an empty object where nothing is. */
  async #change<T>(
    method: string,
    path: string,
    body: Record<string, unknown> | null,
    { revision, timeoutMs }: PostOptions,
  ): Promise<T> {
    const answer = await requestOverSocket(this.#address, {
      method,
      path: BASE + path,
      headers: {
        ...(body !== null && { 'Content-Type': 'application/json' }),
        ...(revision !== undefined && { 'If-Match': `"${revision}"` }),
      },
      ...(body !== null && { body: JSON.stringify(body) }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    return decode(answer.status === 204 ? { ...answer, body: Buffer.from('{}') } : answer, path);
  }
}

/** With its question mark; empty without a value. */
export function formatQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The host made the answer by the schema of its route, and only its owner's host can listen on the socket;
 * what is checked here is that it is JSON and no error. @NOTE zod stays out: it would double the start of every command.
 */
function decode<T>(answer: SocketAnswer, path: string): T {
  if (answer.status < 200 || answer.status >= 300) throw describeRefusal(answer, path);
  const value = parseJson(answer.body);
  if (typeof value !== 'object' || value === null) {
    throw new CliError(EXIT.failed, 'strange_answer', `The host's answer to ${path} is no JSON object.`, {
      expected: 'a host of this same version',
      next: 'portolan doctor',
    });
  }
  return value as T;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const REFUSED = new Set([401, 403, 409, 410, 412, 423, 428, 429]);
const USAGE = new Set([400, 413, 415, 422]);

function exitCodeOf(status: number): ExitCode {
  if (status === 404) return EXIT.notFound;
  if (REFUSED.has(status)) return EXIT.refused;
  return USAGE.has(status) ? EXIT.usage : EXIT.failed;
}

function describeRefusal(answer: SocketAnswer, path: string): CliError {
  const value = parseJson(answer.body);
  const error = isRecord(value) && isRecord(value.error) ? value.error : {};
  const { code, message, expected, next } = error;
  return new CliError(
    exitCodeOf(answer.status),
    typeof code === 'string' ? oneLine(code) : `http_${answer.status}`,
    typeof message === 'string' ? oneLine(message) : `The host answered ${answer.status} to ${path}.`,
    {
      expected: typeof expected === 'string' ? oneLine(expected) : undefined,
      next: typeof next === 'string' ? oneLine(next) : undefined,
    },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
