/**
 * The Messages API of Anthropic, as a dialect of the model server: streaming with named events, tools, thoughts,
 * pictures and PDFs, usage with its cache numbers, `count_tokens`, the list of models, and the errors that it has.
 * What it accepts is in `anthropic-requests.ts`. Source: https://docs.anthropic.com/en/api/messages (2023-06-01).
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  cutPieces,
  type Dialect,
  EventStream,
  estimateTokens,
  gap,
  type ModelAnswer,
  type ModelServer,
  type ModelToolCall,
  type ModelUsage,
  type RecordedRequest,
  type ServerRules,
  startModelServer,
} from './answers.ts';
import { findRefusal, isKnownKey, type MessagesRequest, parseMessages } from './anthropic-requests.ts';

const MODELS = ['claude-test', 'claude-test-small'];
const SIGNATURE = 'c2lnbmVkIGJ5IHRoZSB0ZXN0IHNlcnZlcg==';
/** What each status is called when the test gives it no words. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

/** Starts one on loopback. Without `rules.models` it has any model. */
export async function startAnthropic(options?: Parameters<typeof startModelServer>[1]): Promise<ModelServer> {
  return startModelServer(anthropicDialect, options);
}

const anthropicDialect: Dialect = {
  refuse: findRefusal,
  sideAnswer,
  respond,
};

function sideAnswer(request: RecordedRequest, rules: ServerRules): { status: number; body: unknown } | null {
  const path = request.path.split('?')[0] ?? '';
  const isCount = request.method === 'POST' && path === '/v1/messages/count_tokens';
  const isModels = request.method === 'GET' && /^\/v1\/models(\/[^/]+)?$/.test(path);
  if (!isCount && !isModels) return null;
  if (!isKnownKey(request, rules)) {
    return { status: 401, body: errorBody('authentication_error', 'invalid x-api-key') };
  }
  if (isCount) return { status: 200, body: { input_tokens: estimateTokens(request.text) } };
  const models = (rules.models ?? MODELS).map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: '2026-01-01T00:00:00Z',
  }));
  const name = path.split('/')[3];
  if (name === undefined)
    return { status: 200, body: { data: models, has_more: false, first_id: null, last_id: null } };
  const model = models.find(({ id }) => id === decodeURIComponent(name));
  return model === undefined
    ? { status: 404, body: errorBody('not_found_error', `model: ${name}`) }
    : { status: 200, body: model };
}

async function respond(
  answer: ModelAnswer,
  request: RecordedRequest,
  response: ServerResponse,
): Promise<ModelUsage | null> {
  if (answer.kind === 'status') {
    respondError(answer, response);
    return null;
  }
  if (answer.kind === 'silent' && answer.text === null) {
    await request.closed;
    return null;
  }
  const parsed = parseMessages(request.body);
  const said = new Answer(answer, parsed, request);
  if (parsed.stream !== true) return respondWhole(said, response);
  return await respondStream(said, request, response);
}

function respondError(answer: Extract<ModelAnswer, { kind: 'status' }>, response: ServerResponse): void {
  const { status, headers = {}, error } = answer;
  const type = error?.type ?? ERROR_TYPES[status] ?? 'api_error';
  const message = error?.message ?? type.replaceAll('_', ' ');
  response
    .writeHead(status, { 'content-type': 'application/json', 'request-id': makeId('req'), ...headers })
    .end(JSON.stringify(errorBody(type, message)));
}

function errorBody(type: string, message: string) {
  return { type: 'error', error: { type, message }, request_id: makeId('req') };
}

type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

/** One answer as this API tells it. */
class Answer {
  readonly answer: ModelAnswer;
  readonly model: string;
  readonly id = makeId('msg');
  readonly usage: ModelUsage;
  readonly blocks: Block[];
  readonly stopReason: string;

  constructor(answer: ModelAnswer, request: MessagesRequest, { text }: RecordedRequest) {
    this.answer = answer;
    this.model = 'model' in answer && answer.model !== undefined ? answer.model : request.model;
    this.blocks = toBlocks(answer, request);
    const said = this.blocks.map((block) => JSON.stringify(block)).join('');
    const estimate = { input: estimateTokens(text), output: estimateTokens(said) };
    this.usage = ('usage' in answer ? answer.usage : undefined) ?? estimate;
    this.stopReason = findStopReason(answer);
  }

