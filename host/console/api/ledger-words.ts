/** An entry of the ledger as a sentence for people. Pure. */
import { formatUsdExactly } from '../../../shared/money.ts';
import type { LedgerDetail, LedgerEntry } from '../../store/ledger.ts';

/** What people call the thing with this id; the id itself when nobody knows. */
export type NameOf = (id: string) => string;

type Entry = Pick<LedgerEntry, 'kind' | 'messageId' | 'actor' | 'detail'>;
type Words = (entry: Told) => string;

interface Told {
  /** Whose doing it was. */
  who: string;
  /** What it is about. */
  what: string;
  /** A field of the detail, named where it is an id; '' when it is not there. */
  of: (field: string) => string;
  detail: LedgerDetail;
}

export function describeEntry(entry: Entry, nameOf: NameOf): string {
  const { kind, messageId, actor, detail } = entry;
  const of = (field: string) => {
    const value = detail[field] ?? null;
    return value === null ? '' : nameOf(String(value));
  };
  const told: Told = {
    who: actor === null ? 'the host' : nameOf(actor),
    what: messageId === null ? '' : nameOf(messageId),
    of,
    detail,
  };
  const words = WORDS.get(kind);
  return words === undefined ? describeUnknown(kind, told) : words(told);
}

const HEARD_BY: Readonly<Record<string, string>> = {
  always: 'it listens to everything there',
  pattern: 'the text fits its pattern',
  mention: 'it was addressed',
  followed: 'it follows that conversation',
  context: 'it keeps what is said there as context',
};

const GROUNDS: Readonly<Record<string, string>> = {
  owner: 'an owner',
  admin: 'an admin',
  member: 'a member',
  everybody: 'anybody: it hears everybody there',
  public_chat: 'anybody: the chat is public',
};

