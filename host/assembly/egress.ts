/** The only way out of the containers, and what decides who gets where. */
import { AccessRequests } from '../agents/access/requests.ts';
import { AccessRules } from '../agents/access/rules.ts';
import { BudgetChanges } from '../budgets/changes.ts';
import { BudgetAsks } from '../budgets/raise.ts';
import { UsageReports } from '../budgets/reports.ts';
import { Assignments } from '../egress/assignments.ts';
import { Credentials } from '../egress/credentials.ts';
import { EgressLog } from '../egress/egress-log.ts';
import { Gateway, type GatewayParts } from '../egress/gateway.ts';
import { keepFacts } from '../egress/kept-facts.ts';
import { MeteredDoor } from '../egress/model/metered-door.ts';
import { makeResolver, type Resolve } from '../egress/resolve.ts';
import type { Ground } from './ground.ts';
import type { WithSchedule } from './schedule.ts';

/** How the outside is found, and who is believed there; the machine's own ways without it. */
export interface OutsideOptions {
  /** Addresses of a name. */
  resolve?: Resolve;
  /** Certificates that are believed beside those of the system: PEM. */
  ca?: string;
}

export type WithEgress = WithSchedule & ReturnType<typeof buildEgress>;

export function buildEgress(ground: Ground, { approvals }: WithSchedule, outside: OutsideOptions) {
  const { closers, stores, vault, services, now } = ground;
  const { agents } = stores;
  const egressTail = closers.use(new EgressLog(stores.egressLog, now));
  const access = new AccessRules({
    ...stores,
    findService: (name) => {
      const service = services.get(name);
      return service === null ? null : { ...service, isModel: service.api !== null };
    },
    onAccessChanged: (id) => gateway.accessChanged(id),
    now,
  });
  const accessRequests = new AccessRequests({
    ...{ agents, access },
    requestApproval: (request) => approvals.requestApproval(request),
  });
  const budgetChanges = new BudgetChanges({ ...stores, now });
  const budgetAsks = new BudgetAsks({
    ...{ ...stores, changes: budgetChanges, now },
    requestApproval: (request) => approvals.requestApproval(request),
  });
  const facts = keepFacts(stores.unchanged, { ...stores, services });
  const modelDoor = closers.use(
    new MeteredDoor({
      ...{ ...facts, transcript: stores.transcript, calls: stores.modelCalls, now },
      onSpent: (states, sessionId) => budgetAsks.note(states, sessionId),
    }),
  );
  const credentials = new Credentials(facts.secretUses, vault);
  const gatewayParts: GatewayParts = {
    ...{ agents: facts.agents, services: facts.services, rules: facts.rules, credentials },
    ...{ model: modelDoor, log: egressTail, resolve: outside.resolve ?? makeResolver(now), now },
    ...(outside.ca === undefined ? {} : { ca: outside.ca }),
  };
  const gateway: Gateway = closers.use(new Gateway(gatewayParts));
  const usage = new UsageReports({ ...stores, door: modelDoor, now });
  return {
    credentials,
    gatewayParts,
    modelDoor,
    budgetChanges,
    budgetAsks,
    usage,
    egressTail,
    assignments: new Assignments({ ...stores, vault, services, now }),
    access,
    accessRequests,
    gateway,
  };
}
