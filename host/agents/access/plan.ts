/**
 * Whether an agent may be let out to a place, and what that adds compared with today. Pure.
 *
 * I1. What an agent asks for leads outside alone: no address, no name of the inside, no model, nothing private.
 * I2. A wildcard stays below one registrable name: `*.example.com`, never `*.com`, `*.co.uk` or `*.github.io`. Where
 *     others register further below, those names are not meant (`hostMatches`).
 */
import { isIP } from 'node:net';
import { getPublicSuffix } from 'tldts';
import { hostMatches } from '../../egress/hosts.ts';

/** A place outside, and what of it. Exactly one of host and service; port goes with host. */
export interface AccessWish {
  /** In lower case; `*.name` for the names below it. */
  host: string | null;
  service: string | null;
  port: number | null;
  /** Upper case; null: all. */
  methods: readonly string[] | null;
  /** What paths begin with, up to a segment's end; null: all. */
  pathPrefix: string | null;
}

/** What is known of a service that a wish names. */
export interface NamedService {
  name: string;
  baseUrl: URL;
  /** Whether a model answers there. */
  isModel: boolean;
  isPrivate: boolean;
}

export interface AccessFacts {
  agentName: string;
  /** All that the agent may reach today. */
  rules: readonly (AccessWish & { isPrivate: boolean })[];
  /** The one that the wish names; null: there is none. */
  service: NamedService | null;
}

export type AccessPlan =
  /** `lines`: what it adds compared with today, in the host's words. */
  | { kind: 'add'; lines: string[] }
  /** It may do all of that already. */
  | { kind: 'nothing'; why: string }
  /** What was wrong, and what to do instead. */
  | { kind: 'refuse'; why: string };

/** Rules of one agent. Higher: nobody reads the list any more. Lower: a widely read agent asks for wildcards. */
export const MAX_ACCESS_RULES = 100;
/** Places that a card names. Higher: what is asked for drowns. Lower: less is known of today. */
const MAX_NAMED = 5;

/** Names that lead nowhere outside, by their end. */
const INSIDE = ['localhost', 'local', 'internal', 'intranet', 'lan', 'home', 'corp', 'private', 'arpa', 'onion', 'alt'];
/** Where clouds hand out credentials: reached by nobody, whatever a rule says. */
const METADATA = new Set([
  'metadata.google.internal',
  'instance-data.ec2.internal',
  '169.254.169.254',
  'fd00:ec2::254',
]);

/** What an agent asks for, or an admin gives it; `isPrivate` only when an owner says so. */
export function planAccess(facts: AccessFacts, wish: AccessWish, isPrivate = false): AccessPlan {
  const why = findObstacle(facts, wish, isPrivate);
  if (why !== null) return { kind: 'refuse', why };
  const wider = facts.rules.find((rule) => covers(rule, wish) && (rule.isPrivate || !isPrivate));
  if (wider !== undefined) {
    return { kind: 'nothing', why: `“${facts.agentName}” may reach that already: ${describeWish(wider)}` };
  }
  if (facts.rules.length >= MAX_ACCESS_RULES) {
    return { kind: 'refuse', why: `an agent may have ${MAX_ACCESS_RULES} rules of access; remove one first` };
  }
  return { kind: 'add', lines: describeAddition(facts, wish, isPrivate) };
}

function findObstacle({ service }: AccessFacts, wish: AccessWish, isPrivate: boolean): string | null {
  if (wish.service !== null) return findServiceObstacle(service, wish.service, isPrivate);
  const host = wish.host ?? '';
  if (METADATA.has(host)) return `${host} gives out credentials of the machine: nobody may reach it`;
  if (!isPrivate && isIP(host) !== 0) {
    return `${host} is an address, not a name: an owner alone lets agents there, with portolan access allow … --private`;
  }
  if (!isPrivate && isInside(host)) {
    return `${host} lies on this machine or network, where an owner alone lets agents: portolan access allow … --private`;
  }
  if (!isPrivate && host.startsWith('*.') && isWholesale(host.slice(2))) {
    return `${host} is all that others register there: name the host itself, or a wildcard below a name of one owner, such as *.example.com`;
  }
  return null;
}

function findServiceObstacle(service: NamedService | null, name: string, isPrivate: boolean): string | null {
  if (service === null) return `there is no service “${name}”; an admin sees them with: portolan services list`;
  if (service.isModel) {
    return `“${name}” is a model: an agent uses exactly the one of its config, which an admin sets: portolan provider set`;
  }
  if (service.isPrivate && !isPrivate) {
    return `“${name}” lies on this machine or network, where an owner alone lets agents: portolan access allow … --private`;
  }
  return null;
}

function isInside(host: string): boolean {
  const name = host.replace(/^\*\./, '');
  const isShort = !name.includes('.') && name === host;
  return isShort || INSIDE.includes(name.slice(name.lastIndexOf('.') + 1));
}

