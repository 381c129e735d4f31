/** What the gateway answers instead of a server outside. */
import { type GatewayRefusal, makeRefusalBody } from '../../shared/gateway.ts';

export interface Refusal {
  kind: 'refused';
  reason: GatewayRefusal;
  /** HTTP status of the answer. */
  status: number;
  /** What was wrong, and what was expected. */
  message: string;
  /** What to type or call next; null when nothing helps. */
  next: string | null;
}

/** No SDK of a model tries again by itself what is answered with 403; 429 and 502 it does. */
const STATUS: Readonly<Record<GatewayRefusal, number>> = {
  not_allowed: 403,
  private_address: 403,
  no_address: 502,
  unknown_service: 403,
  no_secret: 403,
  over_budget: 403,
  no_price: 403,
  too_many: 429,
  bad_request: 400,
  unreachable: 502,
};

export function refuse(reason: GatewayRefusal, message: string, next: string | null = null): Refusal {
  return { kind: 'refused', reason, status: STATUS[reason], message, next };
}

/** As the log says it: it was refused, or it failed outside. */
export function outcomeOf({ reason }: Refusal): 'refused' | 'failed' {
  return reason === 'unreachable' || reason === 'no_address' ? 'failed' : 'refused';
}

/** As the body of the answer. */
export function formatRefusal({ reason, message, next }: Refusal): string {
  return `${JSON.stringify(makeRefusalBody(reason, message, next))}\n`;
}
