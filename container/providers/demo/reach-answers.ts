/** The demo provider's words about what lies outside. Pure. */
import { STATUS_CODES } from 'node:http';
import type { RefusedByGateway } from '../../runner/refusals.ts';
import { formatOutput } from './self-answers.ts';

/** Of a page, in a chat. Higher: a wall of text. Lower: nothing is recognised. */
const MAX_LINES = 15;
/** Of a line. Higher: one line of a minified page fills the chat. */
const MAX_LINE_CHARS = 200;

export const FETCH_UNCLEAR = 'What? For example `fetch https://example.com/`.';
export const ASK_ACCESS_UNCLEAR =
  'To what? For example `ask for access to api.example.com because I want the weather`, or `ask for access to github`.';

export interface Fetched {
  url: URL;
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
  /** False when there is more. */
  isWhole: boolean;
}

export function formatFetched({ url, status, headers, body, isWhole }: Fetched): string {
  const name = STATUS_CODES[status];
  const { location } = headers;
  const leads = typeof location === 'string' ? `\n\nIt leads to \`${oneLine(location)}\`, which I did not follow.` : '';
  const said = `\`${url.host}\` answers **${status}${name === undefined ? '' : ` ${name}`}**`;
  if (body.length === 0) return `${said}, without a text.${leads}`;
  const type = String(headers['content-type'] ?? 'application/octet-stream');
  if (!/^text\/|json|xml|javascript/i.test(type)) {
    return `${said}: ${isWhole ? '' : 'more than '}${body.length} bytes of ${oneLine(type)}.${leads}`;
  }
  const lines = body.toString('utf8').split('\n');
  const shown = lines.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE_CHARS));
  const more = lines.length > MAX_LINES || !isWhole ? '\n\n(There is more.)' : '';
  return `${said}:\n\n${formatOutput(shown.join('\n'))}${more}${leads}`;
}

/** The gateway's words, and how to ask for what it did not let through. */
export function formatRefused(url: URL, { reason, message, next }: RefusedByGateway): string {
  const isAskable = reason === 'not_allowed' || reason === 'unknown_service';
  const port = url.port === '' ? '' : `:${url.port}`;
  const place = url.protocol === 'http:' ? `http://${url.hostname}${port}` : `${url.hostname}${port}`;
  // What a model would do with its tool request_access, people have this provider do by these words.
  const ask = `\n\nWrite \`ask for access to ${place} because …\`, and I ask an admin (with the tool \`request_access\`).`;
  const help = isAskable ? ask : next === null ? '' : `\n\n${oneLine(next)}`;
  return `🚧 The gateway did not let me out to \`${url.host}\` (\`${reason}\`): ${oneLine(message)}${help}`;
}

export function formatUnreachable(url: URL, problem: string): string {
  return `I could not reach \`${url.host}\`: ${oneLine(problem)}.`;
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}`]+/gu, ' ')
    .trim()
    .slice(0, 500);
}
