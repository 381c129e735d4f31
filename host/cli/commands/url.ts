/** `portolan url`: a fresh link that signs in once; the owner of this machine, or somebody else. */
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { plainText } from '../output/text.ts';
import { formatAge } from '../output/units.ts';

export interface UrlOptions {
  /** `web:anna`, or `anna`. */
  as?: string;
  name?: string;
}

/** Throws CliError `nobody_named`, and the API's `bad_input`. */
export async function printUrl(context: Context, { as, name }: UrlOptions): Promise<void> {
  if (as === undefined && name !== undefined) {
    throw new CliError(EXIT.usage, 'nobody_named', 'A name is of somebody else.', {
      expected: '--as web:<name> with --name',
      next: `portolan url --as web:anna --name ${JSON.stringify(name)}`,
    });
  }
  const link =
    as === undefined
      ? await context.api.makeSignInLink()
      : await context.api.makeSignInLinkFor(as.includes(':') ? as : `web:${as}`, name);
  if (context.json) return context.printJson(link);
  context.print(plainText(link.url));
  // On stderr: `xdg-open "$(portolan url)"` wants the link alone.
  const ends = formatAge(link.expiresAt, context.terminal.now());
  context.terminal.stderr.write(`${context.style.dim(`Signs in once, and ends ${ends}.`)}\n`);
}
