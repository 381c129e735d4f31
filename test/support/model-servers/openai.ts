/**
 * A loopback server that speaks OpenAI's Chat Completions, as OpenAI, OpenRouter, Ollama, vLLM and llama.cpp do.
 * Its base URL for clients ends in `/v1`. Source: platform.openai.com/docs/api-reference/chat.
 */
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import {
  cutPieces,
  type Dialect,
  EventStream,
  estimateTokens,
  gap,
  type ModelAnswer,
  type ModelServer,
  type ModelUsage,
  type RecordedRequest,
  type ServerRules,
  startModelServer,
} from './answers.ts';

export interface OpenAiToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/;

const partSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1) }),
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({ url: z.string().regex(DATA_URL), detail: z.string().optional() }),
  }),
  z.strictObject({
    type: z.literal('file'),
    file: z.strictObject({ filename: z.string().min(1), file_data: z.string().regex(DATA_URL) }),
  }),
]);

const callSchema = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string().min(1) }),
  z.strictObject({ role: z.literal('user'), content: z.union([z.string().min(1), z.array(partSchema).min(1)]) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string().nullish(),
    tool_calls: z.array(callSchema).min(1).optional(),
    reasoning_content: z.string().optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: z.string() }),
]);
export type OpenAiMessage = z.infer<typeof messageSchema>;

const bodySchema = z.strictObject({
  model: z.string().min(1),
  messages: z.array(messageSchema).min(1),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
          description: z
            .string()
            .max(1_024 * 8)
            .optional(),
          parameters: z.looseObject({ type: z.literal('object') }),
          strict: z.boolean().optional(),
        }),
      }),
    )
    .min(1)
    .max(128)
    .optional(),
  tool_choice: z.enum(['auto', 'none', 'required']).optional(),
  stream: z.boolean().optional(),
  stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
  max_tokens: z.number().int().positive().optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  reasoning_effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
  temperature: z.number().optional(),
});
export type OpenAiBody = z.infer<typeof bodySchema>;

/** The body of a request that the server understood. */
export function openAiBody(request: RecordedRequest): OpenAiBody {
  return bodySchema.parse(request.body);
}

/** `canSee: false` makes a server whose models take text alone. */
export async function startOpenAiServer(
  options: { rules?: Partial<ServerRules>; host?: string; canSee?: boolean } = {},
): Promise<ModelServer> {
  return await startModelServer(new OpenAiDialect(options.canSee ?? true), options);
}

class OpenAiDialect implements Dialect {
  readonly #canSee: boolean;
  #answers = 0;

  constructor(canSee: boolean) {
    this.#canSee = canSee;
  }

  refuse(request: RecordedRequest, rules: ServerRules): ModelAnswer | null {
    if (request.headers.authorization !== `Bearer ${rules.key}`) {
      return error(401, 'invalid_api_key', 'Incorrect API key provided. You can find your key in your account.');
    }
    if (request.method !== 'POST' || request.path !== '/v1/chat/completions') {
      return error(404, 'invalid_request_error', `Invalid URL (${request.method} ${request.path})`);
    }
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
      return error(400, 'invalid_request_error', 'The body is to be JSON, and to say so.');
    }
    const parsed = bodySchema.safeParse(request.body);
    if (!parsed.success) return error(400, 'invalid_request_error', z.prettifyError(parsed.error));
    const { model, messages, tools } = parsed.data;
    if (rules.models && !rules.models.includes(model)) {
      return error(404, 'model_not_found', `The model \`${model}\` does not exist or you do not have access to it.`);
    }
    const problem = findDisorder(messages) ?? findDouble(tools?.map((tool) => tool.function.name) ?? []);
    if (problem !== null) return error(400, 'invalid_request_error', problem);
    if (!this.#canSee && messages.some(hasPicture)) {
      return error(400, 'invalid_request_error', 'This model does not support image input.');
    }
    const tokens = estimateTokens(request.text);
    if (rules.contextTokens !== undefined && tokens > rules.contextTokens) {
      const text = `This model's maximum context length is ${rules.contextTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`;
      return error(400, 'context_length_exceeded', text);
    }
    return null;
  }

  sideAnswer(request: RecordedRequest, rules: ServerRules): { status: number; body: unknown } | null {
    if (request.method !== 'GET' || request.path !== '/v1/models') return null;
    if (request.headers.authorization !== `Bearer ${rules.key}`) {
      return { status: 401, body: { error: { message: 'Incorrect API key provided.', type: 'invalid_api_key' } } };
    }
    const data = (rules.models ?? []).map((id) => ({ id, object: 'model', owned_by: 'test' }));
    return { status: 200, body: { object: 'list', data } };
  }

  async respond(answer: ModelAnswer, request: RecordedRequest, response: ServerResponse): Promise<ModelUsage | null> {
    if (answer.kind === 'status') {
      const { type, message } = answer.error ?? { type: 'server_error', message: `status ${answer.status}` };
      response
        .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
        .end(JSON.stringify({ error: { message, type, param: null, code: type } }));
      return null;
    }
    if (answer.kind === 'silent' && answer.text === null) return null;
    const body = openAiBody(request);
    const asked = 'model' in answer ? answer.model : undefined;
    const writer = new AnswerWriter(request, asked ?? body.model, `chatcmpl-${++this.#answers}`);
    return body.stream === true ? await writer.stream(answer, response) : writer.whole(answer, response);
  }
}

