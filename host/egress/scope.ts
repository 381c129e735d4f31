/** What one session's requests share, and what of the host's tables decides about them. */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import { modelServiceOf } from '../../shared/providers.ts';
import { errorCode } from '../config/errors.ts';
import type { AccessRuleStore } from '../store/access-rules.ts';
import type { AgentStore } from '../store/agents.ts';
import { classifyAddress, mayConnect } from './addresses.ts';
import type { Credentials } from './credentials.ts';
import type { EgressLog } from './egress-log.ts';
import type { GatewayLimits } from './limits.ts';
import type { ModelDoor } from './model/door.ts';
import { type Passage, planRequest } from './plan.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Resolve } from './resolve.ts';
import type { Services } from './services.ts';
import type { Head } from './target.ts';
import type { Upstreams } from './upstreams.ts';

export interface Who {
  sessionId: SessionId;
  agentGroupId: AgentGroupId;
}

export interface GatewayParts {
  rules: Pick<AccessRuleStore, 'listFor'>;
  services: Pick<Services, 'get'>;
  credentials: Pick<Credentials, 'credentialFor'>;
  model: ModelDoor;
  log: Pick<EgressLog, 'add'>;
  agents: Pick<AgentStore, 'get'>;
  resolve: Resolve;
  /** Epoch ms. */
  now: () => number;
  limits?: Partial<GatewayLimits>;
  /** Certificates that are believed beside those of the system: PEM. */
  ca?: string;
}

/** As the log says it: the session ended, or a part of ours broke. */
export type CutReason = 'session_closed' | 'gateway_failed';

/** Something on its way, which may have to be cut off. */
export interface Passing {
  /** Judges it again; cuts it off when nothing allows it any more. */
  recheck(): void;
  cut(why: CutReason): void;
}

export interface Scope {
  who: Who;
  parts: GatewayParts;
  limits: GatewayLimits;
  upstreams: Upstreams;
  passing: Set<Passing>;
  /** On behalf of the session's agent. */
  resolve: (host: string) => Promise<string[]>;
  /** Addresses of this machine: what listens there was not meant for containers, however public it looks. */
  own: () => ReadonlySet<string>;
}

/** By the tables as they are now. */
export function judge({ who, parts }: Scope, head: Head): Passage | Refusal {
  const agent = parts.agents.get(who.agentGroupId);
  if (agent === null) return refuse('not_allowed', 'This agent was removed.');
  const { target } = head;
  const isNamed = target.kind === 'service' || target.kind === 'model';
  return planRequest(head, {
    rules: parts.rules.listFor(who.agentGroupId),
    service: isNamed ? parts.services.get(target.name) : null,
    modelService: modelServiceOf(agent.config),
  });
}

/** The addresses that a passage leads to, asked for once: whether each may be connected to says `checkAddresses`. */
export async function lookUp(scope: Scope, passage: Passage): Promise<string[] | Refusal> {
  const { host } = passage.upstream;
  let addresses: string[];
  try {
    addresses = host.kind === 'address' ? [host.text] : await scope.resolve(host.text);
  } catch (error) {
    if (errorCode(error) !== 'resolver_failed') throw error;
    return refuse('no_address', `The name ${host.text} could not be looked up.`, 'try again later');
  }
  if (addresses.length > 0) return addresses;
  return refuse('no_address', `There is no host named ${host.text}.`, 'look at the name');
}

/** Null: each of them may be connected to. */
export function checkAddresses(scope: Scope, passage: Passage, addresses: readonly string[]): Refusal | null {
  const { host } = passage.upstream;
  const own = scope.own();
  const bad = addresses.find((address) => !mayConnect(address, passage.allowPrivate, own));
  if (bad === undefined) {
    const open = addresses.find((address) => isInTheOpen(passage, address, own));
    if (open === undefined) return null;
    return refuse(
      'not_allowed',
      `${host.text} leads to ${open}, outside: without TLS everybody on the way would read the secret.`,
      'an owner adds the service with https://',
    );
  }
  if (classifyAddress(bad, own) === 'never') {
    return refuse('private_address', `${host.text} leads to ${bad}, an address that nobody may reach.`);
  }
  return refuse(
    'private_address',
    `${host.text} leads to ${bad}, on this machine or network.`,
    'an owner alone can allow that: portolan access allow … --private',
  );
}

/** Whether what was connected to is still covered. */
export function covers({ own }: Scope, passage: Passage, address: string): boolean {
  return mayConnect(address, passage.allowPrivate, own()) && !isInTheOpen(passage, address, own());
}

/** A name that an owner took for one of this network may lead outside later: no credential goes there unencrypted. */
function isInTheOpen({ service, upstream }: Passage, address: string, own: ReadonlySet<string>): boolean {
  if (upstream.scheme !== 'http' || service === null || service.header === '') return false;
  return classifyAddress(address, own) === 'public';
}
