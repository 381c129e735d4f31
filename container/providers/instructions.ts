/** What a model is told before anything else: who the agent is, and what its folder says. */
import { join } from 'node:path';
import { MAX_INSTRUCTIONS_BYTES } from '../../shared/limits.ts';
import { readBeginning } from './given-file.ts';
import type { QueryInput } from './provider.ts';

export function describeSelf({ session, paths }: Pick<QueryInput, 'session' | 'paths'>): string {
  const name = session.agentName.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return (
    `You are ${name}, an agent of Portolan. You work inside a container of your own, which nobody watches: people see ` +
    `only what you send them. Your folder is ${paths.agent}; it stays between conversations, so what you will need ` +
    'again belongs in a file there.'
  );
}

/** Of AGENTS.md or CLAUDE.md; null: there is none, or nothing in it. */
export function readInstructions(folder: string, name: 'AGENTS.md' | 'CLAUDE.md'): string | null {
  const found = readBeginning(join(folder, name), MAX_INSTRUCTIONS_BYTES);
  if (found === null || found.text.trim() === '') return null;
  const { text, leftBytes } = found;
  return leftBytes > 0 ? `${text.trim()}\n(cut off here: ${leftBytes} bytes more)` : text.trim();
}

export function formatInstructions(name: string, text: string): string {
  return `<instructions file="${name}">\n${text}\n</instructions>`;
}
