/**
 * Who may do what over the HTTP API: one right per route, and what each person sees. Pure.
 *
 * I1. A route without an entry in RIGHTS is refused, whoever asks (I11 of the architecture).
 * I2. What somebody may not see does not exist for them: `hidden` is answered like an address of nothing.
 * I3. All of it is decided from the roles of that moment (I5 of the architecture).
 */
import { assertNever } from '../config/errors.ts';
import type { Role } from './answer.ts';

/**
 * What a route asks for. Those with `of` are about the one resource that its path names; with the others the
 * handler limits what it lists or changes to what the person sees (`Scope`, `sees`, `administers`).
 */
export type Right =
  /** Nobody is signed in yet. */
  | 'stranger'
  /** Whoever is signed in, about what is theirs. */
  | 'self'
  /** A member of some agent, or more. */
  | 'member'
  /** An admin of some agent, or more. */
  | 'admin'
  /** Sees the resource: admins of its agent, members what is theirs. */
  | 'reader-of'
  /** Admin of every agent that the resource is of. */
  | 'admin-of'
  /** Global admins and owners. */
  | 'global-admin'
  | 'owner'
  /** The Unix socket or the bearer token: no page, whoever signed in to it. */
  | 'machine';

/** Method and path as the API’s `…-routes.ts` have them. A new route needs its line here. */
export const RIGHTS: Readonly<Record<string, Right>> = {
  'GET /openapi.json': 'stranger',
  'POST /login': 'stranger',
  'GET /me': 'self',
  'POST /logout': 'self',
  'POST /sign-in-links': 'machine',
  'GET /me/sign-ins': 'self',
  'DELETE /me/sign-ins': 'self',
  'POST /people/{id}/sign-in-links': 'owner',
  'GET /people': 'admin',
  'GET /people/{id}': 'reader-of',
  'PUT /people/{id}/roles/{role}/{of}': 'admin',
  'DELETE /people/{id}/roles/{role}/{of}': 'admin',
  'PUT /people/{id}/links/{other}': 'owner',
  'DELETE /people/{id}/links/{other}': 'owner',
  'GET /people/{id}/sign-ins': 'owner',
  'DELETE /people/{id}/sign-ins': 'owner',
  'GET /status': 'global-admin',
  'POST /shutdown': 'machine',
  'GET /events': 'self',
  'GET /dropped': 'admin',
  'GET /refusals': 'admin',
  'GET /ledger': 'global-admin',
  'GET /ledger/head': 'global-admin',
  'GET /ledger/verify': 'global-admin',

  'GET /agents': 'self',
  'POST /agents': 'global-admin',
  'GET /agents/{id}': 'reader-of',
  'PATCH /agents/{id}': 'admin-of',
  'DELETE /agents/{id}': 'global-admin',
  'POST /agents/{id}/restore': 'global-admin',
  'GET /agents/{id}/config': 'admin-of',
  'PATCH /agents/{id}/config': 'admin-of',
  'GET /agents/{id}/config/history': 'admin-of',
  'GET /agents/{id}/config/history/{revision}': 'admin-of',
  'GET /agents/{id}/config/diff': 'admin-of',
  'POST /agents/{id}/config/rollback': 'admin-of',
  'GET /providers': 'admin',
  'GET /agents/{id}/provider': 'admin-of',
  'PUT /agents/{id}/provider': 'admin-of',
  'GET /agents/{id}/models': 'admin-of',
  'POST /agents/{id}/provider/test': 'admin-of',
  'GET /mounts/allowed': 'global-admin',
  'GET /agents/{id}/mounts': 'admin-of',
  'POST /agents/{id}/mounts': 'global-admin',
  'DELETE /agents/{id}/mounts/{name}': 'global-admin',
  'GET /secrets': 'owner',
  'PUT /secrets/{name}': 'owner',
  'DELETE /secrets/{name}': 'owner',
  'GET /services': 'admin',
  'POST /services': 'owner',
  'DELETE /services/{name}': 'owner',
  'PUT /services/{name}/secrets/{of}': 'owner',
  'DELETE /services/{name}/secrets/{of}': 'owner',
  'GET /vault': 'owner',
  'POST /vault/unlock': 'owner',
  'POST /vault/lock': 'owner',
  'PUT /vault/passphrase': 'machine',
  'DELETE /vault/passphrase': 'machine',
  'POST /vault/rotate-key': 'machine',
  'GET /agents/{id}/access': 'admin-of',
  'POST /agents/{id}/access': 'admin-of',
  'DELETE /agents/{id}/access/{rule}': 'admin-of',
  'GET /egress': 'admin',
  'GET /agents/{id}/builds': 'admin-of',
  'POST /agents/{id}/builds': 'admin-of',
  'GET /builds/{id}': 'admin-of',
  'GET /builds/{id}/log': 'admin-of',
  'GET /agents/{id}/destinations': 'admin-of',
  'POST /agents/{id}/destinations': 'admin-of',
  'GET /destinations/{id}': 'admin-of',
  'PATCH /destinations/{id}': 'admin-of',
  'DELETE /destinations/{id}': 'admin-of',

  'GET /chats': 'self',
  'GET /chats/{id}': 'reader-of',
  'PATCH /chats/{id}': 'admin-of',
  'GET /wirings': 'admin',
  'POST /wirings': 'admin',
  'GET /wirings/{id}': 'admin-of',
  'PATCH /wirings/{id}': 'admin-of',
  'DELETE /wirings/{id}': 'admin-of',

  'GET /sessions': 'self',
  'POST /sessions': 'member',
  'GET /sessions/{id}': 'reader-of',
  'PATCH /sessions/{id}': 'reader-of',
  'POST /sessions/{id}/stop': 'admin-of',
  'POST /sessions/{id}/release': 'admin-of',
  'PUT /sessions/{id}/read': 'reader-of',
  'GET /sessions/{id}/messages': 'reader-of',
  'POST /sessions/{id}/messages': 'reader-of',

  'GET /messages/{id}': 'reader-of',
  'GET /messages/{id}/trace': 'reader-of',
  'GET /messages/{id}/files/{name}': 'reader-of',
  'GET /messages/{id}/why': 'admin-of',
  'POST /messages/{id}/answer': 'reader-of',
  'POST /messages/{id}/resend': 'admin-of',
  'POST /messages/{id}/drop': 'admin-of',

  'GET /tasks': 'self',
  'GET /tasks/{id}': 'reader-of',
  'POST /tasks/{id}/pause': 'admin-of',
  'POST /tasks/{id}/resume': 'admin-of',
  'POST /tasks/{id}/cancel': 'admin-of',

  'GET /usage': 'admin',
  'GET /budgets': 'admin',
  'PUT /budgets': 'global-admin',
  'DELETE /budgets': 'global-admin',
  'GET /prices': 'admin',
  'PUT /prices': 'global-admin',
  'DELETE /prices': 'global-admin',

  'GET /approvals': 'admin',
  'GET /approvals/{id}': 'admin-of',
  'POST /approvals/{id}/decide': 'admin-of',
  'GET /approval-policies': 'admin',
  'PATCH /approval-policies/{action}': 'owner',
};

