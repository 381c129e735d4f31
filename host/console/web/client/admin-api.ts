/** What admins see and do over the host's API: approvals, agents, people, the ledger. Throws ApiFault, HostAwayFault. */
import { accept, answer, api, MANY, onTopOf } from './call.ts';
import type {
  AgentConfig,
  AgentConfigChange,
  AgentConfigDiff,
  AgentMount,
  Approval,
  Build,
  LedgerCheck,
  LedgerEntry,
  Page,
  Person,
  Role,
  Session,
  SignInLink,
  Why,
} from './types.ts';

const from = (cursor: string | null) => (cursor === null ? {} : { cursor });

/** Newest first; of one state, or all of them by pages. */
export function fetchApprovals(state: Approval['state']): Promise<Page<Approval>> {
  return answer(api.approvals.$get({ query: { state, ...MANY } }));
}

export function fetchAllApprovals(cursor: string | null): Promise<Page<Approval>> {
  return answer(api.approvals.$get({ query: from(cursor) }));
}

export interface Decision {
  /** The text of an option. */
  choice: string;
  note: string | null;
}

/** Throws ApiFault 403, 409, 410 when it is not, or no more, this person's to decide. */
export function decideApproval(id: string, { choice, note }: Decision): Promise<Approval> {
  const json = note === null ? { choice } : { choice, note };
  return answer(api.approvals[':id'].decide.$post({ param: { id }, json }));
}

export function fetchRunningSessions(): Promise<Page<Session>> {
  return answer(api.sessions.$get({ query: { state: 'running', ...MANY } }));
}

export function fetchConfig(agentId: string): Promise<AgentConfig> {
  return answer(api.agents[':id'].config.$get({ param: { id: agentId } }));
}

/** Newest first. */
export function fetchConfigHistory(agentId: string, cursor: string | null): Promise<Page<AgentConfigChange>> {
  return answer(api.agents[':id'].config.history.$get({ param: { id: agentId }, query: from(cursor) }));
}

/** What going from one revision to another changes. */
export function fetchConfigDiff(agentId: string, revisions: { from: number; to: number }): Promise<AgentConfigDiff> {
  const query = { from: String(revisions.from), to: String(revisions.to) };
  return answer(api.agents[':id'].config.diff.$get({ param: { id: agentId }, query }));
}

/** Answers when the image is built, which can take minutes. Throws ApiFault 409, 412. */
export function rollBackConfig(config: AgentConfig, revision: number): Promise<AgentConfig> {
  const given = { param: { id: config.agentId }, header: onTopOf(config), json: { revision } };
  return answer(api.agents[':id'].config.rollback.$post(given));
}

export function fetchMounts(agentId: string): Promise<{ items: AgentMount[] }> {
  return answer(api.agents[':id'].mounts.$get({ param: { id: agentId } }));
}

/** Newest first. */
export function fetchBuilds(agentId: string, cursor: string | null): Promise<Page<Build>> {
  return answer(api.agents[':id'].builds.$get({ param: { id: agentId }, query: from(cursor) }));
}

export async function retryBuild(agentId: string): Promise<void> {
  await accept(api.agents[':id'].builds.$post({ param: { id: agentId } }));
}

/** `q`: in a name or an id. */
export function fetchPeople(q: string, cursor: string | null): Promise<Page<Person>> {
  return answer(api.people.$get({ query: { ...from(cursor), ...(q === '' ? {} : { q }) } }));
}

/** What somebody is given: of one agent, or of everything. */
export type Grant = Pick<Role, 'role' | 'agentId'>;

export function grantRole(person: Person, grant: Grant): Promise<Person> {
  const param = roleParam(person.id, grant);
  return answer(api.people[':id'].roles[':role'][':of'].$put({ param, header: onTopOf(person), json: {} }));
}

/** Of somebody whom the host does not know yet. */
export function introduce(userId: string, name: string, grant: Grant): Promise<Person> {
  const param = roleParam(userId, grant);
  return answer(api.people[':id'].roles[':role'][':of'].$put({ param, header: {}, json: { name } }));
}

export function revokeRole(person: Person, grant: Grant): Promise<Person> {
  const param = roleParam(person.id, grant);
  return answer(api.people[':id'].roles[':role'][':of'].$delete({ param, header: onTopOf(person) }));
}

function roleParam(id: string, { role, agentId }: Grant) {
  return { id, role, of: agentId ?? 'all' };
}

/** Signs that person in, once. */
export function createSignInLink(userId: string): Promise<SignInLink> {
  return answer(api.people[':id']['sign-in-links'].$post({ param: { id: userId }, json: {} }));
}

export interface LedgerFilter {
  /** A kind, or the beginning of several with its dot. */
  kind: string;
  agent: string;
  /** Whose doing it was. */
  actor: string;
  subject: string;
  q: string;
}

/** Newest first; a page may be short, or empty, and go on. */
export function fetchLedger(filter: LedgerFilter, cursor: string | null): Promise<Page<LedgerEntry>> {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  return answer(api.ledger.$get({ query: { ...given, ...from(cursor) } }));
}

export function fetchLedgerHead(): Promise<{ position: number; hash: string; at: number | null }> {
  return answer(api.ledger.head.$get());
}

/** What allowed or refused a message. */
export function fetchWhy(messageId: string): Promise<Why> {
  return answer(api.messages[':id'].why.$get({ param: { id: messageId } }));
}

/** How much of the chain was checked; `brokenAt`: the first entry that does not hold. */
export interface ChainCheck {
  entries: number;
  brokenAt: number | null;
}

/** The whole chain, from the first entry, part by part. */
export async function verifyLedger(): Promise<ChainCheck> {
  let entries = 0;
  for (let after: string | null = null; ; ) {
    const part: LedgerCheck = await answer(api.ledger.verify.$get({ query: after === null ? {} : { after } }));
    entries += part.entries;
    if (part.brokenAt !== null || part.next === null) return { entries, brokenAt: part.brokenAt };
    after = part.next;
  }
}
