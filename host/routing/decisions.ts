/**
 * What follows when an admin has decided about a stranger or a new chat. Each may run again after a crash: the
 * tables change first and at once, then the gate is rung.
 */
import { z } from 'zod';
import { type AgentGroupId, parseId, parseUserId, type UserId } from '../../shared/ids.ts';
import type { ApprovalHandler, ApprovalTable, Decision, Description } from '../approvals/approval.ts';
import { showSafely } from '../approvals/show.ts';
import { assertNever } from '../config/errors.ts';
import type { Approval } from '../store/approvals.ts';
import type { Gate } from '../store/held.ts';
import type { Cause } from '../store/ledger.ts';
import type { WiringSettings } from '../store/wirings.ts';
import type { Admissions } from './admissions.ts';
import { NEVER } from './card.ts';
import { CHAT_NOT_NOW_MS, TURNED_AWAY_MS } from './limits.ts';
import type { RoutingParts } from './parts.ts';

const agentId = z.string().transform((text, context) => parseId('agentGroup', text) ?? refuse(context));
const senderId = z.string().transform((text, context) => parseUserId(text) ?? refuse(context));

const admissionSchema = z.object({ agentGroupId: agentId, senderId, senderName: z.string() });
const wiringSchema = z.object({
  messagingGroupId: z.string().transform((text, context) => parseId('messagingGroup', text) ?? refuse(context)),
  isPrivate: z.boolean(),
  senderId,
  senderName: z.string(),
  offers: z.array(z.object({ option: z.string(), agentGroupId: agentId })),
});

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'not an id' });
  return z.NEVER;
}

/** An approved group: only who addresses the agent, and whom it knows. */
const GROUP_WIRING: WiringSettings = {
  engageMode: 'mention',
  engagePattern: null,
  senderScope: 'known',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
};
/** An approved private chat: whatever is said there is said to the agent. */
const PRIVATE_WIRING: WiringSettings = { ...GROUP_WIRING, engageMode: 'always' };

export type RoutingRules = Pick<ApprovalTable, 'admit_sender' | 'wire_chat'>;

/** Rules of the approvals that routing asks for. */
export function makeDecisionRules(parts: RoutingParts, admissions: Admissions): RoutingRules {
  const admit: ApprovalHandler = async (approval, decision) => {
    const outcome = decideAdmission(parts, approval, decision);
    await followUp(admissions, outcome.gate, approval, decision);
    return { outcome: outcome.words };
  };
  const wire: ApprovalHandler = async (approval, decision) => {
    const outcome = decideWiring(parts, approval, decision);
    if (outcome.gate !== null) await followUp(admissions, outcome.gate, approval, decision);
    return { outcome: outcome.words };
  };
  return {
    admit_sender: { describe: (payload) => describeAdmission(parts, payload), carryOut: admit },
    wire_chat: { describe: (payload) => describeWiring(parts, payload), carryOut: wire },
  };
}

function describeAdmission({ agents, users }: RoutingParts, payload: Approval['payload']): Description {
  const { agentGroupId, senderId: sender, senderName } = admissionSchema.parse(payload);
  const agent = agents.get(agentGroupId);
  if (agent === null) return { kind: 'impossible', why: 'that agent is gone' };
  const name = senderName === '' ? showSafely(sender) : senderName;
  const effect = users.isKnown(sender, agentGroupId)
    ? `changes nothing: ${name} may talk to ${showSafely(agent.name)} already`
    : `${name} becomes a member of ${showSafely(agent.name)}; what they wrote arrives`;
  return { kind: 'possible', lines: [effect] };
}

function describeWiring({ agents, chats, wirings }: RoutingParts, payload: Approval['payload']): Description {
  const { messagingGroupId, isPrivate } = wiringSchema.parse(payload);
  if (chats.get(messagingGroupId) === null) return { kind: 'impossible', why: 'that chat is gone' };
  const effect = isPrivate
    ? 'the agent you choose answers every message there, and this person becomes its member'
    : 'the agent you choose answers there when it is mentioned, and only people it knows';
  const listening = wirings
    .listFor(messagingGroupId)
    .map(
      ({ agentGroupId }) => `${showSafely(agents.get(agentGroupId)?.name ?? 'another agent')} listens there already`,
    );
  return { kind: 'possible', lines: [effect, ...listening] };
}

