/**
 * The model of the bench: a server of OpenAI's API in a process of its own, that answers at once with what it was
 * last told, and knows for how long it held each call.
 */
import { type ChildProcess, fork } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { stampNow } from '../../shared/trace.ts';
import type { ModelAnswer, RecordedRequest } from '../support/model-servers/answers.ts';
import { openAiBody, startOpenAiServer } from '../support/model-servers/openai.ts';

/** The argument that makes the bench program the model. */
export const MODEL_ARGUMENT = '--model';

/** In the answer to who asks for a stream: between two pieces, so that the first is there long before the last. */
const GAP_MS = 5;
const STREAMED = 'As slowly as models do.';

const callSchema = z.object({ text: z.string(), body: z.string(), beganAt: z.number(), endedAt: z.number() });
/** One call of the model: from the head of its request to the last byte of its answer, from `stampNow`. */
export type ModelCallTime = z.infer<typeof callSchema>;

const readySchema = z.object({ url: z.string(), key: z.string() });

export class ModelProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** `http://127.0.0.1:<port>/v1` */
  readonly url: string;
  readonly key: string;

  private constructor(child: ChildProcess, { url, key }: z.infer<typeof readySchema>) {
    this.#child = child;
    this.url = `${url}/v1`;
    this.key = key;
  }

  static async start(): Promise<ModelProgram> {
    const child = fork(process.argv[1] ?? '', [MODEL_ARGUMENT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [ready] = await once(child, 'message');
    return new ModelProgram(child, readySchema.parse(ready));
  }

  /** All calls so far that ended, oldest first. */
  async listCalls(): Promise<ModelCallTime[]> {
    const answered = once(this.#child, 'message');
    this.#child.send('list');
    const [calls] = await answered;
    return z.array(callSchema).parse(calls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/** The model itself. Resolves when the bench is done with it. */
export async function runModel(): Promise<void> {
  const calls: ModelCallTime[] = [];
  const beganAt = new WeakMap<IncomingMessage['headers'], number>();
  const open = new WeakMap<IncomingMessage['headers'], { text: string; body: string }>();
  // Told by the server itself, before it reads a body and after its last byte.
  diagnostics.subscribe('http.server.request.start', (message) => {
    beganAt.set(requestOf(message).headers, stampNow());
  });
  diagnostics.subscribe('http.server.response.finish', (message) => {
    const { headers } = requestOf(message);
    const call = open.get(headers);
    if (call !== undefined) calls.push({ ...call, beganAt: beganAt.get(headers) ?? Number.NaN, endedAt: stampNow() });
  });
  await using server = await startOpenAiServer();
  server.answer((request) => {
    const text = lastAsked(request);
    open.set(request.headers, { text, body: request.text });
    return answerTo(text);
  });
  process.on('message', () => process.send?.(calls));
  const ended = once(process, 'disconnect');
  process.send?.({ url: server.url, key: server.key });
  await ended;
}

/** What it is asked to stream, it streams; an agent's message it sends back to its chat; else it says a word. */
function answerTo(text: string): ModelAnswer {
  if (text === STREAMED) return { kind: 'slow', text: STREAMED, gapMs: GAP_MS };
  const [, chat = null, asked = ''] = /^(\S+) (message \d+)$/.exec(text) ?? [];
  return { kind: 'text', text: chat === null ? 'Good.' : `<message to="${chat}">${asked}</message>` };
}

/** Of the last message of a person: the chat that it came from and its words; or all of it, from who is no agent. */
function lastAsked(request: RecordedRequest): string {
  const asked = openAiBody(request).messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const text = typeof asked === 'string' ? asked : asked.map((part) => ('text' in part ? part.text : '')).join('\n');
  const found = [...text.matchAll(/<message [^>]*\bfrom="([^"]+)"[^>]*>(message \d+)<\/message>/g)].at(-1);
  return found === undefined ? text : `${found[1]} ${found[2]}`;
}

function requestOf(message: unknown): IncomingMessage {
  // As Node documents these two channels.
  return (message as { request: IncomingMessage }).request;
}

/** The body of a small call, as a program writes it. */
export function smallCall(model: string, stream: boolean): string {
  const content = stream ? STREAMED : 'How are you?';
  return JSON.stringify({ model, stream, max_tokens: 100, messages: [{ role: 'user', content }] });
}