/** Says one answer, as a stream of chunks or whole. */
class AnswerWriter {
  readonly #body: OpenAiBody;
  readonly #text: string;
  readonly #model: string;
  readonly #id: string;

  constructor(request: RecordedRequest, model: string, id: string) {
    this.#body = openAiBody(request);
    this.#text = request.text;
    this.#model = model;
    this.#id = id;
  }

  whole(answer: ModelAnswer, response: ServerResponse): ModelUsage | null {
    if (answer.kind !== 'text' && answer.kind !== 'tools') {
      response.destroy();
      return null;
    }
    const usage = this.#usage(answer);
    const calls = answer.kind === 'tools' ? this.#calls(answer) : undefined;
    const message = { role: 'assistant', content: answer.text ?? null, ...(calls ? { tool_calls: calls } : {}) };
    const choices = [{ index: 0, message, finish_reason: finishOf(answer) }];
    const { id, object } = { id: this.#id, object: 'chat.completion' };
    const whole = { id, object, created: 1_750_000_000, model: this.#model, choices, usage: wireUsage(usage) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
    return usage;
  }

  async stream(answer: Exclude<ModelAnswer, { kind: 'status' }>, response: ServerResponse): Promise<ModelUsage | null> {
    const events = new EventStream(response);
    const say = (delta: unknown, finish: string | null = null) => events.send(this.#chunk(delta, finish));
    say({ role: 'assistant', content: '' });
    if (answer.kind === 'text' && answer.reasoning) say({ reasoning_content: answer.reasoning });
    for (const piece of cutPieces(answer.text ?? '')) {
      if (answer.kind === 'slow' && !(await gap(answer.gapMs, response))) return null;
      say({ content: piece });
    }
    switch (answer.kind) {
      case 'silent':
        return null;
      case 'broken':
        if (answer.isClean) events.end();
        else await events.break();
        return null;
      case 'stream_error':
        events.send({ error: { ...answer.error, code: null } });
        events.end();
        return null;
      case 'tools':
        for (const [index, call] of this.#calls(answer).entries()) sayCall(say, index, call);
        break;
      case 'text':
      case 'slow':
        break;
    }
    say({}, finishOf(answer));
    const usage = this.#usage(answer);
    if (this.#body.stream_options?.include_usage)
      events.send({ ...this.#chunk({}, null), choices: [], usage: wireUsage(usage) });
    events.send('[DONE]');
    events.end();
    return usage;
  }

  #chunk(delta: unknown, finish: string | null) {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return { id: this.#id, object: 'chat.completion.chunk', created: 1_750_000_000, model: this.#model, choices };
  }

  #calls(answer: Extract<ModelAnswer, { kind: 'tools' }>): OpenAiToolCall[] {
    return answer.calls.map(({ name, input, id }, index) => ({
      id: id ?? `call_${this.#id}_${index}`,
      type: 'function',
      function: { name, arguments: typeof input === 'string' ? input : JSON.stringify(input) },
    }));
  }

  #usage(answer: ModelAnswer): ModelUsage {
    if ('usage' in answer && answer.usage) return answer.usage;
    return { input: estimateTokens(this.#text), output: estimateTokens(JSON.stringify(answer)) };
  }
}

function sayCall(say: (delta: unknown) => void, index: number, { id, type, function: called }: OpenAiToolCall): void {
  say({ tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }] });
  for (const piece of cutPieces(called.arguments, 11)) say({ tool_calls: [{ index, function: { arguments: piece } }] });
}

function finishOf(answer: ModelAnswer): string {
  if (answer.kind === 'tools') return 'tool_calls';
  return answer.kind === 'text' && answer.isCut ? 'length' : 'stop';
}

function wireUsage({ input, output, cached, reasoning }: ModelUsage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

function error(status: number, type: string, message: string): ModelAnswer {
  return { kind: 'status', status, error: { type, message } };
}

function hasPicture(message: OpenAiMessage): boolean {
  return (
    message.role === 'user' && Array.isArray(message.content) && message.content.some(({ type }) => type !== 'text')
  );
}

/** Each call has its answer before anything else is said, and nothing answers a call that was not made. */
function findDisorder(messages: readonly OpenAiMessage[]): string | null {
  const open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) return `messages.${index}: no call ${message.tool_call_id} stands before`;
      continue;
    }
    if (open.size > 0) return `messages.${index}: these calls have no answer yet: ${[...open].join(', ')}`;
    if (message.role === 'system' && index > 0) return `messages.${index}: the system message comes first`;
    if (message.role !== 'assistant') continue;
    if (!message.content && !message.tool_calls) return `messages.${index}: the assistant said nothing`;
    for (const { id, function: called } of message.tool_calls ?? []) {
      if (open.has(id)) return `messages.${index}: the id ${id} stands twice`;
      const problem = isJsonObject(called.arguments) ? null : `messages.${index}: arguments are not an object`;
      if (problem !== null) return problem;
      open.add(id);
    }
  }
  return open.size > 0 ? `these calls have no answer: ${[...open].join(', ')}` : null;
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function findDouble(names: readonly string[]): string | null {
  const double = names.find((name, index) => names.indexOf(name) !== index);
  return double === undefined ? null : `two tools are called ${double}`;
}
