/**
 * Whether a request may go, where to, and by which rule. Pure; no rule, no way out (I11).
 *
 * I1. A rule that looks at methods or paths allows no tunnel: what goes through one cannot be seen.
 * I2. A model service is reached as a model alone, where it is counted, and only the one of the agent's config.
 * I3. What a rule or a service's address says of a path holds however the server reads that path.
 */
import { GATEWAY_PORT } from '../../shared/gateway.ts';
import type { AccessRule } from '../store/access-rules.ts';
import { formatHost, type Host, hostMatches, parseHost } from './hosts.ts';
import { climbs, isBelow, isPlainPath, splitPath } from './paths.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Service } from './services.ts';
import type { Head, Target } from './target.ts';

export interface RequestFacts {
  rules: readonly AccessRule[];
  /** Of the name that the request has; null: there is none, or it names none. */
  service: Service | null;
  /** The name of the agent's own; null: it uses no model. */
  modelService: string | null;
}

export interface Upstream {
  scheme: 'http' | 'https' | 'tcp';
  host: Host;
  port: number;
  /** With the query; empty for a tunnel. */
  path: string;
}

export interface Passage {
  kind: 'go';
  upstream: Upstream;
  /** Id of the rule, or name of the service, that lets it through. */
  rule: string;
  /** Whether an owner said that it lies on this machine or network. */
  allowPrivate: boolean;
  /** Gets a credential; null: none does. */
  service: Service | null;
}

type RequestPlan = Passage | Refusal;

export function planRequest({ method, target }: Head, facts: RequestFacts): RequestPlan {
  switch (target.kind) {
    case 'connect':
      return planTunnel(target, facts.rules);
    case 'http':
    case 'https':
      return planHost(method, target, facts.rules);
    case 'service':
      return planService(method, target, facts);
    case 'model':
      return planModel(target, facts);
  }
}

type Place = { host: Host; port: number };

function planTunnel({ host, port }: Place, rules: readonly AccessRule[]): RequestPlan {
  const near = rules.filter(
    (rule) => rule.port === port && rule.host !== null && hostMatches(rule.host, host, rule.isPrivate),
  );
  // I1
  const rule = preferPrivate(near.filter(({ methods, pathPrefix }) => methods === null && pathPrefix === null));
  const upstream: Upstream = { scheme: 'tcp', host, port, path: '' };
  if (rule !== undefined) return { kind: 'go', upstream, rule: rule.id, allowPrivate: rule.isPrivate, service: null };
  if (near.length === 0) return refuseHost({ host, port }, rules);
  const place = port === 443 ? formatHost(host) : `${formatHost(host)}:${port}`;
  return refuse(
    'not_allowed',
    `${place} is allowed for ${near.map(describeLimits).join(', or ')} alone, and nobody sees that in a tunnel.`,
    `call http://127.0.0.1:${GATEWAY_PORT}/https/${place}/… instead of https://${place}/…, or ${askFor(host, port)}`,
  );
}

function planHost(
  method: string,
  target: Extract<Target, { kind: 'http' | 'https' }>,
  rules: readonly AccessRule[],
): RequestPlan {
  const { kind: scheme, host, port, path } = target;
  const near = rules.filter(
    (rule) => rule.port === port && rule.host !== null && hostMatches(rule.host, host, rule.isPrivate),
  );
  if (near.length === 0) return refuseHost(target, rules);
  const rule = preferPrivate(near.filter((one) => ruleTakes(one, method, path)));
  const upstream: Upstream = { scheme, host, port, path };
  if (rule !== undefined) return { kind: 'go', upstream, rule: rule.id, allowPrivate: rule.isPrivate, service: null };
  return refuseLimits(near, method, path, askFor(host, port));
}

