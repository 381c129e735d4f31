/** Services that every host knows, as their makers document them. An own one may not take such a name. */
import type { Service } from './services.ts';

type Known = readonly [name: string, baseUrl: string, api: Service['api'], header: string, headerValue: string];

const BEARER = 'Bearer {}';

const KNOWN: readonly Known[] = [
  ['anthropic', 'https://api.anthropic.com', 'anthropic', 'x-api-key', '{}'],
  ['openai', 'https://api.openai.com/v1', 'openai', 'authorization', BEARER],
  ['openrouter', 'https://openrouter.ai/api/v1', 'openai', 'authorization', BEARER],
  ['groq', 'https://api.groq.com/openai/v1', 'openai', 'authorization', BEARER],
  ['mistral', 'https://api.mistral.ai/v1', 'openai', 'authorization', BEARER],
  ['deepseek', 'https://api.deepseek.com/v1', 'openai', 'authorization', BEARER],
  ['github', 'https://api.github.com', null, 'authorization', BEARER],
  // For `git` over HTTPS, which knows Basic alone.
  ['github-git', 'https://github.com', null, 'authorization', 'Basic {base64:x-access-token:}'],
  ['gitlab', 'https://gitlab.com/api/v4', null, 'private-token', '{}'],
];

export const KNOWN_SERVICES: ReadonlyMap<string, Service> = new Map(
  KNOWN.map(([name, baseUrl, api, header, headerValue]) => [
    name,
    { name, baseUrl: new URL(baseUrl), api, header, headerValue, isPrivate: false, isKnown: true },
  ]),
);
