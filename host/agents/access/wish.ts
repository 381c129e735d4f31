/** What was asked for, in the one form in which rules are kept. Pure. */
import { parseHost } from '../../egress/hosts.ts';
import type { AccessWish } from './plan.ts';

/** What an agent or a person names; `host` as they spell it. */
export interface AccessWords {
  host?: string | undefined;
  service?: string | undefined;
  /** Of a host; 443 when absent. */
  port?: number | undefined;
  methods?: readonly string[] | undefined;
  path?: string | undefined;
}

/** Where TLS answers, and what is asked for when no port is. */
const HTTPS_PORT = 443;

/** Null: that is no host. */
export function readWish({ host, service, port, methods, path }: AccessWords): AccessWish | null {
  const name = host === undefined ? null : toHost(host);
  if (host !== undefined && name === null) return null;
  return {
    host: name,
    service: service ?? null,
    port: host === undefined ? null : (port ?? HTTPS_PORT),
    // In one order: what was rejected is the same request in another.
    methods: methods === undefined ? null : [...new Set(methods)].toSorted(),
    pathPrefix: path === undefined || path === '/' ? null : path.replace(/\/$/, ''),
  };
}

function toHost(text: string): string | null {
  const isWildcard = text.startsWith('*.');
  const host = parseHost(isWildcard ? text.slice(2) : text);
  if (host === null || (isWildcard && host.kind === 'address')) return null;
  return isWildcard ? `*.${host.text}` : host.text;
}
