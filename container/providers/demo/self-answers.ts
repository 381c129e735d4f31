/** The demo provider's words about its own container. Pure. */
import type { RunEnd } from '../../runner/bounded-run.ts';
import type { ToolDescription, ToolResult } from '../../tools/tool.ts';
import type { PromptMessage } from '../provider.ts';

/** Of a program's or a tool's output, in a chat. Higher: a wall of text. Lower: a cow is cut in half. */
const MAX_OUTPUT_CHARS = 3_000;
/** Of a tool's own description, in the list. */
const MAX_DESCRIPTION_CHARS = 120;
/** Of the words that caused a request, in its reason. */
const MAX_QUOTE_CHARS = 200;

export const INSTALL_UNCLEAR =
  'What, and from where? For example `install apt cowsay`, or `install npm cowsay because I like cows`.';

export const ADD_SERVER_UNCLEAR =
  'Which, and how is it started? For example `add mcp server notes: node notes-server.mjs --folder notes because I lose things`.';

/** `note` are the host's words: whom it asked, and under which code. */
export function formatAsked(asked: ToolResult): string {
  if (!asked.ok) return `I could not: ${asked.text}`;
  const data = asked.data;
  const note = typeof data === 'object' && data !== null && 'note' in data ? data.note : null;
  const said = typeof note === 'string' ? `, and it says: ${note}` : '';
  return `📮 I asked the host${said}. What an admin decides I will tell you here.`;
}

export function formatNoProgram(program: string): string {
  return `I have no program \`${program}\`. Install it with \`install apt ${program}\` or \`install npm ${program}\`: an admin is asked.`;
}

/** What curl, git, pip, apt and Node say of a proxy that does not let them through, and the gateway's own words. */
const REFUSED =
  /(?:proxy|tunnel)[^\n]{0,200}\b403\b|\b403\b[^\n]{0,200}(?:proxy|tunnel)|"type":"error"[^\n]{0,40}"(?:not_allowed|unknown_service)"/i;
const HOW_TO_ASK =
  '\n\n🚧 That was the gateway: I am not let out there. Write `ask for access to <host> because …`, and I ask an admin (with the tool `request_access`).';

export function formatRun(program: string, ended: RunEnd, output: string, timeoutMs: number): string {
  return `${formatEnd(program, ended, output, timeoutMs)}${REFUSED.test(output) ? HOW_TO_ASK : ''}`;
}

function formatEnd(program: string, ended: RunEnd, output: string, timeoutMs: number): string {
  const text = output.trim() === '' ? '' : `\n\n${formatOutput(output)}`;
  switch (ended.kind) {
    case 'exit':
      if (ended.code !== 0) return `\`${program}\` ended with exit code ${ended.code}.${text}`;
      return text === '' ? `\`${program}\` ran, and said nothing.` : `\`${program}\` says:${text}`;
    case 'signal':
      return `\`${program}\` was ended by ${ended.signal}.${text}`;
    case 'timeout':
      return `\`${program}\` did not end within ${timeoutMs / 1_000} s, so I ended it.${text}`;
    case 'flood':
      return `\`${program}\` printed too much, so I ended it.${text}`;
  }
}

/** As code, whatever stands in it; without the colours that programs print for terminals. */
export function formatOutput(output: string): string {
  const plain = output
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of terminals begin with one.
    .replace(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])/g, '')
    .replace(/(?![\t\n])\p{Cc}/gu, '')
    .replace(/^\n+|\s+$/g, '');
  const cut = plain.length > MAX_OUTPUT_CHARS;
  const shown = cut ? plain.slice(0, MAX_OUTPUT_CHARS).replace(/\p{Surrogate}$/u, '') : plain;
  const longest = Math.max(2, ...Array.from(shown.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${shown}\n${fence}${cut ? `\n(and ${plain.length - MAX_OUTPUT_CHARS} more characters)` : ''}`;
}

export function formatServerTools(servers: readonly string[], tools: readonly ToolDescription[]): string {
  if (servers.length === 0)
    return 'I have no MCP server. `add mcp server <name>: <program> <words>` asks an admin for one.';
  const parts = servers.map((server) => {
    const own = tools.filter(({ name }) => name.startsWith(`mcp__${server}__`));
    if (own.length === 0) return `**${server}** brings no tools at the moment.`;
    const lines = own.map(({ name, description }) => {
      const line = description.replace(/\s+/g, ' ').slice(0, MAX_DESCRIPTION_CHARS);
      return `- \`${name.slice(`mcp__${server}__`.length)}\`${line === '' ? '' : `: ${line}`}`;
    });
    return `**${server}** brings:\n\n${lines.join('\n')}`;
  });
  return `${parts.join('\n\n')}\n\nTry \`use <server> <tool> {"name": "value"}\`.`;
}

export function formatToolUsed(tool: string, result: ToolResult): string {
  return `\`${tool}\` ${result.ok ? 'says' : 'could not'}:\n\n${formatOutput(result.text)}`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  approval_applied: '✅ It was approved',
  approval_rejected: '❌ It was rejected',
  approval_expired: '⌛ Nobody decided in time',
  approval_failed: '⚠️ It was approved, but did not work',
  approval_superseded: '🔁 The request was replaced',
};

/** What came of something that was asked of an admin, for the chat it was asked in; null for other notices. */
export function formatOutcome({ event, text }: Pick<PromptMessage, 'event' | 'text'>): string | null {
  const outcome = event !== null && Object.hasOwn(OUTCOMES, event) ? OUTCOMES[event] : undefined;
  if (outcome === undefined) return null;
  // Below the host's sentence stands what a program printed.
  const [sentence = '', ...printed] = text.trim().split('\n');
  const details = printed.some((line) => line.trim() !== '') ? `\n\n${formatOutput(printed.join('\n'))}` : '';
  return `${outcome}:\n\n${quoteLines(sentence)}${details}`;
}

export function quoteLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** Why an admin is asked, when nobody said: who wanted it, where, and in which words. */
export function describeCause(message: PromptMessage, from: string): string {
  const words = message.text
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_QUOTE_CHARS)
    .replace(/\p{Surrogate}$/u, '');
  return `${message.sender || 'Somebody'} wrote in ${from}: ${words}`;
}
