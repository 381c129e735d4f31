/** Requests to the outside, in words; and which of them are shown. Pure. */
import type { Look } from '../agents/agent.ts';
import type { EgressFilter } from '../client/egress-api.ts';
import type { EgressEntry } from '../client/types.ts';

export const OUTCOMES = [
  { value: '', label: 'all' },
  { value: 'refused', label: 'refused' },
  { value: 'allowed', label: 'let through' },
  { value: 'failed', label: 'failed' },
] as const;

const FIELDS = ['agent', 'outcome', 'q'] as const satisfies readonly (keyof EgressFilter)[];

/** An outcome that there is none of shows all. */
export function readFilter(params: URLSearchParams): EgressFilter {
  const [agent = '', outcome = '', q = ''] = FIELDS.map((field) => params.get(field) ?? '');
  return { agent, outcome: OUTCOMES.some(({ value }) => value === outcome) ? outcome : '', q };
}

/** Fields that say nothing are left out of the address. */
export function writeFilter(filter: EgressFilter): URLSearchParams {
  const params = new URLSearchParams();
  for (const field of FIELDS) if (filter[field] !== '') params.set(field, filter[field]);
  return params;
}

export function isFiltered(filter: EgressFilter): boolean {
  return FIELDS.some((field) => filter[field] !== '');
}

/** Each row once, as it was last told, newest first. */
export function mergeRows(...groups: readonly (readonly EgressEntry[])[]): EgressEntry[] {
  const byId = new Map<number, EgressEntry>();
  for (const entry of groups.flat()) {
    const known = byId.get(entry.id);
    if (known === undefined || entry.repeats >= known.repeats) byId.set(entry.id, entry);
  }
  return [...byId.values()].sort((one, other) => other.id - one.id);
}

/** `api.example.com/v1/notes`, with its port where it is not the usual one. */
export function describePlace({ host, port, path, kind }: EgressEntry): string {
  if (host === '') return path || 'nothing that could be read';
  const usual = kind === 'http' ? 80 : 443;
  const name = host.includes(':') ? `[${host}]` : host;
  return `${name}${port === usual || port === 0 ? '' : `:${port}`}${path}`;
}

export function describeOutcome({ outcome, status, reason }: EgressEntry): Look {
  switch (outcome) {
    case 'allowed':
      return {
        label: status === null ? 'let through' : String(status),
        tone: status !== null && status >= 400 ? 'busy' : 'good',
      };
    case 'refused':
      return { label: reason === null ? 'refused' : `refused: ${sayReason(reason)}`, tone: 'bad' };
    case 'failed':
      return { label: reason === null ? 'failed' : `failed: ${sayReason(reason)}`, tone: 'busy' };
  }
}

/** Words for programs, as people say them. */
function sayReason(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll('_', ' ');
}

const REASONS: Readonly<Record<string, string>> = {
  not_allowed: 'no rule allows it',
  private_address: 'its address is private',
  no_address: 'the name has no address',
  unknown_service: 'no such service for it',
  no_secret: 'the service has no secret',
  over_budget: 'a budget is spent',
  no_price: 'the model has no price',
  too_many: 'too many at a time',
  bad_request: 'not understood',
  unreachable: 'the server did not answer',
};

/** Whether a rule would let it through: a host that no rule allowed, and no model. */
export function mayBeAllowed({ outcome, reason, kind, host }: EgressEntry): boolean {
  return (
    outcome === 'refused' &&
    (reason === 'not_allowed' || reason === 'private_address') &&
    (kind === 'http' || kind === 'https' || kind === 'connect') &&
    host !== ''
  );
}
