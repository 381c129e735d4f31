/** The only way out of the containers, and what decides who gets where. */
import type { AgentGroupId } from '../../shared/ids.ts';
import { AccessRequests } from '../agents/access/requests.ts';
import { AccessRules } from '../agents/access/rules.ts';
import { BudgetChanges } from '../budgets/changes.ts';
import { BudgetAsks } from '../budgets/raise.ts';
import { UsageReports } from '../budgets/reports.ts';
import { EgressLog } from '../egress/egress-log.ts';
import { MeteredDoor } from '../egress/model/metered-door.ts';
import { Services } from '../egress/services.ts';
import type { Ground } from './ground.ts';
import type { WithSchedule } from './schedule.ts';

export type WithEgress = WithSchedule & ReturnType<typeof buildEgress>;

export function buildEgress({ closers, stores, now }: Ground, { approvals }: WithSchedule) {
  const { agents } = stores;
  const onAccessChanged = (_id: AgentGroupId) => undefined;
  const egressTail = closers.use(new EgressLog(stores.egressLog, now));
  const services = new Services({ ...stores, now });
  const access = new AccessRules({
    ...stores,
    findService: (name) => {
      const service = services.get(name);
      return service === null ? null : { ...service, isModel: service.api !== null };
    },
    onAccessChanged,
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
  const modelDoor = closers.use(
    new MeteredDoor({
      ...{ ...stores, calls: stores.modelCalls, prices: stores.modelPrices, now },
      onSpent: (states, sessionId) => budgetAsks.note(states, sessionId),
    }),
  );
  const usage = new UsageReports({ ...stores, door: modelDoor, now });
  return { modelDoor, budgetChanges, budgetAsks, usage, egressTail, services, access, accessRequests, onAccessChanged };
}
