/** What the SDK says, parsed: the few kinds of messages that matter here. All others show that it is alive. */
import { z } from 'zod';

export type SdkMessage =
  /** It has read its state and begins to work. */
  | { kind: 'started' }
  | { kind: 'text'; text: string }
  /** A finished piece of an answer. `isMain`: of the agent itself, and not of one below it. */
  | { kind: 'said'; id: string; isMain: boolean; texts: string[]; calls: ToolCall[]; problem: string | null }
  | { kind: 'tool_results'; callIds: string[] }
  /** A call of the model failed, and will be tried again. */
  | { kind: 'retry'; status: number | null; problem: string; delayMs: number }
  | { kind: 'compacted'; beforeTokens: number; afterTokens: number | null }
  | SdkResult
  | { kind: 'other' };

export interface SdkResult {
  kind: 'result';
  isError: boolean;
  sessionId: string;
  /** HTTP status of the call that failed. */
  status: number | null;
  text: string;
  errors: string[];
  /** Of the messages that it has taken in, by the id they were given. */
  takenIds: string[];
  usage: Record<string, number>;
}

export interface ToolCall {
  id: string;
  name: string;
  input: Record<string, unknown>;
}

const count = z.number().nonnegative().catch(0);

const streamSchema = z.object({
  type: z.literal('stream_event'),
  parent_tool_use_id: z.string().nullable(),
  event: z.object({
    type: z.literal('content_block_delta'),
    delta: z.object({ type: z.literal('text_delta'), text: z.string() }),
  }),
});

const assistantSchema = z.object({
  type: z.literal('assistant'),
  uuid: z.string(),
  parent_tool_use_id: z.string().nullable(),
  error: z.string().optional(),
  message: z.object({ content: z.array(z.unknown()) }),
});
const textBlockSchema = z.object({ type: z.literal('text'), text: z.string() });
const callBlockSchema = z.object({
  ...{ type: z.literal('tool_use'), id: z.string(), name: z.string() },
  input: z.record(z.string(), z.unknown()).catch({}),
});

const userSchema = z.object({ type: z.literal('user'), message: z.object({ content: z.array(z.unknown()) }) });
const resultBlockSchema = z.object({ type: z.literal('tool_result'), tool_use_id: z.string() });

const systemSchema = z.discriminatedUnion('subtype', [
  z.object({ type: z.literal('system'), subtype: z.literal('init') }),
  z.object({
    ...{ type: z.literal('system'), subtype: z.literal('api_retry') },
    ...{ error_status: z.number().nullable(), error: z.string(), retry_delay_ms: z.number() },
  }),
  z.object({
    ...{ type: z.literal('system'), subtype: z.literal('compact_boundary') },
    compact_metadata: z.object({ pre_tokens: z.number(), post_tokens: z.number().nullish() }),
  }),
]);

const modelUsageSchema = z.object({
  ...{ inputTokens: count, outputTokens: count, cacheReadInputTokens: count, cacheCreationInputTokens: count },
});

const resultSchema = z.object({
  type: z.literal('result'),
  is_error: z.boolean(),
  session_id: z.string(),
  api_error_status: z.number().nullish(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  user_message_uuids: z.array(z.string()).optional(),
  modelUsage: z.record(z.string(), modelUsageSchema).catch({}),
});

/** Never throws: what cannot be read is `other`. */
export function parseSdkMessage(raw: unknown): SdkMessage {
  if (typeof raw !== 'object' || raw === null || !('type' in raw)) return { kind: 'other' };
  switch (raw.type) {
    case 'stream_event':
      return readStream(raw);
    case 'assistant':
      return readAssistant(raw);
    case 'user':
      return readUser(raw);
    case 'system':
      return readSystem(raw);
    case 'result':
      return readResult(raw);
    default:
      return { kind: 'other' };
  }
}

function readStream(raw: unknown): SdkMessage {
  const parsed = streamSchema.safeParse(raw);
  if (!parsed.success || parsed.data.parent_tool_use_id !== null) return { kind: 'other' };
  return { kind: 'text', text: parsed.data.event.delta.text };
}

function readAssistant(raw: unknown): SdkMessage {
  const parsed = assistantSchema.safeParse(raw);
  if (!parsed.success) return { kind: 'other' };
  const { uuid, parent_tool_use_id: parent, error, message } = parsed.data;
  return {
    ...{ kind: 'said', id: uuid, isMain: parent === null, problem: error ?? null },
    texts: message.content.flatMap((block) => textBlockSchema.safeParse(block).data?.text ?? []),
    calls: message.content.flatMap((block) => callBlockSchema.safeParse(block).data ?? []),
  };
}

function readUser(raw: unknown): SdkMessage {
  const parsed = userSchema.safeParse(raw);
  if (!parsed.success) return { kind: 'other' };
  const { content } = parsed.data.message;
  const callIds = content.flatMap((block) => resultBlockSchema.safeParse(block).data?.tool_use_id ?? []);
  return callIds.length === 0 ? { kind: 'other' } : { kind: 'tool_results', callIds };
}

function readSystem(raw: unknown): SdkMessage {
  const parsed = systemSchema.safeParse(raw);
  if (!parsed.success) return { kind: 'other' };
  const { data } = parsed;
  switch (data.subtype) {
    case 'init':
      return { kind: 'started' };
    case 'api_retry':
      return { kind: 'retry', status: data.error_status, problem: data.error, delayMs: data.retry_delay_ms };
    case 'compact_boundary': {
      const { pre_tokens: beforeTokens, post_tokens: afterTokens } = data.compact_metadata;
      return { kind: 'compacted', beforeTokens, afterTokens: afterTokens ?? null };
    }
  }
}

function readResult(raw: unknown): SdkMessage {
  const parsed = resultSchema.safeParse(raw);
  if (!parsed.success) return { kind: 'other' };
  const { is_error: isError, session_id: sessionId, modelUsage, ...rest } = parsed.data;
  return {
    ...{ kind: 'result', isError, sessionId, status: rest.api_error_status ?? null },
    ...{ text: rest.result ?? '', errors: rest.errors ?? [], takenIds: rest.user_message_uuids ?? [] },
    usage: sumUsage(Object.values(modelUsage)),
  };
}

/** Of all models that were called; `inputTokens` counts what was read from the cache and written to it, too. */
function sumUsage(models: readonly z.infer<typeof modelUsageSchema>[]): Record<string, number> {
  const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  for (const each of models) {
    usage.inputTokens += each.inputTokens + each.cacheReadInputTokens + each.cacheCreationInputTokens;
    usage.outputTokens += each.outputTokens;
    usage.cacheReadTokens += each.cacheReadInputTokens;
    usage.cacheWriteTokens += each.cacheCreationInputTokens;
  }
  return usage;
}
