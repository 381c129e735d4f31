/** Reads Server-sent events from the API under test, one after the other. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type ApiFixture, BEARER } from './api-server.ts';
import { until } from './until.ts';

/** What tests look at one by one; which event has what is theirs to assert, with all the rest. */
const eventDataSchema = z.looseObject({
  id: z.string().optional(),
  sessionId: z.string().optional(),
  state: z.string().optional(),
  text: z.string().optional(),
  code: z.string().optional(),
  revision: z.number().optional(),
  position: z.number().optional(),
  /** Of an approval it is text. */
  question: z.union([z.string(), z.looseObject({ state: z.string() })]).nullish(),
});

export interface SeenEvent {
  event: string;
  id: string | null;
  data: z.infer<typeof eventDataSchema>;
}

export class EventReader {
  readonly events: SeenEvent[] = [];
  status = 0;
  ended = false;
  #request: ClientRequest;
  #response: IncomingMessage | null = null;
  #rest = '';
  #taken = 0;

  constructor(request: ClientRequest) {
    this.#request = request;
  }

  attach(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0;
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (piece: string) => this.#push(piece));
    response.on('close', () => {
      this.ended = true;
    });
    response.on('error', () => {
      this.ended = true;
    });
  }

  #push(piece: string): void {
    this.#rest += piece;
    const frames = this.#rest.split('\n\n');
    this.#rest = frames.pop() ?? '';
    for (const frame of frames) {
      const fields = new Map(frame.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 2)]));
      const data = fields.get('data');
      if (data === undefined) continue;
      this.events.push({
        event: fields.get('event') ?? 'message',
        id: fields.get('id') ?? null,
        data: eventDataSchema.parse(JSON.parse(data)),
      });
    }
  }

  /** The next event of this kind, others before it are passed over. */
  next(event: string): Promise<SeenEvent> {
    return until(`the event ${event}`, () => {
      const at = this.events.findIndex((seen, index) => index >= this.#taken && seen.event === event);
      if (at < 0) return null;
      this.#taken = at + 1;
      return this.events[at];
    });
  }

  /** Stops reading: the host's writes pile up. */
  stall(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#request.destroy();
  }
}

export function openEvents(
  api: ApiFixture,
  query = '',
  lastEventId: number | string | null = null,
  /** Of a signed-in page; the bearer token without it. */
  cookie: string | null = null,
): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = cookie === null ? { authorization: `Bearer ${BEARER}` } : { cookie };
    if (lastEventId !== null) headers['last-event-id'] = String(lastEventId);
    const request = httpRequest({ host: '127.0.0.1', port: api.port, path: `/api/v1/events${query}`, headers });
    const reader = new EventReader(request);
    request.on('error', reject);
    request.on('response', (response) => {
      reader.attach(response);
      resolve(reader);
    });
    request.end();
    onTestFinished(() => reader.close());
  });
}
