/**
 * Connections of one session to servers outside. None is shared with another session, another service or another
 * address: what a server remembers of a connection stays with who may use it.
 */
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { formatHost } from './hosts.ts';
import type { GatewayLimits } from './limits.ts';
import type { Passage } from './plan.ts';

export class Upstreams implements Disposable {
  readonly #limits: GatewayLimits;
  readonly #trust: SecureContext | null;
  /** Least recently used first. */
  readonly #agents = new Map<string, http.Agent>();

  constructor(limits: GatewayLimits, trust: SecureContext | null) {
    this.#limits = limits;
    this.#trust = trust;
  }

  /** Begins a request to one of `addresses`, which were checked: nothing is looked up again. */
  request(
    { upstream, service }: Passage,
    {
      method,
      headers,
      addresses,
      isFresh,
    }: {
      method: string;
      headers: http.OutgoingHttpHeaders;
      addresses: readonly string[];
      /** Not on a connection that was used before. */
      isFresh: boolean;
    },
  ): http.ClientRequest {
    const { scheme, host, port, path } = upstream;
    const key = JSON.stringify([scheme, host.text, port, service?.name ?? null, ...addresses]);
    const options: https.RequestOptions & Pick<ConnectionOptions, 'secureContext'> = {
      method,
      path,
      headers,
      port,
      host: host.text,
      setHost: false,
      lookup: pin(addresses),
      agent: isFresh ? false : this.#agent(scheme, key),
    };
    if (scheme !== 'https') return http.request(options);
    if (host.kind === 'name') options.servername = host.text;
    if (this.#trust !== null) options.secureContext = this.#trust;
    // Said, so that no setting of the host's environment (NODE_TLS_REJECT_UNAUTHORIZED) unsays it.
    options.rejectUnauthorized = true;
    return https.request(options);
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(scheme: 'http' | 'https' | 'tcp', key: string): http.Agent {
    const options = { keepAlive: true, maxFreeSockets: 8, timeout: this.#limits.keptMs };
    const agent = this.#agents.get(key) ?? (scheme === 'https' ? new https.Agent(options) : new http.Agent(options));
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    if (this.#agents.size > this.#limits.maxKeptServers) this.#forgetOne();
    return agent;
  }

  /** One that is in use ends its requests first. */
  #forgetOne(): void {
    for (const [key, agent] of this.#agents) {
      if (Object.keys(agent.sockets).length > 0) continue;
      agent.destroy();
      this.#agents.delete(key);
      return;
    }
  }
}

/** Answers with what was checked, whatever is asked. */
export function pin(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, done) => {
    if (all === true) return done(null, found);
    done(null, found[0]?.address ?? '', found[0]?.family);
  };
}

/** As it stands in a Host header. */
export function hostHeader({ upstream: { scheme, host, port } }: Passage): string {
  const isUsual = port === (scheme === 'https' ? 443 : 80);
  return isUsual ? formatHost(host) : `${formatHost(host)}:${port}`;
}