/** The right of a route, null when none was given to it. */
export function findRight(method: string, path: string): Right | null {
  return Object.hasOwn(RIGHTS, `${method} ${path}`) ? (RIGHTS[`${method} ${path}`] ?? null) : null;
}

/** What somebody is at this moment. */
export interface Standing {
  /** Every identity of this person. */
  ids: ReadonlySet<string>;
  /** At the Unix socket, or with the bearer token. */
  isMachine: boolean;
  isOwner: boolean;
  /** Owners too: they see everything. */
  isGlobalAdmin: boolean;
  /** Agents whose admin they are, by a role of that agent. */
  adminOf: ReadonlySet<string>;
  /** Those of `adminOf` too. */
  memberOf: ReadonlySet<string>;
}

export interface PersonFacts {
  ids: readonly string[];
  roles: readonly Role[];
  /** Agents of which they are members. */
  memberships: readonly string[];
}

export function toStanding({ ids, roles, memberships }: PersonFacts, isMachine: boolean): Standing {
  const isOwner = isMachine || roles.some(({ role }) => role === 'owner');
  const adminOf = roles.flatMap(({ role, agentGroupId }) =>
    role === 'admin' && agentGroupId !== null ? [agentGroupId] : [],
  );
  return {
    ids: new Set(ids),
    isMachine,
    isOwner,
    isGlobalAdmin: isOwner || roles.some(({ role, agentGroupId }) => role === 'admin' && agentGroupId === null),
    adminOf: new Set(adminOf),
    memberOf: new Set([...adminOf, ...memberships]),
  };
}

/** Where something is shown: under an agent, and in a chat that somebody opened, if it is one of this host's page. */
export interface Place {
  agentGroupId: string;
  openedBy: string | null;
  /** Not the admins of the agent: who opened the chat alone. */
  isOpenersAlone?: boolean;
}

