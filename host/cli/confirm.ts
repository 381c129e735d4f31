/** Asking a person before something that they could regret. */
import { createInterface } from 'node:readline/promises';
import type { Context } from './context.ts';
import { CliError, EXIT } from './errors.ts';
import { oneLine } from './output/text.ts';

export interface Confirmable {
  /** What it is about to do, as a question. */
  question: string;
  /** With --yes nobody is asked. */
  yes: boolean | undefined;
  /** The whole command with --yes, for scripts. */
  command: string;
  /** Where nobody can be asked: `refuse` what loses something, `allow` what one more command puts back. */
  unattended: 'refuse' | 'allow';
}

/** Returns when it may go on. Throws CliError `not_confirmed`. */
export async function confirm(context: Context, { question, yes, command, unattended }: Confirmable): Promise<void> {
  const { terminal } = context;
  if (yes === true) return;
  if (!terminal.isStdinInteractive) {
    if (unattended === 'allow') return;
    throw new CliError(EXIT.usage, 'not_confirmed', 'Nobody is here to confirm this.', {
      expected: '--yes, from who is sure',
      next: command,
    });
  }
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  try {
    const answer = await lines.question(`${oneLine(question)} [y/N] `, { signal: terminal.interrupted });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CliError(EXIT.refused, 'not_confirmed', 'Nothing was changed.');
}
