/** Every command there is: what it is called, what follows it, who may, where, what it says of itself, what it does. */
import type { Rule } from './plan.ts';
import type { Call, CommandParts, Reply } from './ports.ts';
import { listAgents, showConfig } from './run/agents.ts';
import { approve, listApprovals, reject } from './run/approvals.ts';
import { cost } from './run/cost.ts';
import * as people from './run/people.ts';
import { status } from './run/status.ts';
import { stop } from './run/stop.ts';
import { clear, compact } from './run/to-runner.ts';

interface Entry extends Rule {
  /** What follows the name, as the help shows it; '' for nothing. */
  usage: string;
  /** One line. */
  help: string;
  /** What was typed after it is not kept: codes, and reasons that go with them. */
  hidesRest: boolean;
}

export type Command = Entry &
  (
    | { does: 'help' }
    /** Changes rows of the central database alone: done in one commit with its answer. */
    | { does: 'commit'; run: (call: Call, parts: CommandParts) => Reply }
    /** Safe to repeat: after a crash between what it does and its answer it is done again. */
    | { does: 'work'; run: (call: Call, parts: CommandParts) => Reply | Promise<Reply> }
  );

const OPEN = { where: 'anywhere', isProof: false, hidesRest: false } as const;
const ALONE = { ...OPEN, where: 'private' } as const;
/** Looked at wherever it is typed, so that a code which others saw is spent. */
const PROOF = { where: 'anywhere', isProof: true, hidesRest: true } as const;

export const COMMANDS: readonly Command[] = [
  {
    ...{ ...OPEN, name: 'help', usage: '[command]', who: 'anyone', does: 'help' },
    help: 'this list, or more about one',
  },
  {
    ...{ ...OPEN, name: 'whoami', usage: '', who: 'anyone', does: 'work', run: people.whoAmI },
    help: 'who you are to me, and what you may',
  },
  {
    ...{ ...OPEN, name: 'status', usage: '', who: 'known', does: 'work', run: status },
    help: 'who listens here, what they do, and what waits',
  },
  {
    ...{ ...OPEN, name: 'stop', usage: '[agent, or all]', who: 'chat', does: 'work', run: stop },
    help: 'end what the agent does here now',
  },
  {
    ...{ ...OPEN, name: 'clear', usage: '[agent, or all]', who: 'chat', does: 'work', run: clear },
    help: 'have the agent forget this conversation',
  },
  {
    ...{ ...OPEN, name: 'compact', usage: '[agent, or all]', who: 'heard', does: 'work', run: compact },
    help: 'have the agent go on from a summary of this conversation',
  },
  {
    ...{ ...OPEN, name: 'cost', usage: '', who: 'heard', does: 'work', run: cost },
    help: 'what models cost in this conversation',
  },
  {
    ...{ ...ALONE, name: 'agents', usage: '', who: 'known', does: 'work', run: listAgents },
    help: 'the agents that you may see',
  },
  {
    ...{ ...ALONE, name: 'approvals', usage: '', who: 'admin', does: 'work', run: listApprovals },
    help: 'what waits for your decision',
  },
  {
    ...{ ...OPEN, name: 'approve', usage: 'CODE [option] [because …]', who: 'admin', does: 'work', run: approve },
    ...{ help: 'approve what has this code', hidesRest: true },
  },
  {
    ...{ ...OPEN, name: 'reject', usage: 'CODE [because …]', who: 'admin', does: 'work', run: reject },
    ...{ help: 'reject what has this code, and say why', hidesRest: true },
  },
  {
    ...{ ...ALONE, name: 'members', usage: '[agent]', who: 'admin', does: 'work', run: people.members },
    help: 'the people of your agents, and their roles',
  },
  {
    ...{ ...OPEN, name: 'grant', usage: 'PERSON owner, admin AGENT, or member AGENT', who: 'admin' },
    ...{ does: 'commit', run: people.grant, help: 'give somebody a role' },
  },
  {
    ...{ ...OPEN, name: 'revoke', usage: 'PERSON owner, admin AGENT, or member AGENT', who: 'admin' },
    ...{ does: 'commit', run: people.revoke, help: 'take a role away' },
  },
  {
    ...{ ...ALONE, name: 'config', usage: '[agent]', who: 'admin', does: 'work', run: showConfig },
    help: 'what an agent’s container is made of',
  },
  {
    ...{ ...PROOF, name: 'link', usage: '[CODE]', who: 'anyone', does: 'commit', run: people.link },
    help: 'join who you are here with who you are on another channel',
  },
  {
    ...{ ...ALONE, name: 'unlink', usage: '[identity]', who: 'known', does: 'commit', run: people.unlink },
    help: 'part them again',
  },
  {
    ...{ ...PROOF, name: 'claim', usage: 'CODE', who: 'anyone', does: 'commit', run: people.claim },
    help: 'become the owner, with the code that `npm run up` prints',
  },
];

export const NAMES: ReadonlySet<string> = new Set(COMMANDS.map(({ name }) => name));

export function findCommand(name: string): Command | null {
  return COMMANDS.find((one) => one.name === name) ?? null;
}
