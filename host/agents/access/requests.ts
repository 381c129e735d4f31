/**
 * Answers an agent that asks to be let out to a host, or to be given a service: an admin is asked, who sees what it
 * adds compared with today; once approved it holds at once.
 *
 * I1. What it may do already is answered at once, and nobody is asked.
 * I2. Of one place one request is open; asked in other methods or paths it takes the earlier one's place.
 */
import { z } from 'zod';
import {
  accessHostSchema,
  accessMethodsSchema,
  accessPathSchema,
  accessPortSchema,
  accessServiceSchema,
} from '../../../shared/access.ts';
import { type AgentGroupId, isId } from '../../../shared/ids.ts';
import type { RequestOf } from '../../../shared/requests.ts';
import type { ActionRules, CarriedOut, Decision, Description, RequestApproval } from '../../approvals/approval.ts';
import { showSafely } from '../../approvals/show.ts';
import { Fault } from '../../config/errors.ts';
import { failpoint } from '../../observe/failpoint.ts';
import type { Answered, Asked } from '../../sessions/asked.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { Approval, JsonValue } from '../../store/approvals.ts';
import { type AccessWish, describePlace, describeToday, describeWish } from './plan.ts';
import type { AccessRules } from './rules.ts';
import { readWish } from './wish.ts';

type AccessRequest = RequestOf<'request_access'>;

export interface AccessRequestParts {
  agents: Pick<AgentStore, 'get'>;
  access: AccessRules;
  requestApproval: RequestApproval;
}

/** What an approval carries: read back from its row, it is checked like anything from outside. */
const payloadSchema = z.object({
  agentGroupId: z.string().refine((text): text is AgentGroupId => isId('agentGroup', text), 'an agent id'),
  host: accessHostSchema.nullable(),
  service: accessServiceSchema.nullable(),
  port: accessPortSchema.nullable(),
  methods: accessMethodsSchema.nullable(),
  path: accessPathSchema.nullable(),
});

export class AccessRequests {
  readonly #parts: AccessRequestParts;

  constructor(parts: AccessRequestParts) {
    this.#parts = parts;
  }

  answer({ session, messageId, origin, request }: Asked<AccessRequest>): Answered {
    const { agents, access, requestApproval } = this.#parts;
    const agent = agents.get(session.agentGroupId);
    if (agent === null) return refuse('the agent was removed');
    const wish = readWish(request);
    if (wish === null) return refuse('that is no host');
    const plan = access.plan(agent.id, wish);
    if (plan === null) return refuse('the agent was removed');
    if (plan.kind === 'refuse') return refuse(plan.why);
    // I1
    if (plan.kind === 'nothing') return { answer: { kind: 'done', note: `nothing is to be done: ${plan.why}` } };
    const requested = requestApproval({
      action: 'allow_access',
      payload: toPayload(agent.id, wish),
      requester: { kind: 'agent', sessionId: session.id, messageId, origin },
      agentGroupId: agent.id,
      // I2
      subjectKey: `${agent.id}:${describePlace(wish)}`,
      title: `Let “${showSafely(agent.name)}” reach \`${describePlace(wish)}\`?`,
      question: describeToday(showSafely(agent.name), access.list(agent.id)),
      reason: request.reason,
    });
    if (requested.kind === 'refused') return refuse(requested.why);
    const words = requested.kind === 'asked' ? 'an admin was asked' : 'an admin was asked for this before';
    return { answer: { kind: 'done', note: `${words}; the code is ${requested.code}` } };
  }

  readonly rules: ActionRules = {
    describe: (payload) => this.#describe(payload),
    carryOut: async (approval, decision) => this.#carryOut(approval, decision),
  };

  #describe(payload: unknown): Description {
    const asked = payloadSchema.safeParse(payload);
    if (!asked.success) return { kind: 'impossible', why: 'this host does not take such a request any more' };
    const plan = this.#parts.access.plan(asked.data.agentGroupId, toWish(asked.data));
    if (plan === null) return { kind: 'impossible', why: 'the agent was removed' };
    return plan.kind === 'add' ? { kind: 'possible', lines: plan.lines } : { kind: 'impossible', why: plan.why };
  }

  #carryOut(approval: Approval, decision: Decision): CarriedOut {
    if (decision.kind !== 'approved') return { outcome: 'Nothing was changed.' };
    const asked = payloadSchema.parse(approval.payload);
    const wish = toWish(asked);
    const author = { by: decision.by, approvalId: approval.id, reason: approval.reason };
    const outcome = this.#parts.access.allow(asked.agentGroupId, wish, false, author);
    failpoint('access.allowed');
    switch (outcome.kind) {
      case 'allowed':
        return { outcome: describeOutcome(wish) };
      case 'nothing':
        return { outcome: `Nothing was to be changed: ${outcome.why}.` };
      case 'refuse':
        throw new Fault('access_refused', outcome.why);
      case 'gone':
        throw new Fault('agent_gone', 'the agent was removed meanwhile');
    }
  }
}

function toPayload(id: AgentGroupId, { host, service, port, methods, pathPrefix }: AccessWish) {
  const payload: { [key: string]: JsonValue } = {
    ...{ agentGroupId: id, host, service, port, path: pathPrefix },
    methods: methods === null ? null : [...methods],
  };
  return payload;
}

function toWish({ host, service, port, methods, path }: z.infer<typeof payloadSchema>): AccessWish {
  return { host, service, port, methods, pathPrefix: path };
}

/** How a program in the container gets there. */
function describeOutcome(wish: AccessWish): string {
  const { host, service, methods, pathPrefix, port } = wish;
  const allowed = `Allowed: ${describeWish(wish)}. It holds now.`;
  if (service !== null) return `${allowed} Its base URL is \`$HTTP_PROXY/service/${service}\`.`;
  // Nobody can look at methods and paths in a tunnel.
  const isTunnel = methods === null && pathPrefix === null;
  if (isTunnel || port === 80) return `${allowed} Programs that know a proxy get there by themselves.`;
  const place = port === 443 ? host : `${host}:${port}`;
  return `${allowed} Its base URL is \`$HTTP_PROXY/https/${place}\`.`;
}

function refuse(reason: string): Answered {
  return { answer: { kind: 'refused', reason } };
}
