/**
 * What a provider says that a call used, read from its answer as it passes. One list of paths per API; numbers only
 * grow while an answer goes on, so the largest that was said of each sort counts.
 *
 *   anthropic   message_start      message.usage.*             what was read
 *               message_delta      usage.*                     what was written, all of it so far
 *               not streamed       usage.*
 *   openai      chat, completions, embeddings   usage.prompt_tokens, usage.completion_tokens
 *               responses                       response.usage.*, or usage.* when not streamed
 *
 * OpenAI counts what came from its cache inside the prompt, Anthropic beside it: here always beside.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { EventScanner } from './event-scan.ts';
import { JsonScanner, type Scalar, wantPaths } from './json-scan.ts';
import { MAX_CLAIMED_SEARCHES, MAX_CLAIMED_TOKENS } from './limits.ts';

export type ModelApi = 'anthropic' | 'openai';

/** Tokens by what they cost; each counted once. */
export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** What an answer said so far. */
export interface SaidUsage {
  /** As the provider names it. */
  model: string | null;
  tokens: Tokens;
  /** Of `tokens.cacheWrite`: kept for an hour, which costs more. */
  longCacheWrite: number;
  /** Searches of the web that the provider made, paid apart. */
  webSearches: number;
  /** What was read, and what was written, has been said. */
  saysInput: boolean;
  saysOutput: boolean;
}

type Field = 'prompt' | 'output' | 'cacheRead' | 'cacheWrite' | 'longCacheWrite' | 'webSearches';

const ANTHROPIC_FIELDS: Record<string, Field> = {
  input_tokens: 'prompt',
  output_tokens: 'output',
  cache_read_input_tokens: 'cacheRead',
  cache_creation_input_tokens: 'cacheWrite',
  'cache_creation.ephemeral_1h_input_tokens': 'longCacheWrite',
  'server_tool_use.web_search_requests': 'webSearches',
};

const OPENAI_FIELDS: Record<string, Field> = {
  prompt_tokens: 'prompt',
  completion_tokens: 'output',
  'prompt_tokens_details.cached_tokens': 'cacheRead',
  'prompt_tokens_details.cache_write_tokens': 'cacheWrite',
  input_tokens: 'prompt',
  output_tokens: 'output',
  'input_tokens_details.cached_tokens': 'cacheRead',
  'input_tokens_details.cache_write_tokens': 'cacheWrite',
};

interface Dialect {
  /** Where numbers stand, by their path. */
  fields: ReadonlyMap<string, Field>;
  models: ReadonlySet<string>;
  /** The cache's tokens are part of the prompt's. */
  isCacheInside: boolean;
}

function makeDialect(prefixes: readonly string[], fields: Record<string, Field>, isCacheInside: boolean): Dialect {
  const at = (key: string) => prefixes.map((prefix) => `${prefix}${key}`);
  const places = Object.entries(fields).flatMap(([key, field]) =>
    at(`usage.${key}`).map((path): [string, Field] => [path, field]),
  );
  return { fields: new Map(places), models: new Set(at('model')), isCacheInside };
}

const DIALECTS: Record<ModelApi, Dialect> = {
  anthropic: makeDialect(['', 'message.'], ANTHROPIC_FIELDS, false),
  openai: makeDialect(['', 'response.'], OPENAI_FIELDS, true),
};
const TREES = {
  anthropic: wantPaths([...DIALECTS.anthropic.fields.keys(), ...DIALECTS.anthropic.models]),
  openai: wantPaths([...DIALECTS.openai.fields.keys(), ...DIALECTS.openai.models]),
};

const OPEN_OBJECT = 0x7b;

export class UsageReader {
  readonly #dialect: Dialect;
  readonly #scanner: JsonScanner;
  readonly #events: EventScanner | null;
  readonly #numbers = new Map<Field, number>();
  #model: string | null = null;
  #receivedBytes = 0;

  constructor(api: ModelApi, headers: IncomingHttpHeaders) {
    this.#dialect = DIALECTS[api];
    this.#scanner = new JsonScanner(TREES[api], { value: (path, value) => this.#note(path, value) });
    this.#events = /^\s*text\/event-stream/i.test(headers['content-type'] ?? '')
      ? new EventScanner(this.#scanner)
      : null;
  }

  push(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#events === null) this.#scanner.push(chunk);
    else this.#events.push(chunk);
  }

  get said(): SaidUsage {
    const of = (field: Field) => this.#numbers.get(field) ?? 0;
    const cache = this.#dialect.isCacheInside ? of('cacheRead') + of('cacheWrite') : 0;
    return {
      model: this.#model,
      tokens: {
        input: Math.max(0, of('prompt') - cache),
        output: of('output'),
        cacheRead: of('cacheRead'),
        cacheWrite: of('cacheWrite'),
      },
      longCacheWrite: Math.min(of('longCacheWrite'), of('cacheWrite')),
      webSearches: of('webSearches'),
      saysInput: this.#numbers.has('prompt'),
      saysOutput: this.#numbers.has('output'),
    };
  }

  /** What was written, for an estimate: bytes of text, and events, each of which is at least a token. */
  get written(): { textBytes: number; events: number } {
    const events = this.#events?.events ?? 0;
    // What is neither events nor an object says nothing that could be counted: all of it counts.
    const isRead = this.#events === null ? this.#scanner.firstByte === OPEN_OBJECT : events > 0;
    return { textBytes: isRead ? this.#scanner.textBytes : this.#receivedBytes, events };
  }

  #note(path: string, value: Scalar | undefined): void {
    const field = this.#dialect.fields.get(path);
    if (field === undefined) {
      if (typeof value === 'string' && value !== '') this.#model = value;
      return;
    }
    const most = field === 'webSearches' ? MAX_CLAIMED_SEARCHES : MAX_CLAIMED_TOKENS;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) return;
    this.#numbers.set(field, Math.max(value, this.#numbers.get(field) ?? 0));
  }
}
