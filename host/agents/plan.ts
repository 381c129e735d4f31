/** Whether an agent may make another one, and what that one is. Pure. */
import type { AgentGroupId } from '../../shared/ids.ts';
import type { RequestOf } from '../../shared/requests.ts';
import type { AgentGroup } from '../store/agents.ts';
import type { DestinationRow } from '../store/destinations.ts';
import { MAX_AGENTS, MAX_MADE_PER_DAY } from './limits.ts';
import { checkName, planFolder } from './names.ts';

export interface MakeFacts {
  /** The agent that asks, as the host's own table has it; null when it is gone. */
  asker: AgentGroup | null;
  id: AgentGroupId;
  /** Of all agents that live. */
  names: readonly string[];
  isFolderTaken: (folder: string) => boolean;
  /** By the asker, in the last day. */
  madeToday: number;
  /** The asker's own destinations by the names in the request; absent where it has none of that name. */
  destinations: ReadonlyMap<string, DestinationRow>;
}

export type MakePlan =
  | { kind: 'make'; name: string; folder: string; destinations: DestinationRow[] }
  /** `reason` is for the agent: what was wrong, and what to do instead. */
  | { kind: 'refuse'; reason: string };

/** An agent asks. Only an admin agent may, by the host's own table (I6). */
export function planMake(request: RequestOf<'create_agent'>, facts: MakeFacts): MakePlan {
  const { asker, destinations } = facts;
  if (asker === null || !asker.isAdmin) return refuse('only an admin agent may create agents; ask a person to do it');
  if (facts.madeToday >= MAX_MADE_PER_DAY) {
    return refuse(`an agent may create at most ${MAX_MADE_PER_DAY} agents in a day; go on with the ones there are`);
  }
  const unknown = request.destinations.filter((name) => !destinations.has(name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(', ');
    return refuse(`you have no destination ${names}: the new agent can get only what you have. Nothing was created`);
  }
  const named = planNamed(request.name, facts);
  if (named.kind === 'refuse') return named;
  // One place under two names (a former one) is one destination.
  const given = new Map(
    request.destinations.flatMap((name) => destinations.get(name) ?? []).map((row) => [row.id, row]),
  );
  return { ...named, destinations: [...given.values()] };
}

/** Name and folder of a new agent, whoever asks. */
export function planNamed(
  text: string,
  facts: Pick<MakeFacts, 'id' | 'names' | 'isFolderTaken'>,
): { kind: 'make'; name: string; folder: string } | { kind: 'refuse'; reason: string } {
  if (facts.names.length >= MAX_AGENTS) {
    return refuse(`this host has ${MAX_AGENTS} agents, which is the most; remove one first`);
  }
  const check = checkName(text, facts.names);
  if (check.kind === 'refused') {
    return refuse(check.suggestion === null ? check.reason : `${check.reason}; "${check.suggestion}" is free`);
  }
  return { kind: 'make', name: check.name, folder: planFolder(check.name, facts.id, facts.isFolderTaken) };
}

function refuse(reason: string): { kind: 'refuse'; reason: string } {
  return { kind: 'refuse', reason };
}
