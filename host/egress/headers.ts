/**
 * Which headers pass the gateway. Pure.
 *
 * I1. No credential from inside goes out, and no cookie of a service comes in.
 * I2. What is said about one connection stays there (RFC 9110, 7.6.1).
 * I3. Nothing from inside makes a server take another method, path or caller than the one that was checked.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { REFUSAL_HEADER } from '../../shared/gateway.ts';

/** I2 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** I1: by name, and by what names of such headers end in. */
const CREDENTIAL =
  /^(?:authorization|proxy-authorization|cookie2?|private-token|job-token|deploy-token|x-amz-security-token|x-goog-iam-authorization-token|.*(?:api-?key|auth-token|access-token|auth-key|secret|password|subscription-key))$/;
/** I3 */
const OVERRIDE =
  /^(?:x-http-method|x-http-method-override|x-method-override|x-original-url|x-original-host|x-rewrite-url|x-host|x-forwarded-.*|forwarded|x-real-ip|x-client-ip|true-client-ip|via|expect)$/;

/** What the gateway writes itself, or that would cut a secret into pieces that nobody finds (a range). */
const WITH_CREDENTIAL = new Set(['accept-encoding', 'range', 'if-range']);

export interface OutboundHead {
  /** As they came from inside: name, value, name, value. */
  raw: readonly string[];
  /** Of the Host header. */
  host: string;
  /** That the gateway adds; null: none. */
  credential: { name: string; value: string } | null;
  /** In which the service expects its credential, though it was given none. */
  credentialHeader?: string | undefined;
  /** A service's: its answer is looked through. */
  isService: boolean;
}

/** What goes to the server outside. */
export function outboundHeaders(head: OutboundHead): OutgoingHttpHeaders {
  const { raw, host, credential, isService } = head;
  const own = (credential?.name ?? head.credentialHeader)?.toLowerCase();
  const headers: OutgoingHttpHeaders = { host };
  for (const [name, value] of pass(raw)) {
    // Servers that hand headers on as variables (CGI, WSGI) know no difference.
    const read = name.replaceAll('_', '-');
    if (read === 'host' || read === own?.replaceAll('_', '-') || CREDENTIAL.test(read) || OVERRIDE.test(read)) continue;
    if (isService && WITH_CREDENTIAL.has(read)) continue;
    // What every object has (`constructor`) is no header that came before.
    headers[name] = Object.hasOwn(headers, name) ? [headers[name] ?? '', value].flat().map(String) : value;
  }
  // The server that wrote the body in chunks did so for this connection alone.
  if (hasChunks(raw)) headers['transfer-encoding'] = 'chunked';
  if (isService) headers['accept-encoding'] = 'identity';
  if (credential !== null) headers[credential.name] = credential.value;
  return headers;
}

/** What goes into the container, name and value by turns; `clean` takes secrets out of a value. */
export function inboundHeaders(raw: readonly string[], isService: boolean, clean: (text: string) => string): string[] {
  const headers: string[] = [];
  for (const [name, value, spelt] of pass(raw)) {
    // Only the gateway says that it was the gateway.
    if (name === REFUSAL_HEADER || name === 'alt-svc') continue;
    // I1
    if (isService && (name === 'set-cookie' || name === 'set-cookie2')) continue;
    headers.push(spelt, clean(value));
  }
  return headers;
}

/** Lower-case name, value, and the name as it was spelt, of those that are not about the connection. */
function* pass(raw: readonly string[]): Generator<[name: string, value: string, spelt: string]> {
  const named = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue;
    for (const name of (raw[at + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const spelt = raw[at] ?? '';
    const name = spelt.toLowerCase();
    // A body's length is about the message, whatever a Connection header says.
    if (HOP_BY_HOP.has(name) || (named.has(name) && name !== 'content-length')) continue;
    yield [name, raw[at + 1] ?? '', spelt];
  }
}

function hasChunks(raw: readonly string[]): boolean {
  return raw.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'transfer-encoding');
}