async function followUp(admissions: Admissions, gate: Gate, approval: Approval, decision: Decision): Promise<void> {
  // What came after the end asks anew.
  if (decision.kind === 'expired') await admissions.expire(gate, approval.expiresAt);
  admissions.settleSoon(gate);
}

function decideAdmission(parts: RoutingParts, approval: Approval, decision: Decision): { gate: Gate; words: string } {
  const { users, agents, turnedAway, now } = parts;
  const { agentGroupId, senderId: sender, senderName } = admissionSchema.parse(approval.payload);
  const gate: Gate = { kind: 'sender', agentGroupId, senderId: sender };
  const name = senderName === '' ? sender : senderName;
  const agent = agents.get(agentGroupId);
  if (agent === null) return { gate, words: 'That agent is gone.' };
  switch (decision.kind) {
    case 'approved':
      users.admit(agentGroupId, { id: sender, displayName: senderName }, causeOf(approval, decision.by, now()));
      turnedAway.forget(approval.subjectKey);
      return { gate, words: `${name} may talk to ${agent.name} now.` };
    case 'rejected':
      if (users.isKnown(sender, agentGroupId)) return { gate, words: `${name} was let in to ${agent.name} meanwhile.` };
      turnedAway.record(approval.subjectKey, decision.by, decidedAt(approval, now()) + TURNED_AWAY_MS, now());
      return { gate, words: `${name} was turned away.` };
    case 'expired':
      return { gate, words: `${name} was not let in: their messages were dropped.` };
    default:
      return assertNever(decision);
  }
}

function decideWiring(
  parts: RoutingParts,
  approval: Approval,
  decision: Decision,
): { gate: Gate | null; words: string } {
  const { chats, turnedAway, now } = parts;
  const payload = wiringSchema.parse(approval.payload);
  const chat = chats.get(payload.messagingGroupId);
  if (chat === null) return { gate: null, words: 'That chat is gone.' };
  const gate: Gate = { kind: 'chat', channelType: chat.channelType, platformId: chat.platformId };
  switch (decision.kind) {
    case 'approved': {
      const chosen = payload.offers.find(({ option }) => option === decision.choice);
      if (chosen === undefined) return { gate, words: 'No agent of that name was offered.' };
      return { gate, words: wire(parts, payload, chosen.agentGroupId, causeOf(approval, decision.by, now())) };
    }
    case 'rejected': {
      const isNever = decision.choice === NEVER;
      const until = isNever ? null : decidedAt(approval, now()) + CHAT_NOT_NOW_MS;
      turnedAway.record(approval.subjectKey, decision.by, until, now());
      return { gate, words: isNever ? 'Nobody will be asked about this chat again.' : 'No agent listens there.' };
    }
    case 'expired':
      return { gate, words: 'No agent listens there: what was written was dropped.' };
    default:
      return assertNever(decision);
  }
}

function wire(
  parts: RoutingParts,
  payload: z.infer<typeof wiringSchema>,
  agentGroupId: AgentGroupId,
  cause: Cause,
): string {
  const { agents, users, wirings, turnedAway, onWired } = parts;
  const agent = agents.get(agentGroupId);
  if (agent === null) return 'That agent is gone.';
  const { messagingGroupId, isPrivate, senderId: sender, senderName } = payload;
  const settings = isPrivate ? PRIVATE_WIRING : GROUP_WIRING;
  wirings.create(messagingGroupId, agentGroupId, settings, cause.at, cause);
  if (isPrivate) users.admit(agentGroupId, { id: sender, displayName: senderName }, cause);
  turnedAway.forget(messagingGroupId);
  onWired(agentGroupId);
  return isPrivate ? `${agent.name} answers there now.` : `${agent.name} answers there now when it is mentioned.`;
}

/** For the ledger: on whose word, by which approval. */
function causeOf({ id }: Approval, by: UserId, at: number): Cause {
  return { by, at, because: { approval: id } };
}

function decidedAt(approval: Approval, now: number): number {
  return approval.decidedAt ?? now;
}
