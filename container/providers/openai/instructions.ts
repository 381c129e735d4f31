/**
 * What stands before every conversation: who the agent is, what its folder says, where it can send to. Nothing in
 * it changes from call to call, so that servers need not read it again; times stand beside the messages.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryInput } from '../provider.ts';
import { MAX_INSTRUCTIONS_BYTES } from './limits.ts';

/** The first that is there. */
const FILES = ['AGENTS.md', 'CLAUDE.md'] as const;

export function formatInstructions({
  session,
  addendum,
  paths,
}: Pick<QueryInput, 'session' | 'addendum' | 'paths'>): string {
  const own = readInstructions(paths.agent);
  return [
    `You are ${oneLine(session.agentName)}, an agent of Portolan. You work inside a container of your own, which nobody watches: ` +
      'people see only what you send them.',
    `Your folder is ${paths.agent}; it stays between conversations, so what you will need again belongs in a file there. ` +
      'Paths of tools are relative to it. Do things with your tools instead of saying how they are done, and look at ' +
      'what came of it before you say that it worked. A text between `<system-note>` tags was written by your host.',
    ...(own === null ? [] : [`<instructions file="${own.name}">\n${own.text}\n</instructions>`]),
    ...(addendum === '' ? [] : [addendum]),
  ].join('\n\n');
}

function readInstructions(folder: string): { name: string; text: string } | null {
  for (const name of FILES) {
    const text = readBounded(join(folder, name));
    if (text !== null && text.trim() !== '') return { name, text: text.trim() };
  }
  return null;
}

/** Null when there is no such file. The folder is the agent's own, so a pipe may lie there: nothing is waited for. */
function readBounded(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && MISSING.includes(String(error.code))) return null;
    throw error;
  }
  try {
    const about = fstatSync(file);
    if (!about.isFile()) return null;
    const bytes = Buffer.alloc(Math.min(about.size, MAX_INSTRUCTIONS_BYTES));
    const text = bytes.subarray(0, readSync(file, bytes)).toString('utf8');
    const left = about.size - bytes.length;
    return left > 0 ? `${text.replace(/\ufffd+$/, '')}\n(cut off here: ${left} bytes more)` : text;
  } finally {
    closeSync(file);
  }
}

const MISSING: readonly string[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENXIO'];

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
