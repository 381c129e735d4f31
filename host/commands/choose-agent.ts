/** Which agents a command means, by the name that was typed. Pure. */
import { showSafely } from '../approvals/show.ts';
import { isAdminOf } from './plan.ts';
import type { Listener, Speaker } from './ports.ts';
import { listNames, quote } from './words.ts';

/** The word for all that listen, unless an agent is called so. */
export const ALL = 'all';

/**
 * `own`: what ends something, for an admin of the agent, and in a private chat for whom it hears. `heard`: what is
 * no more than talking to it, for whom it hears, wherever that is.
 */
export type Reach = 'own' | 'heard';

/** The command that looks for its agents. */
interface Choosing {
  name: string;
  reach: Reach;
}

export type Chosen = { kind: 'chosen'; listeners: Listener[] } | { kind: 'refused' | 'usage'; text: string };

/**
 * Of the agents that listen here, those that are within this person's reach. Without a name it is the one that was talked to here; which of
 * several is asked, not guessed.
 */
export function chooseListeners(
  typed: string,
  { roles, isPrivate }: Pick<Speaker, 'roles' | 'isPrivate'>,
  listeners: readonly Listener[],
  command: Choosing,
): Chosen {
  const { reach } = command;
  const isHeardHere = isPrivate || reach === 'heard';
  const mayReach = (one: Listener) => isAdminOf(roles, one.agent.id) || (isHeardHere && (one.isHeard || one.isKnown));
  const own = listeners.filter(mayReach);
  const name = foldName(typed);
  if (name === '') return chooseUnnamed(own, listeners, command);
  const named = listeners.find(({ agent }) => foldName(agent.name) === name);
  if (named === undefined && name === ALL)
    return own.length > 0 ? { kind: 'chosen', listeners: own } : lacksRight(command);
  if (named === undefined) {
    const names = listNames(own.map(({ agent }) => showSafely(agent.name)));
    const here = names === '' ? 'no agent of yours listens here' : `here listens ${names}`;
    return { kind: 'usage', text: `No agent called ${quote(typed)} listens here; ${here}. Nothing was done.` };
  }
  return mayReach(named) ? { kind: 'chosen', listeners: [named] } : lacksRight(command);
}

function chooseUnnamed(own: readonly Listener[], listeners: readonly Listener[], command: Choosing): Chosen {
  const engaged = own.filter(({ session }) => session !== null);
  const [only, second] = engaged.length > 0 ? engaged : own;
  if (only !== undefined && second === undefined) return { kind: 'chosen', listeners: [only] };
  if (only === undefined) {
    return listeners.length > 0 ? lacksRight(command) : { kind: 'usage', text: 'No agent listens here.' };
  }
  const names = (engaged.length > 0 ? engaged : own).map(({ agent }) => showSafely(agent.name));
  const text = `Several agents listen here: ${listNames(names)}. Say which, as in \`/${command.name} ${names[0] ?? ''}\`, or \`/${command.name} ${ALL}\`.`;
  return { kind: 'usage', text };
}

function lacksRight({ name, reach }: Choosing): Chosen {
  const who = reach === 'own' ? 'Only an admin of the agent' : 'Only whom the agent hears';
  return { kind: 'refused', text: `${who} may use /${name} here.` };
}

/** Names are compared as people type them; they were checked when given, so that no two look alike. */
export function foldName(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase();
}
