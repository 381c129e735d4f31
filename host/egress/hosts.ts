/** Names and addresses of hosts as requests spell them, brought to the one form that rules and logs use. Pure. */
import { isIP } from 'node:net';
import { getDomain } from 'tldts';

export type Host =
  | { kind: 'name' /** Lower case, punycode, without the last dot. */; text: string }
  | { kind: 'address' /** As the URL standard writes it; IPv6 without brackets. */; text: string };

/** Longest name that DNS takes, and the longest text worth looking at. */
const MAX_NAME = 253;
/** What the URL standard would drop, decode or take for the end of a host, and every control character. */
const NEVER_IN_HOST = /[\s\p{Cc}\p{Cf}%/\\?#@*<>^|"`{}]/u;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * The canonical form of a host, by the URL standard: case, punycode, decimal, octal, hexadecimal and short forms of
 * IPv4, IPv6 in brackets. So that whatever a program writes, what is checked is what would be connected to.
 * Null when it is none.
 */
export function parseHost(text: string): Host | null {
  if (text.length === 0 || text.length > MAX_NAME + 4 || NEVER_IN_HOST.test(text)) return null;
  // A colon outside brackets would begin a port.
  const isBracketed = text.startsWith('[') && text.endsWith(']');
  if (!isBracketed && /[:[\]]/.test(text)) return null;
  const href = `http://${text}/`;
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  if (url.username !== '' || url.port !== '' || url.pathname !== '/') return null;
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host) !== 0) return { kind: 'address', text: host };
  return isName(host) ? { kind: 'name', text: host } : null;
}

function isName(host: string): boolean {
  if (host.length === 0 || host.length > MAX_NAME) return false;
  const labels = host.split('.');
  // A last label of digits is an address to some resolvers, and a name to others.
  return labels.every((label) => LABEL.test(label)) && !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
}

/** `host:port`; without a port `fallback` holds, and null means that there must be one. */
export function parseAuthority(text: string, fallback: number | null): { host: Host; port: number } | null {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const host = match === null ? null : parseHost(match[1] ?? '');
  if (match === null || host === null) return null;
  const port = match[2] === undefined ? fallback : Number(match[2]);
  if (port === null || port < 1 || port > 65_535) return null;
  return { host, port };
}

/** As it stands in a URL or a Host header. */
export function formatHost({ text }: Host): string {
  return isIP(text) === 6 ? `[${text}]` : text;
}

/**
 * Whether a rule's host means this one. `*.example.com` means the names below it, and never an address; nor what
 * others register there: `*.amazonaws.com` has `sts.amazonaws.com`, and nobody's bucket below `s3.amazonaws.com`.
 * `isPrivate`: an owner said so of a network of their own, where nobody else registers.
 */
export function hostMatches(ruleHost: string, host: Host, isPrivate: boolean): boolean {
  if (!ruleHost.startsWith('*.')) return ruleHost === host.text;
  const isBelow =
    host.kind === 'name' && host.text.length > ruleHost.length - 1 && host.text.endsWith(ruleHost.slice(1));
  if (!isBelow || isPrivate) return isBelow;
  const registered = getDomain(host.text, { allowPrivateDomains: true });
  return registered !== null && `.${ruleHost.slice(2)}`.endsWith(`.${registered}`);
}
