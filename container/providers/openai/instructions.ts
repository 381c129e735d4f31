/**
 * What stands before every conversation: who the agent is, what its folder says, where it can send to. Nothing in
 * it changes from call to call, so that servers need not read it again; times stand beside the messages.
 */
import { describeSelf, formatInstructions, readInstructions } from '../instructions.ts';
import type { QueryInput } from '../provider.ts';

/** The first that is there. */
const FILES = ['AGENTS.md', 'CLAUDE.md'] as const;

export function formatSystem(input: Pick<QueryInput, 'session' | 'addendum' | 'paths'>): string {
  const { addendum, paths } = input;
  return [
    `${describeSelf(input)} Paths of tools are relative to it. Do things with your tools instead of saying how they ` +
      'are done, and look at what came of it before you say that it worked. A text between `<system-note>` tags was ' +
      'written by your host.',
    ...readFirst(paths.agent),
    ...(addendum === '' ? [] : [addendum]),
  ].join('\n\n');
}

function readFirst(folder: string): string[] {
  for (const name of FILES) {
    const text = readInstructions(folder, name);
    if (text !== null) return [formatInstructions(name, text)];
  }
  return [];
}
