/**
 * Who may give what to whom, take them away, and which identities may be joined. Pure.
 *
 *   owner                gives and takes everything
 *   admin of everything  admins of one agent, and members
 *   admin of one agent   members of that agent
 *
 * I1. Nobody gives what is not theirs to give, and none but owners give anything to themselves: what is given
 *     would outlive the role that it came from.
 * I2. Somebody is owner, always: the last one is not revoked.
 * I3. Everybody may lay down what is their own.
 * I4. Nobody but an owner makes two people of one who both decide: what takes several people counts them.
 */

/** What a person is given. `owner` is global; a member is one of an agent. */
export type Grant =
  | { role: 'owner'; agentGroupId: null }
  /** Null: of every agent. */
  | { role: 'admin'; agentGroupId: string | null }
  | { role: 'member'; agentGroupId: string };

export interface Holder {
  /** Of the person: linked identities have one. */
  personId: string;
  /** Of all their identities together. */
  grants: readonly Grant[];
}

export interface Actor extends Holder {
  /** Whoever can open the host's socket owns the machine. */
  isMachine: boolean;
}

export type PeopleRefusal =
  | 'not_yours_to_give'
  | 'yourself'
  | 'last_owner'
  | 'both_linked'
  | 'too_many_identities'
  | 'two_voices';

export type ChangePlan = { kind: 'change' } | { kind: 'already' } | { kind: 'refuse'; reason: PeopleRefusal };

export function planGrant(actor: Actor, target: Holder, grant: Grant): ChangePlan {
  if (!mayGive(actor, grant)) return refuse('not_yours_to_give');
  // I1
  if (actor.personId === target.personId && !isOwner(actor)) return refuse('yourself');
  return holds(target, grant) ? { kind: 'already' } : { kind: 'change' };
}

/** `otherOwners`: how many people beside the target are owners. */
export function planRevoke(actor: Actor, target: Holder, grant: Grant, otherOwners: number): ChangePlan {
  const isOwn = actor.personId === target.personId;
  // I3; nobody learns what others are who may not change it.
  if (!isOwn && !mayGive(actor, grant)) return refuse('not_yours_to_give');
  if (!holds(target, grant)) return { kind: 'already' };
  // I2
  if (grant.role === 'owner' && otherOwners === 0) return refuse('last_owner');
  return { kind: 'change' };
}

/** Identities of one person. Higher: a mistaken link pulls in more. Lower: somebody has more channels than that. */
export const MAX_IDENTITIES = 10;

/**
 * Whether two people are one. One side must be a single identity: what hangs on it beside the one that proved
 * itself was proven by nobody.
 */
export function planJoin(
  a: { personId: string; identities: number },
  b: { personId: string; identities: number },
): ChangePlan {
  if (a.personId === b.personId) return { kind: 'already' };
  if (a.identities > 1 && b.identities > 1) return refuse('both_linked');
  if (a.identities + b.identities > MAX_IDENTITIES) return refuse('too_many_identities');
  return { kind: 'change' };
}

/** Whether an identity leaves its person; `leaving` and `staying` are what was given to it, and to the others. */
export function planPart(
  actor: Actor,
  isOwn: boolean,
  leaving: readonly Grant[],
  staying: readonly Grant[],
): ChangePlan {
  if (isOwner(actor)) return { kind: 'change' };
  if (!isOwn) return refuse('not_yours_to_give');
  // I4
  const decides = (grants: readonly Grant[]) => grants.some(({ role }) => role !== 'member');
  return decides(leaving) && decides(staying) ? refuse('two_voices') : { kind: 'change' };
}

export function mayGive(actor: Actor, grant: Grant): boolean {
  if (isOwner(actor)) return true;
  if (grant.role === 'owner' || grant.agentGroupId === null) return false;
  if (actor.grants.some((own) => own.role === 'admin' && own.agentGroupId === null)) return true;
  return (
    grant.role === 'member' &&
    actor.grants.some((own) => own.role === 'admin' && own.agentGroupId === grant.agentGroupId)
  );
}

export function holds({ grants }: Holder, grant: Grant): boolean {
  return grants.some((own) => own.role === grant.role && own.agentGroupId === grant.agentGroupId);
}

function isOwner(actor: Actor): boolean {
  return actor.isMachine || actor.grants.some((own) => own.role === 'owner');
}

function refuse(reason: PeopleRefusal): ChangePlan {
  return { kind: 'refuse', reason };
}
