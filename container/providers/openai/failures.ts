/** What went wrong with a call of the model, in words for people, and what can be done about it. Pure. */

import { APICallError } from '@ai-sdk/provider';
import { z } from 'zod';
import { GATEWAY_REFUSALS, type GatewayRefusal, REFUSAL_HEADER, splitMessage } from '../../../shared/gateway.ts';
import { shellWord } from '../../../shared/shell-word.ts';
import { readRetryAfter } from '../../runner/retry-after.ts';

export type Failure =
  | { kind: 'final'; message: string }
  /** `retryAfterMs`: what the server asked for. */
  | { kind: 'retryable'; message: string; retryAfterMs: number | null }
  /** More than the model takes; `windowTokens` when the server said how much that is. */
  | { kind: 'too_long'; windowTokens: number | null; message: string }
  /** The server does not like something in the request. */
  | { kind: 'rejected'; message: string };

/** Whom the words are about. */
export interface CallPlace {
  service: string;
  model: string;
  agentName: string;
}

/** The stream ended, or went silent, before the answer did. */
export class BrokenStreamError extends Error {
  override readonly name = 'BrokenStreamError';
}

/** Of a server's own words. */
const MAX_WORDS_CHARS = 300;

const refusalSchema = z.object({ error: z.object({ message: z.string() }), next: z.string().nullable().default(null) });
/** OpenAI's shape, and Anthropic's; some servers put the code at the top, or no object at all. */
const errorSchema = z.object({
  error: z.union([
    z.string(),
    z.object({
      message: z.string().optional().catch(undefined),
      type: z.string().nullish().catch(null),
      code: z.union([z.string(), z.number()]).nullish().catch(null),
      n_ctx: z.number().optional().catch(undefined),
    }),
  ]),
});

interface ServerWords {
  text: string;
  /** Its machine words, `type` and `code`. */
  codes: readonly string[];
  windowTokens: number | null;
}

/** `error` is what the SDK threw, or what stood in the stream as an error. */
export function readFailure(error: unknown, place: CallPlace): Failure {
  if (APICallError.isInstance(error)) return readStatus(error, place);
  if (error instanceof BrokenStreamError) return retryable(error.message, '');
  // An error that a server tells in mid-stream is its plain object; anything else is the connection.
  const words = readWords(error instanceof Error ? undefined : { error });
  if (words.text === '') return retryable(`The answer of ${place.service} broke off`, '');
  if (isTooLong(words)) return { kind: 'too_long', windowTokens: words.windowTokens, message: words.text };
  return retryable(`${place.service} broke its answer off`, words.text);
}

function readStatus(error: APICallError, place: CallPlace): Failure {
  const { statusCode: status, responseHeaders: headers = {}, responseBody } = error;
  const body = parseJson(responseBody);
  const refusal = GATEWAY_REFUSALS.find((each) => each === headers[REFUSAL_HEADER]);
  if (refusal !== undefined) return readRefusal(refusal, body, headers);
  const { service, model, agentName } = place;
  if (status === undefined) return retryable(`${service} cannot be reached`, '');
  const words = readWords(body);
  if (status < 400) return retryable(`The answer of ${service} broke off, or is none of a model`, '');
  if (isTooLong(words)) return { kind: 'too_long', windowTokens: words.windowTokens, message: words.text };
  if (words.codes.includes('insufficient_quota') || status === 402) {
    return final(`The account at ${service} has no credit left`, words.text, 'Somebody has to top it up there.');
  }
  switch (status) {
    case 401:
      return final(`${service} does not take the key that it was given`, words.text, KEY_ADVICE);
    case 403:
      return final(`The key for ${service} may not use the model ${model}`, words.text, KEY_ADVICE);
    case 408:
    case 409:
    case 425:
      return retryable(`${service} did not answer in time`, words.text);
    case 429:
      return retryable(`${service} gets too many requests${waitOf(headers)}`, words.text, headers);
    case 404:
    case 400:
    case 413:
    case 415:
    case 422: {
      const advice = `An admin can choose another: \`portolan provider set ${shellWord(agentName)} openai --model …\`.`;
      const isModel = status === 404;
      const what = isModel ? `${service} has no model ${model}` : `${service} does not take the request`;
      return { kind: 'rejected', message: sentence(what, words.text, isModel ? advice : '') };
    }
    default:
      return status >= 500
        ? retryable(
            `${service} is ${status === 529 ? 'overloaded' : 'out of order'} (${status})${waitOf(headers)}`,
            words.text,
            headers,
          )
        : final(`${service} refused (${status})`, words.text, '');
  }
}

const KEY_ADVICE = 'An admin can set another with `portolan secrets set`.';

/** Refusals that pass by themselves. */
const PASSING: readonly GatewayRefusal[] = ['unreachable', 'too_many', 'no_address'];

function readRefusal(refusal: GatewayRefusal, body: unknown, headers: Record<string, string>): Failure {
  const parsed = refusalSchema.safeParse(body);
  const said = parsed.success ? splitMessage(parsed.data) : `The gateway refused the call (${refusal})`;
  const advice = parsed.data?.next ?? '';
  return PASSING.includes(refusal) ? retryable(said, '', headers, advice) : final(said, '', advice);
}

function readWords(body: unknown): ServerWords {
  const parsed = errorSchema.safeParse(body);
  if (!parsed.success) return { text: '', codes: [], windowTokens: null };
  const { error } = parsed.data;
  if (typeof error === 'string') return { text: oneLine(error), codes: [], windowTokens: findWindow(error) };
  const codes = [error.type, error.code].flatMap((code) => (code === null || code === undefined ? [] : [String(code)]));
  const message = error.message ?? '';
  return { text: oneLine(message), codes, windowTokens: error.n_ctx ?? findWindow(message) };
}

const TOO_LONG_CODES: readonly string[] = ['context_length_exceeded', 'exceed_context_size_error', 'request_too_large'];
/** Half of the servers have no code for it, and say it in words like these. */
const TOO_LONG_WORDS =
  /context (length|size|window|limit)|prompt is too long|too many (input )?tokens|maximum (context|input|number of tokens)|exceeds? the (available|maximum) (context|tokens)/i;

function isTooLong({ text, codes }: ServerWords): boolean {
  return codes.some((code) => TOO_LONG_CODES.includes(code)) || TOO_LONG_WORDS.test(text);
}

function findWindow(message: string): number | null {
  const found = /(?:context length (?:is|of)|context size \(?|>|limit(?: is|:)?)\s*(\d{3,8})/i.exec(message);
  return found === null ? null : Number(found[1]);
}

/** `retry-after` in words; servers give seconds or a date. */
function waitOf(headers: Record<string, string>): string {
  const said = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(said) ? ` and asks to wait ${said} s` : '';
}

function final(what: string, words: string, advice: string): Failure {
  return { kind: 'final', message: sentence(what, words, advice) };
}

function retryable(what: string, words: string, headers: Record<string, string> = {}, advice = ''): Failure {
  const retryAfterMs = readRetryAfter(headers['retry-after'], Date.now());
  return { kind: 'retryable', message: sentence(what, words, advice), retryAfterMs };
}

function sentence(what: string, words: string, advice: string): string {
  const said = words === '' ? '' : ` It says: “${words}”`;
  return [`${what.replace(/\.$/, '')}.${said}`, advice].filter(Boolean).join(' ');
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MAX_WORDS_CHARS ? `${line.slice(0, MAX_WORDS_CHARS).replace(/\p{Surrogate}$/u, '')}…` : line;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
