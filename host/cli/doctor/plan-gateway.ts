/** What the doctor says of the ways out of containers. Pure. */
import type { Status } from '../client/types.ts';
import type { Finding } from './plan.ts';

const FOUND = { check: 'gateway', title: 'Way out' };

/** Of a host that runs. */
export function planGateway({ sockets, missing, unrecorded }: Status['gateway']): Finding {
  if (missing > 0) {
    const who = missing === 1 ? '1 container has' : `${missing} containers have`;
    const detail = `${who} no way to models and the outside; the host tries again`;
    return { ...FOUND, verdict: 'warning', detail, fix: 'portolan logs --level warn' };
  }
  if (unrecorded > 0) {
    const what = unrecorded === 1 ? '1 request of agents is' : `${unrecorded} requests of agents are`;
    return { ...FOUND, verdict: 'warning', detail: `${what} in no log: the disk took none`, fix: 'df -h' };
  }
  const detail = sockets === 0 ? 'no container needs one now' : `the gateway listens for ${sockets}`;
  return { ...FOUND, verdict: 'ok', detail, fix: null };
}
