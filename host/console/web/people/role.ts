/** Roles in words, and who may give which. Pure; the host decides each call anew. */
import type { Grant } from '../client/admin-api.ts';
import type { Me, Role } from '../client/types.ts';

export function describeRole({ role, agentId, agentName }: Pick<Role, 'role' | 'agentId' | 'agentName'>): string {
  if (agentId === null) return role === 'owner' ? 'owner' : `${role} of everything`;
  return `${role} of ${agentName ?? agentId}`;
}

/** Owners give all; global admins what is of one agent; an agent's admins make members of it. */
export function mayGive(me: Me | null, { role, agentId }: Grant): boolean {
  const holds = (held: Me['roles'][number]['role'], of: string | null) =>
    me?.roles.some((own) => own.role === held && own.agentId === of) ?? false;
  if (holds('owner', null)) return true;
  if (role === 'owner' || agentId === null) return false;
  return holds('admin', null) || (role === 'member' && holds('admin', agentId));
}

export function isOwner(me: Me | null): boolean {
  return me?.roles.some(({ role }) => role === 'owner') ?? false;
}

export interface RoleChoice {
  /** Unlike that of any other. */
  value: string;
  label: string;
  grant: Grant;
}

/** What this person may give, agents by name. */
export function listChoices(me: Me | null, agents: readonly { id: string; name: string }[]): RoleChoice[] {
  const global: Grant[] = [
    { role: 'owner', agentId: null },
    { role: 'admin', agentId: null },
  ];
  const scoped = agents.flatMap(({ id }): Grant[] => [
    { role: 'member', agentId: id },
    { role: 'admin', agentId: id },
  ]);
  return [...scoped, ...global]
    .filter((grant) => mayGive(me, grant))
    .map((grant) => {
      const agentName = agents.find(({ id }) => id === grant.agentId)?.name ?? null;
      return { value: `${grant.role} ${grant.agentId ?? 'all'}`, label: describeRole({ ...grant, agentName }), grant };
    });
}
