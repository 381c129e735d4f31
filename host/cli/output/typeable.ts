/** Commands in hints, as the person can type them. */
import type { Terminal } from '../terminal.ts';

/** `portolan` is on the path of few; who came through `npx` goes on through it. */
export function typeable(text: string, terminal: Pick<Terminal, 'env'>): string {
  if (terminal.env.npm_command !== 'exec') return text;
  return text.replace(/(^|[;|&(] ?|\$ )portolan /g, '$1npx portolan ');
}