const WORDS: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['message.heard', describeHeard],
  ['message.dropped', describeDropped],
  ['stranger.turned_away', ({ who, what }) => `${who} turned ${what} away`],
  ['delivery.delivered', describeDelivered],
  ['delivery.put_off', (told) => `not delivered yet${where(told)}${attempt(told)}${because(told)}`],
  ['delivery.failed', (told) => `failed${where(told)}${attempt(told)}${because(told)}`],
  ['delivery.refused', (told) => `refused${where(told)}${because(told)}`],
  ['delivery.unknown', (told) => `may have been delivered${where(told)}${attempt(told)}${because(told)}`],
  ['delivery.resent', ({ who }) => `${who} had it sent once more`],
  ['delivery.dropped', ({ who }) => `${who} gave it up`],
  [
    'destination.created',
    (told) => `${told.of('agent')} got the destination ${quote(told)}, which is ${told.of('target')}${by(told)}`,
  ],
  [
    'destination.renamed',
    (told) => `the destination “${told.of('before')}” of ${told.of('agent')} became ${quote(told)}${by(told)}`,
  ],
  ['destination.removed', (told) => `${told.of('agent')} lost the destination ${quote(told)}${by(told)}`],
  [
    'wiring.created',
    (told) => `${told.of('agent')} listens in ${told.of('chat')} (${told.of('engageMode')})${by(told)}`,
  ],
  ['wiring.changed', (told) => `how ${told.of('agent')} listens in ${told.of('chat')} was changed${by(told)}`],
  ['wiring.removed', (told) => `${told.of('agent')} listens in ${told.of('chat')} no more${by(told)}`],
  ['chat.changed', describeChat],
  ['member.admitted', (told) => `${told.who} let ${told.what} in to ${told.of('agent')}${by(told, '')}`],
  ['member.added', ({ who, what, of }) => `${who} made ${what} a member of ${of('agent')}`],
  ['member.removed', ({ who, what, of }) => `${who} ended that ${what} is a member of ${of('agent')}`],
  ['role.granted', ({ who, what, of }) => `${who} made ${what} ${of('role')}${of('agent') && ` of ${of('agent')}`}`],
  ['role.revoked', ({ who, what, of }) => `${who} took the role ${of('role')} from ${what}`],
  ['owner.claimed', ({ what }) => `${what} claimed this host`],
  ['claim.refused', (told) => `${told.who} gave a code to become owner that was not taken${because(told)}`],
  ['link.refused', (told) => `${told.who} gave a code to be linked that was not taken${because(told)}`],
  ['budget.changed', describeBudget],
  ['budget.asked', ({ of }) => `people were asked whether to raise a budget, in ${of('in')}`],
  ['budget.reached', ({ of }) => `a budget was used up, in ${of('in')}`],
  [
    'price.changed',
    ({ who, of, detail }) =>
      `${who} ${detail.isRemoved === true ? 'removed' : 'set'} the price of ${of('model')} of ${of('service')}`,
  ],
  ['sign_in.offered', ({ who, what }) => `${who} had a link made that signs in ${what}`],
  ['sign_in.ended', ({ who, what }) => `${who} signed ${what} out`],
  ['person.linked', ({ what, of }) => `${what} and ${of('with')} are one person`],
  ['person.unlinked', ({ what }) => `${what} stands alone again`],
  ['approval.requested', (told) => `an admin was asked: ${request(told)}`],
  ['approval.approved', (told) => `${told.who} approved ${request(told)}${choice(told)}`],
  ['approval.rejected', (told) => `${told.who} rejected ${request(told)}${choice(told)}`],
  ['approval.expired', (told) => `nobody decided in time: ${request(told)}`],
  ['approval.applied', (told) => `${request(told)} was done${outcome(told)}`],
  ['approval.failed', (told) => `${request(told)} failed${outcome(told)}`],
  ['approval.superseded', (told) => `${request(told)} was asked anew, because what it does has changed`],
  ['agent.made', ({ who, of }) => `${who} made the agent ${of('name')}`],
  ['agent.removed', ({ who, of }) => `${who} removed the agent ${of('name')}`],
  ['agent.restored', ({ who, of }) => `${who} restored the agent ${of('name')}`],
  ['session.quarantined', (told) => `the session is quarantined${because(told)}`],
  ['session.released', ({ who }) => `${who} released the session`],
  ['session.ended', ({ of }) => `the session ended with ${of('agent')}`],
  ['peers.paused', ({ of }) => `${of('agentA')} and ${of('agentB')} are paused (${of('reason')})`],
  ['peers.resumed', ({ who, of }) => `${who} let ${of('agentA')} and ${of('agentB')} go on`],
  ['peers.ended', ({ of }) => `what waited between ${of('agentA')} and ${of('agentB')} was refused`],
  ['approval.voted', (told) => `${told.who} voted on ${request(told)}${choice(told)}`],
  [
    'approval.refused',
    (told) => `what ${told.who} decided${told.what && ` of ${told.what}`} did not count${because(told)}`,
  ],
  ['approval.policy', ({ who, what }) => `${who} changed how ${what} is approved`],
  ['approval.settled', (told) => `${request(told)} is over${outcome(told)}`],
  ['command.refused', ({ who, of }) => `${who} may not use ${of('command')}`],
  ['session.restarted', ({ who }) => `${who} had its container started afresh`],
  ['image.built', ({ what }) => `the image of ${what} was built`],
  ['image.failed', ({ what, of }) => `the image of ${what} could not be built${of('why') && `: ${of('why')}`}`],
  ['mcp.failed', ({ who, of }) => `${who} could not start its MCP servers: ${of('servers')}`],
  ['question.expired', () => 'nobody answered the question in time'],
  ['question.answered', (told) => `${told.who} answered${choice(told)}`],
  ['access.allowed', (told) => `${told.who} let ${told.of('agent')} out to: ${place(told)}${isInside(told)}`],
  ['access.removed', (told) => `${told.who} took from ${told.of('agent')}: ${place(told)}`],
  [
    'secret.set',
    ({ who, what, detail }) =>
      `${who} ${detail.isNew === true ? 'set the secret' : 'gave a new value to the secret'} ${what}`,
  ],
  ['secret.removed', ({ who, what }) => `${who} removed the secret ${what}`],
  [
    'secret.assigned',
    (told) => `${told.who} gave the secret ${told.what} to the service ${told.of('service')}${ofAgent(told)}`,
  ],
  [
    'secret.unassigned',
    (told) => `${told.who} took the secret ${told.what} from the service ${told.of('service')}${ofAgent(told)}`,
  ],
  ['service.added', ({ who, what, of }) => `${who} added the service ${what} at ${of('baseUrl')}`],
  ['service.removed', ({ who, what }) => `${who} removed the service ${what}`],
  ['vault.unlocked', ({ who }) => `${who} unlocked the vault`],
  ['vault.locked', ({ who }) => `${who} locked the vault`],
  ['vault.unlock_refused', ({ who }) => `${who} gave a passphrase that is not the vault’s`],
  ['vault.passphrase_set', ({ who }) => `${who} closed the vault with a passphrase`],
  ['vault.passphrase_removed', ({ who }) => `${who} took the passphrase off the vault`],
  ['vault.key_rotated', ({ who, of }) => `${who} changed the key of the vault from ${of('from')} to ${of('to')}`],
  [
    'config.changed',
    (told) => `the config of ${told.what} was changed${by(told)}${told.of('changes') && `: ${told.of('changes')}`}`,
  ],
]);

function ofAgent({ of }: Told): string {
  return of('agent') === '' ? ', for all agents' : `, for ${of('agent')}`;
}

/** Written for cards, where it stands between backquotes. */
function place({ of }: Told): string {
  return of('what').replaceAll('`', '');
}

