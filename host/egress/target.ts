/**
 * What a request's head asks for, in one of the forms of `shared/gateway.ts`. Pure.
 *
 * I1. What two readers could read in two ways is refused: two Host headers, a Host that names another place, two
 *     lengths, user names in an address, signs that have no place in a URL.
 */
import type { IncomingMessage } from 'node:http';
import { formatHost, type Host, parseAuthority } from './hosts.ts';
import { type Refusal, refuse } from './refusal.ts';

export type Target =
  | { kind: 'connect'; host: Host; port: number }
  /** `path` begins with a slash and has the query. */
  | { kind: 'http' | 'https'; host: Host; port: number; path: string }
  /** `path` is what stands behind the name. */
  | { kind: 'service' | 'model'; name: string; path: string };

export interface Head {
  method: string;
  target: Target;
  /** On whose behalf, as the container says; null: it does not say. */
  messageId: string | null;
}

export type RawHead = Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const FOR = /^\/for\/([A-Za-z0-9_-]{1,64})(\/.*)$/;
/** What a program in the container sends when it calls a base URL. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;
const FORMS =
  'CONNECT host:port, http://host/path, /https/<host>/<path>, /service/<name>/<path> or /model/<name>/<path>';

/** Refuses with `bad_request`. */
export function parseHead(raw: RawHead): { kind: 'head'; head: Head } | Refusal {
  const method = raw.method ?? '';
  const url = raw.url ?? '';
  const headers = findHeaders(raw.rawHeaders);
  if ('kind' in headers) return headers;
  // Sends back what it was sent, credentials included.
  if (method === 'TRACE') return bad('TRACE is not passed on.');
  if (!/^[\x21-\x7e]+$/.test(url) || url.includes('#')) return bad('A URL has printable ASCII signs alone, without #.');
  const parsed = method === 'CONNECT' ? parseConnect(url, headers) : parseForms(url, headers);
  if (parsed.kind === 'refused') return parsed;
  return { kind: 'head', head: { method, ...parsed.found } };
}

interface Headers {
  host: string | null;
  hasBody: boolean;
}

/** I1 */
function findHeaders(raw: readonly string[]): Headers | Refusal {
  const values = (name: string) =>
    raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name).map((value) => value.trim());
  const [hosts, lengths, encodings] = [values('host'), values('content-length'), values('transfer-encoding')];
  if (hosts.length > 1) return bad('There are several Host headers.');
  if (lengths.length > 1) return bad('There are several Content-Length headers.');
  if (lengths.length > 0 && encodings.length > 0) return bad('There are a Content-Length and a Transfer-Encoding.');
  if (encodings.length > 1 || (encodings[0] ?? 'chunked').toLowerCase() !== 'chunked') {
    return bad('The Transfer-Encoding is not "chunked".');
  }
  // An offer that a server may leave aside, as the gateway does: some HTTP clients always make it.
  if (values('upgrade').some((value) => value.toLowerCase() !== 'h2c')) {
    return bad('Only a tunnel (CONNECT) carries WebSockets and other protocols.');
  }
  return { host: hosts[0] ?? null, hasBody: encodings.length > 0 || (lengths[0] ?? '0') !== '0' };
}

type Found = { kind: 'found'; found: Pick<Head, 'target' | 'messageId'> } | Refusal;

function parseConnect(url: string, { host: claimed, hasBody }: Headers): Found {
  const place = parseAuthority(url, null);
  if (place === null) return bad('CONNECT takes host:port, such as example.com:443.');
  if (hasBody) return bad('CONNECT has no body.');
  if (!claimsSame(claimed, place, null)) return bad('The Host header names another place than CONNECT.');
  return found({ kind: 'connect', ...place }, null);
}

function parseForms(url: string, { host: claimed }: Headers): Found {
  if (!url.startsWith('/')) return parseAbsolute(url, claimed);
  if (claimed !== null && !LOOPBACK.test(claimed)) {
    return bad(`The Host header names ${claimed.slice(0, 100)}, where the gateway was called.`);
  }
  const behalf = FOR.exec(url);
  const messageId = behalf?.[1] ?? null;
  const [, form, name = '', path = ''] = /^\/([a-z]+)\/([^/?]+)([/?].*)?$/.exec(behalf?.[2] ?? url) ?? [];
  const rest = path.startsWith('/') ? path : `/${path}`;
  if (form === 'https') {
    const place = parseAuthority(name, 443);
    return place === null
      ? bad('/https/ is followed by host[:port].')
      : found({ kind: form, ...place, path: rest }, messageId);
  }
  if ((form === 'service' || form === 'model') && NAME.test(name)) {
    return found({ kind: form, name, path: rest }, messageId);
  }
  return bad(`The gateway takes ${FORMS}.`);
}

function parseAbsolute(url: string, claimed: string | null): Found {
  if (/^https:/i.test(url)) return bad('https:// goes through CONNECT, or as /https/<host>/<path>.');
  const [, authority, path = ''] = /^http:\/\/([^/?\\]*)([/?].*)?$/i.exec(url) ?? [];
  if (authority === undefined) return bad(`The gateway takes ${FORMS}.`);
  const place = parseAuthority(authority, 80);
  if (place === null) return bad('The address has no host that can be one; a user and password have no place in it.');
  if (!claimsSame(claimed, place, 80)) return bad('The Host header names another place than the address.');
  return found({ kind: 'http', ...place, path: path.startsWith('/') ? path : `/${path}` }, null);
}

/** A Host without a port may stand for the scheme's, and beside CONNECT for whatever port that names. */
function claimsSame(claimed: string | null, place: { host: Host; port: number }, fallback: number | null): boolean {
  if (claimed === null) return true;
  const claim = parseAuthority(claimed, fallback ?? place.port);
  return claim !== null && formatHost(claim.host) === formatHost(place.host) && claim.port === place.port;
}

function found(target: Target, messageId: string | null): Found {
  return { kind: 'found', found: { target, messageId } };
}

function bad(message: string): Refusal {
  return refuse('bad_request', message);
}
