/** People and what they may do, in words for chats; and whom somebody means. Pure but for what is handed in. */
import { type AgentGroupId, parseUserId, type UserId } from '../../shared/ids.ts';
import type { Grant } from '../access/people.ts';
import { quoteExactly, showSafely } from '../approvals/show.ts';
import type { Identity, Person } from '../store/persons.ts';

/** People named when several fit. */
const MAX_NAMED = 5;

export type AgentNames = (id: AgentGroupId) => string | null;

/** `“Anna” (`telegram:5`)` */
export function showIdentity({ userId, displayName }: Pick<Identity, 'userId' | 'displayName'>): string {
  const name = showSafely(displayName);
  return name === '' ? showUserId(userId) : `“${name}” (${showUserId(userId)})`;
}

/** All identities. */
export function showPerson({
  identities,
}: {
  identities: readonly Pick<Identity, 'userId' | 'displayName'>[];
}): string {
  return identities.map(showIdentity).join(', also ');
}

/** As people type it; a platform may let its users choose theirs. */
function showUserId(id: string): string {
  return isPlainId(id) ? `\`${id}\`` : quoteExactly(id);
}

/** Typed as it stands. */
export function isPlainId(id: string): boolean {
  return /^[A-Za-z0-9:._+@=-]{1,80}$/.test(id);
}

/** `admin of main` */
export function showGrant({ role, agentGroupId }: Pick<Grant, 'role' | 'agentGroupId'>, nameOf: AgentNames): string {
  if (role === 'owner') return 'owner';
  if (agentGroupId === null) return 'admin of everything';
  const agent = nameOf(agentGroupId as AgentGroupId);
  return `${role} of ${agent === null ? 'an agent that was removed' : showSafely(agent)}`;
}

/** `owner, member of main`; each once. */
export function showGrants(grants: readonly Pick<Grant, 'role' | 'agentGroupId'>[], nameOf: AgentNames): string {
  const words = [...new Set(grants.map((grant) => showGrant(grant, nameOf)))];
  return words.length === 0 ? 'no role' : words.join(', ');
}

export type Meant =
  /** `isByName`: by what they call themselves, which they may change. */
  | { kind: 'found'; person: Person; userId: UserId; isByName: boolean }
  | { kind: 'none' }
  | { kind: 'ambiguous'; people: Person[] }
  /** Of that name, but of no role: names are chosen by who bears them, so these are named by id. */
  | { kind: 'stranger'; people: Person[] };

export interface Directory {
  get: (id: UserId) => Person | null;
  findNamed: (name: string, limit: number, knownOnly: boolean) => Person[];
}

/**
 * Whom a text names, said by `speaker` on this channel: `me`, an id (`telegram:5`), a mention of the platform
 * (`<@5>`), or the name of somebody with a role, with or without "@" and quotation marks.
 */
export function findMeant(text: string, speaker: { id: UserId; channelType: string }, directory: Directory): Meant {
  const words = text
    .trim()
    .replace(/^["“”„'‘’]+|["“”'‘’]+$/gu, '')
    .trim();
  if (/^me$/i.test(words)) return byId(speaker.id, directory);
  const mention = /^<@!?([^\s<>|]{1,100})(?:\|[^<>]*)?>$/.exec(words)?.[1];
  const id = parseUserId(mention === undefined ? words : `${speaker.channelType}:${mention}`);
  if (id !== null) return byId(id, directory);
  const name = words.replace(/^@/, '').trim();
  return name === '' || name.length > 200 ? { kind: 'none' } : byName(name, directory);
}

function byId(id: UserId, { get }: Directory): Meant {
  const person = get(id);
  return person === null ? { kind: 'none' } : { kind: 'found', person, userId: id, isByName: false };
}

function byName(name: string, { findNamed }: Directory): Meant {
  const known = findNamed(name, MAX_NAMED + 1, true);
  const [person, ...others] = known;
  if (person === undefined) {
    const people = findNamed(name, MAX_NAMED + 1, false);
    return people.length === 0 ? { kind: 'none' } : { kind: 'stranger', people };
  }
  if (others.length > 0) return { kind: 'ambiguous', people: known };
  const called = person.identities.find(({ displayName }) => displayName.toLowerCase() === name.toLowerCase());
  return { kind: 'found', person, userId: (called ?? person.identities[0]).userId, isByName: true };
}

/** One line each, and that there are more. */
export function listPeople(people: readonly Person[], nameOf: AgentNames): string {
  const lines = people
    .slice(0, MAX_NAMED)
    .map((person) => `· ${showPerson(person)}: ${showGrants(person.grants, nameOf)}`);
  return people.length > MAX_NAMED ? [...lines, '· … and more'].join('\n') : lines.join('\n');
}
