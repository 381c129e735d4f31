/**
 * Which addresses of a model API a container may call. Only those whose use can be counted: anything else (batches
 * that answer tomorrow, files, realtime, pictures by the piece) would spend money past every budget. Pure.
 */
import type { ModelApi } from './usage.ts';

export type Endpoint =
  /** Counted; `writes`: the model answers with words. */
  | { kind: 'call'; writes: boolean }
  /** Costs nothing. */
  | { kind: 'free' }
  | { kind: 'unknown' };

const CALLS: Record<ModelApi, ReadonlyMap<string, boolean>> = {
  anthropic: new Map([['/messages', true]]),
  openai: new Map([
    ['/chat/completions', true],
    ['/completions', true],
    ['/responses', true],
    ['/responses/compact', true],
    ['/embeddings', false],
  ]),
};
const FREE_POSTS: Record<ModelApi, ReadonlySet<string>> = {
  anthropic: new Set(['/messages/count_tokens']),
  openai: new Set(['/responses/input_tokens']),
};
const MODELS = /^\/models(\/[A-Za-z0-9][\w.:@-]*(\/[A-Za-z0-9][\w.:@-]*)?)?$/;

/** `path` begins with `/`; a query is not looked at. */
export function matchEndpoint(api: ModelApi, method: string, path: string): Endpoint {
  const [plain = ''] = path.split('?');
  // With the API's version or without: a service's own address may end in it.
  const name = plain.replace(/^\/v\d{1,2}(?=\/)/, '');
  if (method === 'GET' || method === 'HEAD') {
    return MODELS.test(name) || (method === 'HEAD' && plain === '/') ? { kind: 'free' } : { kind: 'unknown' };
  }
  if (method !== 'POST') return { kind: 'unknown' };
  if (FREE_POSTS[api].has(name)) return { kind: 'free' };
  const writes = CALLS[api].get(name);
  return writes === undefined ? { kind: 'unknown' } : { kind: 'call', writes };
}
