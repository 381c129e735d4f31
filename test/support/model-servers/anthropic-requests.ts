/** What the Messages API accepts: strict, so that a wrong request fails here as it would outside. */
import { z } from 'zod';
import { estimateTokens, type ModelAnswer, type RecordedRequest, type ServerRules } from './answers.ts';

const VERSION = '2023-06-01';
/** Of one request, by the API's own limit. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
/** Places where a prompt may be cached. */
const MAX_CACHE_POINTS = 4;

const cacheControl = z.object({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).loose();
const cached = { cache_control: cacheControl.nullish() };

const textBlock = z.strictObject({
  ...{ type: z.literal('text'), text: z.string().min(1, 'text content blocks must be non-empty') },
  ...{ citations: z.array(z.unknown()).nullish(), ...cached },
});

const SIGNS: Readonly<Record<string, string>> = {
  'image/png': '89504e47',
  'image/jpeg': 'ffd8ff',
  'image/gif': '47494638',
  'image/webp': '52494646',
  'application/pdf': '25504446',
};

const base64Source = z.strictObject({ type: z.literal('base64'), media_type: z.string(), data: z.base64() }).refine(
  ({ media_type, data }) =>
    Buffer.from(data, 'base64')
      .toString('hex')
      .startsWith(SIGNS[media_type] ?? '-'),
  'the data is not of that media type',
);
const imageBlock = z.strictObject({ type: z.literal('image'), source: base64Source, ...cached });
const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.union([
    base64Source,
    z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
  ]),
  ...{ title: z.string().nullish(), context: z.string().nullish(), citations: z.unknown().optional(), ...cached },
});

const toolUseBlock = z.strictObject({
  ...{ type: z.literal('tool_use'), id: z.string().regex(/^[a-zA-Z0-9_-]+$/), name: z.string().min(1).max(200) },
  ...{ input: z.record(z.string(), z.unknown()), caller: z.unknown().optional(), ...cached },
});
const toolResultBlock = z.strictObject({
  ...{ type: z.literal('tool_result'), tool_use_id: z.string(), is_error: z.boolean().optional() },
  content: z.union([z.string(), z.array(z.union([textBlock, imageBlock, documentBlock]))]).optional(),
  ...cached,
});
const thinkingBlock = z.strictObject({
  ...{ type: z.literal('thinking'), thinking: z.string(), signature: z.string().min(1) },
});

const messageSchema = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.literal('user'),
    content: z.union([
      z.string().min(1),
      z.array(z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock, toolResultBlock])).min(1),
    ]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([
      z.string().min(1),
      z.array(z.discriminatedUnion('type', [textBlock, toolUseBlock, thinkingBlock])).min(1),
    ]),
  }),
  // Instructions that come in the middle of a conversation, beside those at its begin.
  z.strictObject({ role: z.literal('system'), content: z.union([z.string().min(1), z.array(textBlock).min(1)]) }),
]);
type Message = z.infer<typeof messageSchema>;

const toolSchema = z.union([
  z.strictObject({
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
    description: z.string().optional(),
    input_schema: z.object({ type: z.literal('object') }).loose(),
    type: z.literal('custom').optional(),
    strict: z.boolean().optional(),
    eager_input_streaming: z.boolean().optional(),
    ...cached,
  }),
  // Tools that the API itself runs.
  z.object({ type: z.string().regex(/_\d{8}$/), name: z.string() }).loose(),
]);

const messagesSchema = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.number().int().positive(),
  messages: z.array(messageSchema).min(1),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  tools: z.array(toolSchema).optional(),
  tool_choice: z
    .object({ type: z.enum(['auto', 'any', 'tool', 'none']) })
    .loose()
    .optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('enabled'),
        budget_tokens: z.number().int().min(1024),
        display: z.string().optional(),
      }),
      z.strictObject({ type: z.literal('adaptive'), display: z.string().optional() }),
      z.strictObject({ type: z.literal('disabled') }),
    ])
    .optional(),
  output_config: z
    .object({ effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional() })
    .loose()
    .optional(),
  metadata: z.strictObject({ user_id: z.string().max(1024).optional() }).optional(),
  context_management: z
    .object({ edits: z.array(z.unknown()).optional() })
    .loose()
    .optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
});
export type MessagesRequest = z.infer<typeof messagesSchema>;

