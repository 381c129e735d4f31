/** `portolan url`: a fresh link that signs in once. */
import type { Context } from '../context.ts';
import { plainText } from '../output/text.ts';
import { formatAge } from '../output/units.ts';

export async function printUrl(context: Context): Promise<void> {
  const link = await context.api.makeSignInLink();
  if (context.json) return context.printJson(link);
  context.print(plainText(link.url));
  // On stderr: `xdg-open "$(portolan url)"` wants the link alone.
  const ends = formatAge(link.expiresAt, context.terminal.now());
  context.terminal.stderr.write(`${context.style.dim(`Signs in once, and ends ${ends}.`)}\n`);
}
