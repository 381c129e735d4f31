/**
 * Names of packages that an agent may ask for. Checked in the container, so that the model hears of a mistake at
 * once, and again by the host: nothing that passes can be read as an option, a path, an address or a second word.
 */
import { z } from 'zod';

/** Packages of one request, both sorts together. Higher: nobody reads the card. Lower: real work takes several. */
export const MAX_PACKAGES_PER_REQUEST = 20;
/** Packages of one agent. Higher: huge images. Lower: long projects run out. */
export const MAX_PACKAGES = 100;

/**
 * Debian Policy §5.6.1, and a version of §5.6.12: `cowsay`, `g++`, `curl=7.88.1-10+deb12u8`. No name ends in "-":
 * apt removes what is named so.
 */
export const APT_PACKAGE = /^[a-z0-9][a-z0-9+.-]{0,98}[a-z0-9+.](?:=(?:\d+:)?[0-9][A-Za-z0-9.+~-]{0,63})?$/;
/** npm's rule for new names, with an exact version, a range of one sign, or a tag: `left-pad`, `@scope/name@^1.2.3`. */
export const NPM_PACKAGE =
  /^(?:@[a-z0-9~-][a-z0-9._~-]{0,99}\/)?[a-z0-9~][a-z0-9._~-]{0,99}(?:@(?:[\^~]?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]{1,40})?(?:\+[0-9A-Za-z.-]{1,40})?|[a-z][a-z0-9-]{0,29}))?$/;
/** npm takes a name or a version that ends so for a file of the folder it runs in. Source: npm-package-arg. */
const ARCHIVE = /\.(?:tgz|tar.gz|tar)$/i;

export const aptPackageSchema = z
  .string()
  .regex(APT_PACKAGE, 'a Debian package name, as `cowsay`, or with its version, as `curl=7.88.1-10+deb12u8`');
export const npmPackageSchema = z
  .string()
  .regex(NPM_PACKAGE, 'a package name of npm, as `left-pad`, or with its version, as `left-pad@1.3.0`')
  .refine((spec) => !ARCHIVE.test(spec), 'a package of npm: what ends so is taken for a file');

/** What an agent's image holds beside the base. `generation` rises with a rebuild that takes newer versions. */
export const packagesSchema = z.object({
  apt: z.array(aptPackageSchema).max(MAX_PACKAGES),
  npm: z.array(npmPackageSchema).max(MAX_PACKAGES),
  generation: z.number().int().nonnegative(),
});
export type Packages = z.infer<typeof packagesSchema>;

export const NO_PACKAGES: Packages = { apt: [], npm: [], generation: 0 };

/** The name without its version: a later request for the same name replaces the earlier. */
export function packageName(spec: string): string {
  const at = spec.indexOf('@', 1);
  const equals = spec.indexOf('=');
  const end = equals !== -1 ? equals : at;
  return end === -1 ? spec : spec.slice(0, end);
}