/** Of a request that `findRefusal` let pass. */
export function parseMessages(body: unknown): MessagesRequest {
  return messagesSchema.parse(body);
}

export function isKnownKey({ headers }: RecordedRequest, { key }: ServerRules): boolean {
  return headers['x-api-key'] === key || headers.authorization === `Bearer ${key}`;
}

/** The API's own error where it would not take the request. */
export function findRefusal(request: RecordedRequest, rules: ServerRules): ModelAnswer | null {
  const { method, path, headers, text, body } = request;
  if (method !== 'POST' || !/^\/v1\/messages(\?beta=true)?$/.test(path)) return refusal(404, `${method} ${path}`);
  if (!isKnownKey(request, rules)) return refusal(401, 'invalid x-api-key');
  if (headers['anthropic-version'] !== VERSION) return refusal(400, 'anthropic-version: header is required');
  if (!headers['content-type']?.startsWith('application/json')) return refusal(400, 'content-type: must be JSON');
  if (Buffer.byteLength(text) > MAX_REQUEST_BYTES) return refusal(413, 'Request exceeds the maximum size');
  const parsed = messagesSchema.safeParse(body);
  if (!parsed.success) return refusal(400, describe(parsed.error));
  const { model, messages, thinking, max_tokens: most } = parsed.data;
  if (rules.models !== undefined && !rules.models.includes(model)) return refusal(404, `model: ${model}`);
  if (thinking?.type === 'enabled' && thinking.budget_tokens >= most) {
    return refusal(400, '`max_tokens` must be greater than `thinking.budget_tokens`');
  }
  const points = text.match(/"cache_control":\{/g)?.length ?? 0;
  if (points > MAX_CACHE_POINTS)
    return refusal(400, `A maximum of 4 blocks with cache_control may be provided. Found ${points}.`);
  const problem = findRepeatedTool(parsed.data) ?? findBrokenOrder(messages);
  if (problem !== null) return refusal(400, problem);
  const tokens = estimateTokens(text);
  if (rules.contextTokens !== undefined && tokens > rules.contextTokens) {
    return refusal(400, `prompt is too long: ${tokens} tokens > ${rules.contextTokens} maximum`);
  }
  return null;
}

function describe({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.')}: ${issue?.message}`;
}

function refusal(status: number, message: string): ModelAnswer {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    404: 'not_found_error',
    413: 'request_too_large',
  };
  return { kind: 'status', status, error: { type: types[status] ?? 'api_error', message } };
}

function findRepeatedTool({ tools = [] }: MessagesRequest): string | null {
  const names = tools.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  return repeated === undefined ? null : `tools: Tool names must be unique: ${repeated}`;
}

/**
 * The person begins and has the last word, the model never speaks twice in a row, and every call of a tool is
 * answered right after it. What the person says in several messages is one turn.
 */
function findBrokenOrder(messages: readonly Message[]): string | null {
  let open: string[] = [];
  let before: Message['role'] | null = null;
  const seen = new Set<string>();
  for (const [index, { role, content }] of messages.entries()) {
    if (before === null && role !== 'user') return `messages.${index}: first message must use the "user" role`;
    if (before === 'assistant' && role === 'assistant') return `messages.${index}: roles must alternate`;
    const blocks = typeof content === 'string' ? [] : content;
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
    const unasked = results.find((id) => !open.includes(id));
    if (unasked !== undefined) {
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${unasked}`;
    }
    const unanswered = open.filter((id) => !results.includes(id));
    if (unanswered.length > 0) {
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${unanswered.join(', ')}`;
    }
    open = blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    if (open.some((id) => seen.has(id))) return `messages.${index}: \`tool_use\` ids must be unique`;
    for (const id of open) seen.add(id);
    before = role;
  }
  return before === 'assistant' ? 'messages: the conversation must end with a user message' : null;
}
