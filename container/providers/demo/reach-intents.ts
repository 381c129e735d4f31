/** The rules about what lies outside: looking at an address, and asking to be let out. Pure. */

export type ReachIntent =
  | { kind: 'fetch'; url: string }
  | { kind: 'ask-access'; place: AccessWords; reason: string | null }
  | { kind: 'fetch-unclear' | 'ask-access-unclear' };

/** As the tool takes them, which checks them: people hear what is wrong. */
export type AccessWords = { host: string; port?: number; path?: string } | { service: string };

type Rule = readonly [RegExp, (match: RegExpExecArray) => ReachIntent];

/** In order, as the other rules. */
export const REACH_RULES: readonly Rule[] = [
  [/^(?:fetch|get|open)\s+(https?:\/\/\S+)$/i, (match) => parseFetch(match[1] ?? '')],
  [
    /^(?:fetch|open)\s+((?:[a-z0-9-]+\.)+[a-z]{2,63}(?::\d{1,5})?(?:[/?]\S*)?)$/i,
    (match) => parseFetch(`https://${match[1] ?? ''}`),
  ],
  [/^fetch\b[\s\S]*$/i, () => ({ kind: 'fetch-unclear' })],
  [/^ask\s+for\s+access\s+to\s+(\S+)(?:\s+because\s+([\s\S]+))?$/i, (match) => parseAsk(match[1] ?? '', match[2])],
  [/^ask\s+for\s+access\b[\s\S]*$/i, () => ({ kind: 'ask-access-unclear' })],
];

function parseFetch(text: string): ReachIntent {
  return URL.canParse(text) ? { kind: 'fetch', url: text } : { kind: 'fetch-unclear' };
}

/** `api.example.com`, `*.example.com`, `http://example.com:8080/v1`, or the name of a service, which has no dot. */
function parseAsk(place: string, why: string | undefined): ReachIntent {
  const reason = why?.trim() || null;
  const text = place.replace(/^["'`]|["'`]$/g, '');
  if (/^[a-z0-9][a-z0-9-]*$/i.test(text)) return { kind: 'ask-access', place: { service: text.toLowerCase() }, reason };
  const match = /^(?:(https?):\/\/)?([^/:?#\s]+)(?::(\d{1,5}))?(\/[^?#]*)?(?:[?#]|$)/i.exec(text);
  if (!match) return { kind: 'ask-access-unclear' };
  const [, scheme, host = '', port, path] = match;
  const given = port !== undefined ? Number(port) : scheme?.toLowerCase() === 'http' ? 80 : null;
  return {
    kind: 'ask-access',
    place: {
      host: host.toLowerCase(),
      ...(given === null ? {} : { port: given }),
      ...(path === undefined || path === '/' ? {} : { path }),
    },
    reason,
  };
}
