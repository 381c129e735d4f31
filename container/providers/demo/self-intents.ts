/** The rules about the agent's own container: programs, MCP servers, rebuilding and restarting. Pure. */

export type SelfIntent =
  | { kind: 'install'; apt: string[]; npm: string[]; reason: string | null }
  | { kind: 'run'; program: string; args: string[] }
  | { kind: 'add-server'; server: ServerWords; reason: string | null }
  | { kind: 'remove-server'; name: string; reason: string | null }
  | { kind: 'use-tool'; server: string; tool: string; json: string }
  | { kind: 'rebuild'; reason: string | null }
  | { kind: 'server-tools' | 'restart' | 'install-unclear' | 'add-server-unclear' };

export interface ServerWords {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
}

type Rule = readonly [RegExp, (match: RegExpExecArray) => SelfIntent];

/** In order, as the other rules. Names are checked by the tools, not here: people hear what is wrong with them. */
export const SELF_RULES: readonly Rule[] = [
  [/^install\s+(apt|npm)\s+([\s\S]+)$/i, (match) => parseInstall(match[1] ?? '', match[2] ?? '')],
  [/^install\b[\s\S]*$/i, () => ({ kind: 'install-unclear' })],
  [/^run\s+([A-Za-z0-9][A-Za-z0-9._+-]{0,63})(?:\s+([\s\S]*))?$/, (match) => parseRun(match[1] ?? '', match[2] ?? '')],
  [/^add\s+(?:an?\s+)?mcp\s+server\s+(\S+?)\s*:\s*([\s\S]+)$/i, (match) => parseServer(match[1] ?? '', match[2] ?? '')],
  [/^add\s+(?:an?\s+)?mcp\s+server\b[\s\S]*$/i, () => ({ kind: 'add-server-unclear' })],
  [/^remove\s+(?:the\s+)?mcp\s+server\s+(\S+)(?:\s+([\s\S]+))?$/i, (match) => parseRemoval(match)],
  [/^(?:list |show )?(?:the |my |your )?mcp (?:tools|servers)$/i, () => ({ kind: 'server-tools' })],
  [
    /^use\s+([a-z][a-z0-9-]*)\s+([A-Za-z0-9_.-]+)(?:\s+(\{[\s\S]*\}))?$/i,
    (match) => ({ kind: 'use-tool', server: match[1] ?? '', tool: match[2] ?? '', json: match[3] ?? '{}' }),
  ],
  [/^rebuild(?:\s+(?:yourself|it))?(?:\s+([\s\S]+))?$/i, (match) => ({ kind: 'rebuild', reason: cutReason(match[1]) })],
  [/^restart(?:\s+(?:yourself|it))?$/i, () => ({ kind: 'restart' })],
];

/** `cowsay figlet and npm left-pad because it is fun`. */
function parseInstall(first: string, text: string): SelfIntent {
  const { head, reason } = splitReason(text);
  const found: Record<'apt' | 'npm', string[]> = { apt: [], npm: [] };
  let source: 'apt' | 'npm' = first.toLowerCase() === 'npm' ? 'npm' : 'apt';
  const words = head.split(/[\s,]+/).filter(Boolean);
  for (const [index, word] of words.entries()) {
    const isSwitch = words[index - 1] === 'and' && (word === 'apt' || word === 'npm') && index < words.length - 1;
    if (isSwitch) source = word;
    else if (word !== 'and') found[source].push(word);
  }
  return found.apt.length + found.npm.length === 0
    ? { kind: 'install-unclear' }
    : { kind: 'install', ...found, reason };
}

function parseRun(program: string, rest: string): SelfIntent {
  return { kind: 'run', program, args: splitWords(rest) };
}

/** `UNITS=metric node server.mjs "two words" because …`: a program with its words, and variables before it. */
function parseServer(name: string, text: string): SelfIntent {
  const { head, reason } = splitReason(text);
  const words = splitWords(head);
  const env: Record<string, string> = {};
  let at = 0;
  for (let match = readVariable(words[at]); match; match = readVariable(words[at])) {
    env[match.key] = match.value;
    at++;
  }
  const [command, ...args] = words.slice(at);
  if (command === undefined) return { kind: 'add-server-unclear' };
  return { kind: 'add-server', server: { name, command, args, env }, reason };
}

function readVariable(word: string | undefined): { key: string; value: string } | null {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(word ?? '');
  return match ? { key: match[1] ?? '', value: match[2] ?? '' } : null;
}

function parseRemoval(match: RegExpExecArray): SelfIntent {
  return { kind: 'remove-server', name: match[1] ?? '', reason: cutReason(match[2]) };
}

/** What stands after the last `because`. */
function splitReason(text: string): { head: string; reason: string | null } {
  const lower = text.toLowerCase();
  const at = lower.lastIndexOf(' because ');
  if (at === -1) return { head: text, reason: null };
  return { head: text.slice(0, at), reason: text.slice(at + ' because '.length).trim() || null };
}

function cutReason(text: string | undefined): string | null {
  return text?.replace(/^because\s+/i, '').trim() || null;
}

/** By blanks; what stands in quotes is one word. No shell: nothing else has a meaning. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const char of text) {
    if (quote !== null) {
      if (char === quote) quote = null;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}