/** I2: a name under which anybody may register one of their own. */
function isWholesale(name: string): boolean {
  return !name.includes('.') || getPublicSuffix(name, { allowPrivateDomains: true }) === name;
}

type Rule = AccessWish & { isPrivate?: boolean };

/** Whether a rule allows all of a wish. */
export function covers(rule: Rule, wish: AccessWish): boolean {
  return coversPlace(rule, wish) && coversMethods(rule, wish) && coversPath(rule, wish);
}

function coversPlace(rule: Rule, wish: AccessWish): boolean {
  if (rule.service !== null || wish.service !== null) return rule.service === wish.service;
  if (rule.port !== wish.port || rule.host === null || wish.host === null) return false;
  if (rule.host === wish.host) return true;
  if (!rule.host.startsWith('*.')) return false;
  const below = wish.host.replace(/^\*\./, '');
  const kind = isIP(below) === 0 ? 'name' : 'address';
  return hostMatches(rule.host, { kind, text: below }, rule.isPrivate === true);
}

function coversMethods(rule: AccessWish, wish: AccessWish): boolean {
  return rule.methods === null || (wish.methods?.every((method) => rule.methods?.includes(method)) ?? false);
}

function coversPath(rule: AccessWish, wish: AccessWish): boolean {
  const { pathPrefix: prefix } = rule;
  if (prefix === null) return true;
  const { pathPrefix: path } = wish;
  return path !== null && (path === prefix || path.startsWith(`${prefix}/`));
}

function describeAddition({ rules, service }: AccessFacts, wish: AccessWish, isPrivate: boolean): string[] {
  const known = rules.filter((rule) => coversPlace(rule, wish));
  const before = known.slice(0, MAX_NAMED).map((rule) => describeExtent(rule));
  return [
    `adds ${describeWish(wish)}`,
    ...(before.length === 0 ? [] : [`widens what it may do there: today ${before.join('; ')}`]),
    ...(service === null || wish.service === null
      ? describeReach(wish)
      : [
          `the gateway adds the credential of ${service.name}, at ${code(service.baseUrl.href)}; the agent never sees it`,
        ]),
    ...(isPrivate ? ['which lies on this machine or network'] : []),
  ];
}

function describeReach(wish: AccessWish): string[] {
  const host = wish.host ?? '';
  const isWhole = wish.methods === null && wish.pathPrefix === null;
  return [
    ...(host.startsWith('*.') ? [`every name below ${code(host.slice(2))}, also those made later`] : []),
    ...(host.split('.').some((label) => label.startsWith('xn--'))
      ? ['the name has signs beyond ASCII, here in its xn-- form: decoded it may look like another name']
      : []),
    isWhole
      ? 'with its contents hidden from this host, which sees names and sizes alone'
      : 'as requests that this host reads, method and path of each',
    ...(wish.port === 80 ? ['without encryption: anybody on the way can read and change it'] : []),
  ];
}

/** “GET, HEAD on `https://api.example.com` under `/v1`”; for cards, where nothing in it is taken for markup. */
export function describeWish(wish: AccessWish): string {
  const { methods, path } = describeParts(wish);
  return `${methods} on ${code(describePlace(wish))}${path}`;
}

function describeExtent(wish: AccessWish): string {
  const { methods, path } = describeParts(wish);
  return `${methods}${path === '' ? ' everywhere' : path}`;
}

function describeParts({ methods, pathPrefix }: AccessWish): { methods: string; path: string } {
  return {
    methods: methods === null ? 'all methods' : methods.join(', '),
    path: pathPrefix === null ? '' : ` under ${code(pathPrefix)}`,
  };
}

/** As people write it: `https://api.example.com`, `example.com:22`, or the service. */
export function describePlace({ host, port, service }: AccessWish): string {
  if (service !== null) return `service ${service}`;
  const name = host !== null && isIP(host) === 6 ? `[${host}]` : (host ?? '');
  if (port === 443) return `https://${name}`;
  if (port === 80) return `http://${name}`;
  return `${name}:${port}`;
}

/** All that an agent may reach today, in a sentence. */
export function describeToday(agentName: string, rules: readonly AccessWish[]): string {
  const places = [...new Set(rules.map(describePlace))];
  if (places.length === 0) return `“${agentName}” may reach nothing outside today.`;
  const named = places.slice(0, MAX_NAMED).map(code).join(', ');
  const more = places.length > MAX_NAMED ? ` and ${places.length - MAX_NAMED} more` : '';
  return `“${agentName}” may reach ${places.length} ${places.length === 1 ? 'place' : 'places'} today: ${named}${more}.`;
}

/** ASCII of a grammar without backquotes. */
function code(text: string): string {
  return `\`${text}\``;
}