/** What decides who sees a resource, and who changes it. */
export interface Subject {
  /** The admins of each of these agents see it; so does who opened the chat, while a member of the agent. */
  seenIn: readonly Place[];
  /** Every member of its agents sees it: the agent itself. */
  isForMembers?: boolean;
  /** They see this too, or they do not see it. */
  andSees?: Subject;
  /** Who changes it administers all of these; none: global admins and owners alone. */
  changedBy: readonly string[];
}

export function sees(standing: Standing, subject: Subject): boolean {
  const { adminOf, memberOf, ids } = standing;
  if (standing.isGlobalAdmin) return true;
  const isSeen = subject.seenIn.some(
    ({ agentGroupId, openedBy, isOpenersAlone }) =>
      (isOpenersAlone !== true && adminOf.has(agentGroupId)) ||
      (memberOf.has(agentGroupId) && (subject.isForMembers === true || (openedBy !== null && ids.has(openedBy)))),
  );
  return isSeen && (subject.andSees === undefined || sees(standing, subject.andSees));
}

/**
 * The card of an approval stands in some admin's chat, where admins of the chat's agent read too. It is seen by who
 * may decide it, and by whose chat it is. `agentGroupId` is the approval's.
 */
export function toCardSubject(message: Subject, agentGroupId: string | null): Subject {
  const openers = message.seenIn.map((place) => ({ ...place, isOpenersAlone: true }));
  const deciders = agentGroupId === null ? [] : [{ agentGroupId, openedBy: null }];
  return { ...message, andSees: { seenIn: [...openers, ...deciders], changedBy: [] } };
}

/** A command, and what the host answered to it: seen by who typed it, and by whose chat it is. */
export function toCommandSubject(message: Subject, typedBy: string): Subject {
  const alone = message.seenIn.flatMap((place) => [
    { ...place, isOpenersAlone: true },
    { ...place, openedBy: typedBy, isOpenersAlone: true },
  ]);
  return { ...message, andSees: { seenIn: alone, changedBy: [] } };
}

/** What limits somebody who reads a conversation. */
export interface Sight {
  /** Cards of approvals about these agents. */
  cardsAbout: readonly string[];
  /** Commands that these identities typed, with the answers. */
  commandsOf: readonly string[];
}

/** What somebody sees in a chat; null: everything. `openedBy` is the chat's. */
export function limitSight({ isGlobalAdmin, ids, adminOf }: Standing, openedBy: string | null): Sight | null {
  if (isGlobalAdmin || (openedBy !== null && ids.has(openedBy))) return null;
  return { cardsAbout: [...adminOf], commandsOf: [...ids] };
}

export function administers({ isGlobalAdmin, adminOf }: Standing, { changedBy }: Pick<Subject, 'changedBy'>): boolean {
  return isGlobalAdmin || (changedBy.length > 0 && changedBy.every((id) => adminOf.has(id)));
}

export type Judgement = 'allowed' | 'forbidden' | 'hidden';

/** `findSubject` is asked for rights about one resource alone; null: there is no such thing. */
export function judge(right: Right | null, standing: Standing, findSubject: () => Subject | null): Judgement {
  switch (right) {
    // I1
    case null:
      return 'forbidden';
    case 'stranger':
    case 'self':
      return 'allowed';
    case 'member':
      return allowIf(standing.isGlobalAdmin || standing.memberOf.size > 0);
    case 'admin':
      return allowIf(standing.isGlobalAdmin || standing.adminOf.size > 0);
    case 'global-admin':
      return allowIf(standing.isGlobalAdmin);
    case 'owner':
      return allowIf(standing.isOwner);
    case 'machine':
      return allowIf(standing.isMachine);
    case 'reader-of':
    case 'admin-of': {
      if (standing.isGlobalAdmin) return 'allowed';
      const subject = findSubject();
      // I2
      if (subject === null || !sees(standing, subject)) return 'hidden';
      return allowIf(right === 'reader-of' || administers(standing, subject));
    }
    default:
      return assertNever(right);
  }
}

function allowIf(isAllowed: boolean): Judgement {
  return isAllowed ? 'allowed' : 'forbidden';
}

/** What limits a list to what somebody sees; null: they see everything. */
export interface Scope {
  ids: readonly string[];
  adminOf: readonly string[];
  memberOf: readonly string[];
}

export function toScope({ isGlobalAdmin, ids, adminOf, memberOf }: Standing): Scope | null {
  return isGlobalAdmin ? null : { ids: [...ids], adminOf: [...adminOf], memberOf: [...memberOf] };
}
