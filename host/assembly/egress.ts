/** The only way out of the containers, and what decides who gets where. */
import type { AgentGroupId } from '../../shared/ids.ts';
import { AccessRequests } from '../agents/access/requests.ts';
import { AccessRules } from '../agents/access/rules.ts';
import { EgressLog } from '../egress/egress-log.ts';
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
  return { egressTail, services, access, accessRequests, onAccessChanged };
}