function planService(
  method: string,
  target: Extract<Target, { kind: 'service' | 'model' }>,
  { rules, service }: RequestFacts,
): RequestPlan {
  const { name, path } = target;
  const own = rules.filter((rule) => rule.service === name);
  const ask = `request_access {"service": "${name}", "reason": "…"}`;
  if (service === null || (own.length === 0 && service.api === null)) {
    return refuse('unknown_service', `This agent was given no service "${name}".`, ask);
  }
  // I2
  if (service.api !== null) {
    return refuse('unknown_service', `"${name}" is a model.`, `call /model/${name}/… instead of /service/${name}/…`);
  }
  if (!own.some((rule) => ruleTakes(rule, method, path))) return refuseLimits(own, method, path, ask);
  return toService(service, path);
}

function planModel(
  { name, path }: Extract<Target, { kind: 'service' | 'model' }>,
  { service, modelService }: RequestFacts,
): RequestPlan {
  // I2
  if (service === null || service.api === null || name !== modelService) {
    const uses = modelService === null ? 'uses no model' : `thinks through "${modelService}" alone`;
    return refuse(
      'unknown_service',
      `This agent ${uses}: "${name}" is not for it.`,
      'an admin types: portolan provider set',
    );
  }
  // Which of its paths may be called, the door that counts says (model/endpoints.ts).
  return toService(service, path);
}

function toService(service: Service, path: string): RequestPlan {
  // I3: it would leave the path of the service's own address.
  if (climbs(splitPath(path).pathname)) return refuse('bad_request', 'The path of a service has no "." and "..".');
  const { protocol, hostname, port, pathname } = service.baseUrl;
  const host = parseHost(hostname);
  if (host === null) return refuse('bad_request', `The address of the service "${service.name}" has no host.`);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  return {
    kind: 'go',
    upstream: {
      scheme,
      host,
      port: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
      path: `${pathname.replace(/\/$/, '')}${path}`,
    },
    rule: service.name,
    allowPrivate: service.isPrivate,
    service,
  };
}

function ruleTakes({ methods, pathPrefix }: AccessRule, method: string, path: string): boolean {
  if (methods !== null && !methods.includes(method)) return false;
  if (pathPrefix === null) return true;
  // I3
  const { pathname } = splitPath(path);
  return isPlainPath(pathname) && isBelow(pathPrefix, pathname);
}

/** Of rules that allow the same, the one with which more addresses may be connected to. */
function preferPrivate(rules: readonly AccessRule[]): AccessRule | undefined {
  return rules.find((rule) => rule.isPrivate) ?? rules[0];
}

function refuseHost({ host, port }: Place, rules: readonly AccessRule[]): Refusal {
  const ports = rules
    .filter((rule) => rule.host !== null && hostMatches(rule.host, host, rule.isPrivate))
    .map((rule) => rule.port);
  const name = formatHost(host);
  const why =
    ports.length === 0
      ? `This agent may not reach ${name}.`
      : `This agent may reach ${name} at port ${[...new Set(ports)].join(', ')}, not ${port}.`;
  return refuse('not_allowed', why, askFor(host, port));
}

function refuseLimits(near: readonly AccessRule[], method: string, path: string, ask: string): Refusal {
  const limits = near.map(describeLimits).join(', or ');
  const { pathname } = splitPath(path);
  if (near.some((rule) => rule.pathPrefix !== null) && !isPlainPath(pathname)) {
    const why = `Allowed is ${limits}, so the path may have no "//", "..", backslash, or encoded slash, dot or percent sign.`;
    return refuse('bad_request', why, 'write the path plainly');
  }
  return refuse('not_allowed', `Allowed is ${limits}, not ${method} ${pathname.slice(0, 100)}.`, ask);
}

function describeLimits({ methods, pathPrefix }: AccessRule): string {
  return `${methods === null ? 'any method' : methods.join(', ')} below ${pathPrefix ?? '/'}`;
}

/** Addresses cannot be asked for: an owner gives them, by hand. */
function askFor(host: Host, port: number): string {
  if (host.kind === 'address') return `an owner types: portolan access allow <agent> ${formatHost(host)}:${port}`;
  const more = port === 443 ? '' : `"port": ${port}, `;
  return `call request_access {"host": "${host.text}", ${more}"reason": "…"}`;
}