function isInside({ detail }: Told): string {
  return detail.isPrivate === true ? ', on this machine or network' : '';
}

/** Of parts that have words of their own, and of hosts to come: the fields as they stand. */
function describeUnknown(kind: string, { who, what, detail, of }: Told): string {
  const fields = Object.keys(detail).map((field) => `${field} ${of(field)}`);
  return [kind.replace(/[._]/g, ' '), what, `by ${who}`, ...fields].filter((part) => part !== '').join(', ');
}

/** A request is delivered to the host itself: what comes of it has entries of its own. */
function describeDelivered(told: Told): string {
  const { detail, of } = told;
  const isRequest = detail.destination == null && detail.what !== undefined && !MESSAGE_PARTS.has(String(detail.what));
  if (isRequest) return `the host took a request: ${of('what')}`;
  return `delivered${where(told)}${attempt(told)}${ground(told)}`;
}

/** What is delivered to a chat besides messages. */
const MESSAGE_PARTS: ReadonlySet<string> = new Set(['question', 'edit', 'reaction']);

function describeDropped({ what, detail, of }: Told): string {
  const who = what || 'a stranger';
  if (detail.reason === 'command_refused') return `commands of ${who} are not obeyed: no right to them`;
  if (detail.reason === 'too_many_commands') return `commands of ${who} are not obeyed: too many at once`;
  return `messages of ${who} are dropped (${of('reason')})`;
}

function describeHeard({ who, of, detail }: Told): string {
  if (detail.isRetold === true) return 'put before the agent; the host stopped before it wrote down why';
  if (detail.by === 'agent') return `${who} wrote it to the agent`;
  const reason = HEARD_BY[String(detail.by)] ?? of('by');
  const ground = GROUNDS[String(detail.sender)] ?? of('sender');
  return `heard, because ${reason}; ${who} may write as ${ground}`;
}

function describeChat({ who, detail, of }: Told): string {
  const changes = [
    detail.name === detail.nameBefore ? '' : `“${of('nameBefore')}” is called “${of('name')}”`,
    detail.policy === detail.policyBefore ? '' : `strangers: ${of('policyBefore')} became ${of('policy')}`,
  ].filter((part) => part !== '');
  return `${changes.join('; ') || 'nothing changed'}, by ${who}`;
}

function where({ detail, of }: Told): string {
  if (detail.what === undefined || detail.what === 'question')
    return detail.destination == null ? '' : ` to “${of('destination')}”`;
  return ` (${of('what')}${detail.destination == null ? '' : ` to “${of('destination')}”`})`;
}

function attempt({ detail }: Told): string {
  return typeof detail.attempt === 'number' && detail.attempt > 0 ? `, attempt ${detail.attempt}` : '';
}

const RULES: Readonly<Record<string, string>> = {
  chat: 'its destination is that chat',
  thread_of_chat: 'its destination is that chat, which the thread belongs to',
  agent: 'its destination is that agent',
};

function ground({ detail }: Told): string {
  if (detail.isRetold === true) return '; the host stopped before it wrote down what allowed it';
  const rule = RULES[String(detail.rule)];
  return rule === undefined ? '' : `: ${rule}`;
}

function because({ of }: Told): string {
  return of('reason') && `: ${of('reason')}`;
}

/** What an approval is about, and its code. */
function request({ what, of }: Told): string {
  return `${of('action')}${what && ` (${what})`}`;
}

function choice({ of }: Told): string {
  return of('choice') && `, with “${of('choice')}”`;
}

/** Its first line: what a program printed stays on the card. */
function outcome({ of }: Told): string {
  const [line = ''] = of('outcome').split('\n');
  return line && `: ${line}`;
}

function quote({ of }: Told): string {
  return `“${of('name')}”`;
}

/** By whom, and on what ground. */
function by({ who, of }: Told, start = `, by ${who}`): string {
  const grounds = [
    of('approval') && `approval ${of('approval')}`,
    of('wiring') && 'with its wiring',
    of('request') && 'as it asked',
    of('removedAgent') && `with the agent ${of('removedAgent')}`,
  ].filter((part) => part !== '');
  return `${start}${grounds.length === 0 ? '' : ` (${grounds.join(', ')})`}`;
}

function describeBudget({ who, of, detail }: Told): string {
  const scope = of('scope');
  const whose = scope === 'host' ? 'this host' : of('subject');
  const { amount = null, unit } = detail;
  const shown = typeof amount !== 'number' ? null : unit === 'usd' ? formatUsdExactly(amount) : `${amount} tokens`;
  const what = shown === null ? 'took the budget of' : 'set the budget of';
  return `${who} ${what} ${whose} for a ${of('period')}${shown === null ? ' away' : ` to ${shown}`}`;
}
