/** Commands in hints, as the person can type them. */
import { commandsFor } from '../../config/home.ts';
import type { Terminal } from '../terminal.ts';

/**
 * `portolan` is on the path of few; who came through `npx` goes on through it. A home that is not the default is
 * named: the next command may be typed in another terminal.
 */
export function typeable(text: string, terminal: Pick<Terminal, 'env'>, home: string | null = null): string {
  const named = home === null ? text : commandsFor(home, text);
  if (terminal.env.npm_command !== 'exec') return named;
  return named.replace(/(^|[;|&(] ?|\$ )portolan /g, '$1npx portolan ');
}