  message(content: readonly Block[], stopReason: string | null, output: number) {
    return {
      ...{ id: this.id, type: 'message', role: 'assistant', model: this.model, content },
      ...{ stop_reason: stopReason, stop_sequence: null, usage: formatUsage(this.usage, output) },
    };
  }
}

function findStopReason(answer: ModelAnswer): string {
  if (answer.kind === 'tools') return 'tool_use';
  return answer.kind === 'text' && answer.isCut === true ? 'max_tokens' : 'end_turn';
}

function toBlocks(answer: ModelAnswer, { thinking }: MessagesRequest): Block[] {
  if (answer.kind === 'status') return [];
  const blocks: Block[] = [];
  const isThinking = thinking !== undefined && thinking.type !== 'disabled';
  const reasoning = answer.kind === 'text' ? answer.reasoning : undefined;
  if (isThinking && reasoning !== undefined) {
    blocks.push({ type: 'thinking', thinking: reasoning, signature: SIGNATURE });
  }
  const text = answer.text ?? '';
  if (text !== '') blocks.push({ type: 'text', text });
  if (answer.kind === 'tools') blocks.push(...answer.calls.map(toToolUse));
  return blocks;
}

function toToolUse({ name, input, id }: ModelToolCall): Block {
  return { type: 'tool_use', id: id ?? makeId('toolu'), name, input };
}

/** `input` of `ModelUsage` counts everything; this API counts what came from the cache, or went there, apart. */
function formatUsage({ input, cached = 0, cacheWritten = 0 }: ModelUsage, output: number) {
  return {
    input_tokens: input - cached - cacheWritten,
    cache_creation_input_tokens: cacheWritten,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: cacheWritten, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  };
}

function respondWhole(said: Answer, response: ServerResponse): ModelUsage | null {
  const { answer } = said;
  if (answer.kind !== 'text' && answer.kind !== 'tools' && answer.kind !== 'slow') {
    response.destroy();
    return null;
  }
  response
    .writeHead(200, { 'content-type': 'application/json', 'request-id': makeId('req') })
    .end(JSON.stringify(said.message(said.blocks, said.stopReason, said.usage.output)));
  return said.usage;
}

async function respondStream(
  said: Answer,
  request: RecordedRequest,
  response: ServerResponse,
): Promise<ModelUsage | null> {
  const { answer, usage } = said;
  const stream = new EventStream(response, { 'request-id': makeId('req') });
  const begun: ModelUsage = { ...usage, output: Math.min(1, usage.output) };
  send(stream, 'message_start', { message: said.message([], null, begun.output) });
  for (const [index, block] of said.blocks.entries()) {
    send(stream, 'content_block_start', { index, content_block: emptied(block) });
    if (index === 0) send(stream, 'ping', {});
    for (const delta of cutDeltas(block)) {
      if (answer.kind === 'slow' && !(await gap(answer.gapMs, response))) return begun;
      send(stream, 'content_block_delta', { index, delta });
    }
    if (answer.kind === 'broken') {
      await stream.break();
      return begun;
    }
    if (answer.kind === 'silent') {
      await request.closed;
      return begun;
    }
    if (answer.kind === 'stream_error') {
      stream.send({ ...errorBody(answer.error.type, answer.error.message) }, 'error');
      stream.end();
      return begun;
    }
    send(stream, 'content_block_stop', { index });
  }
  const delta = { stop_reason: said.stopReason, stop_sequence: null };
  send(stream, 'message_delta', { delta, usage: formatUsage(usage, usage.output) });
  send(stream, 'message_stop', {});
  stream.end();
  return usage;
}

function send(stream: EventStream, type: string, fields: Record<string, unknown>): void {
  stream.send({ type, ...fields }, type);
}

function emptied(block: Block): Block {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { ...block, input: {} };
  }
}

function cutDeltas(block: Block): Record<string, string>[] {
  switch (block.type) {
    case 'text':
      return cutPieces(block.text).map((text) => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...cutPieces(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'tool_use': {
      const json = typeof block.input === 'string' ? block.input : JSON.stringify(block.input);
      return cutPieces(json).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
    }
  }
}

function makeId(kind: 'msg' | 'toolu' | 'req'): string {
  return `${kind}_${randomUUID().replaceAll('-', '')}`;
}
