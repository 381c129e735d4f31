/** The smallest call of a model that its API takes, and what its answer says. Pure. */
import { z } from 'zod';
import type { SessionFile } from '../../shared/protocol.ts';

/** What is asked, below the base URL of the service. */
export interface ProbeCall {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Readonly<Record<string, unknown>>;
}

/** What a good answer says of itself. */
export interface ProbeWords {
  model: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

type Api = NonNullable<SessionFile['api']>;

/** The newest that the SDK of the provider `claude` would take when it is told no model. */
const DEFAULT_FAMILY = 'sonnet';
/** Names under which that SDK knows the newest model of a family; the API does not. */
const FAMILIES = ['opus', 'sonnet', 'haiku'] as const;
const API_VERSION = '2023-06-01';
/** Models that count their thoughts take no fewer. */
const LEAST_COMPLETION_TOKENS = 16;

const MESSAGES = [{ role: 'user', content: 'Say hi.' }];
/** Those of a server that was not told who asks; the gateway adds the credential. */
const HEADERS: Readonly<Record<Api, Readonly<Record<string, string>>>> = {
  anthropic: { 'content-type': 'application/json', 'anthropic-version': API_VERSION },
  openai: { 'content-type': 'application/json' },
};

/** Whether the name is one that only the SDK knows: then the service is asked for its models first. */
export function familyOf(session: Pick<SessionFile, 'provider' | 'model'>): string | null {
  if (session.provider !== 'claude') return null;
  const name = (session.model ?? DEFAULT_FAMILY).toLowerCase().replace(/\[1m\]$/, '');
  return FAMILIES.find((family) => family === name) ?? null;
}

export function planListing(api: Api): Omit<ProbeCall, 'body'> {
  return { path: api === 'anthropic' ? '/v1/models?limit=100' : '/models', headers: HEADERS[api] };
}

const listSchema = z.object({ data: z.array(z.object({ id: z.string().max(300) })) });

/** The newest of a family: the service lists newest first. Null when it lists none. */
export function findNewest(family: string, list: unknown): string | null {
  const parsed = listSchema.safeParse(list);
  return parsed.success ? (parsed.data.data.find(({ id }) => id.includes(family))?.id ?? null) : null;
}

export function planCall(api: Api, model: string): ProbeCall {
  const body = { model, max_tokens: 1, messages: MESSAGES };
  return { path: api === 'anthropic' ? '/v1/messages' : '/chat/completions', headers: HEADERS[api], body };
}

const problemSchema = z.object({ error: z.object({ message: z.string() }) });

/** Newer models of OpenAI know the limit by another name only, and say so; null when that is not what was wrong. */
export function planSecondCall(first: ProbeCall, status: number, answer: unknown): ProbeCall | null {
  const message = readProblem(answer) ?? '';
  if (status !== 400 || first.path !== '/chat/completions' || !message.includes('max_completion_tokens')) return null;
  const { max_tokens: _told, ...body } = first.body;
  return { ...first, body: { ...body, max_completion_tokens: LEAST_COMPLETION_TOKENS } };
}

/** The server's own words for what went wrong. */
export function readProblem(answer: unknown): string | null {
  const parsed = problemSchema.safeParse(answer);
  return parsed.success ? parsed.data.error.message : null;
}

const count = z.number().int().nonnegative().nullish();
const ANSWERS = {
  anthropic: z
    .object({
      type: z.literal('message'),
      model: z.string().max(300).nullish(),
      usage: z
        .object({
          input_tokens: count,
          cache_read_input_tokens: count,
          cache_creation_input_tokens: count,
          output_tokens: count,
        })
        .nullish(),
    })
    .transform(({ model, usage }): ProbeWords => {
      const parts = [usage?.input_tokens, usage?.cache_read_input_tokens, usage?.cache_creation_input_tokens];
      const inputTokens = usage ? parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) : null;
      return { model: model ?? null, inputTokens, outputTokens: usage?.output_tokens ?? null };
    }),
  openai: z
    .object({
      choices: z.array(z.unknown()).min(1),
      model: z.string().max(300).nullish(),
      usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish(),
    })
    .transform(
      ({ model, usage }): ProbeWords => ({
        model: model ?? null,
        inputTokens: usage?.prompt_tokens ?? null,
        outputTokens: usage?.completion_tokens ?? null,
      }),
    ),
} as const;

/** Null when it is no answer of this API. */
export function readAnswer(api: Api, answer: unknown): ProbeWords | null {
  const parsed = ANSWERS[api].safeParse(answer);
  return parsed.success ? parsed.data : null;
}
