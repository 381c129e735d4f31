/**
 * Paths of requests, as they are: the gateway passes them on byte for byte, so what it concludes from one must hold
 * however a server outside reads it. Pure.
 */

export function splitPath(path: string): { pathname: string; query: string } {
  const at = path.indexOf('?');
  return at < 0 ? { pathname: path, query: '' } : { pathname: path.slice(0, at), query: path.slice(at) };
}

/** What a server may decode once more: slashes, backslashes, dots, NUL, and the percent sign itself. */
const ENCODED = /%(?:2[ef5]|5c|00)/i;

/**
 * Whether every server reads the same segments out of it: nothing encoded that cuts or climbs, none empty, and what is
 * encoded is UTF-8: old decoders take more for a dot or slash (`%c0%ae`, `%u002e`).
 */
export function isPlainPath(pathname: string): boolean {
  const isUnclear = ENCODED.test(pathname) || pathname.includes('\\') || pathname.includes('//') || climbs(pathname);
  return !isUnclear && isUtf8(pathname);
}

function isUtf8(pathname: string): boolean {
  try {
    decodeURIComponent(pathname);
    return true;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return false;
  }
}

/** Whether some server would read `.` or `..` as a segment, decoding as often as it likes. */
export function climbs(pathname: string): boolean {
  // What stays encoded after this was encoded more often than any server decodes.
  const decoded = pathname
    .replace(/%(?:25)+/gi, '%')
    .replace(/%2e/gi, '.')
    .replace(/%2f/gi, '/')
    .replace(/%5c/gi, '\\');
  // Some servers cut parameters (`..;x`) off before they climb.
  return decoded.split(/[/\\]/).some((segment) => /^\.\.?(?:$|;)/.test(segment));
}

/** Whether a plain path is the prefix or lies below it: `/v1` has `/v1` and `/v1/x`, not `/v10`. */
export function isBelow(prefix: string, pathname: string): boolean {
  if (!pathname.startsWith(prefix)) return false;
  return prefix.endsWith('/') || pathname.length === prefix.length || pathname[prefix.length] === '/';
}
