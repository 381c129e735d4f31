/** Commands about people: what was typed goes to `host/people`, which knows the rules; its answer comes back. */

import type { PeopleReply } from '../../people/speaker.ts';
import { foldName } from '../choose-agent.ts';
import type { Call, CommandParts, Reply } from '../ports.ts';
import { findAgent } from './agents.ts';

export const whoAmI = ({ speaker }: Call, { people }: CommandParts): Reply => toReply(people.whoAmI(speaker));
export const grant = passOn('grant');
export const revoke = passOn('revoke');
export const link = passOn('link');
export const unlink = passOn('unlink');
export const claim = passOn('claim');

/** Without a name: of the one agent that listens here, else of all that this person administers. */
export function members(call: Call, parts: CommandParts): Reply {
  const { speaker, listeners } = call;
  if (foldName(call.rest) !== '') {
    const found = findAgent(call, parts);
    return found.kind === 'found' ? toReply(parts.people.listMembers(speaker, found.agent)) : found;
  }
  const [only, second] = listeners;
  const agent = only !== undefined && second === undefined ? only.agent : null;
  return toReply(parts.people.listMembers(speaker, agent));
}

function passOn(name: 'grant' | 'revoke' | 'link' | 'unlink' | 'claim') {
  return ({ rest, speaker }: Call, { people }: CommandParts): Reply => toReply(people[name](speaker, rest));
}

function toReply({ text, isRefused }: PeopleReply): Reply {
  return { kind: isRefused ? 'refused' : 'said', text };
}
