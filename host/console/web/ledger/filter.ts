/** What of the ledger is shown, as the address says it. Pure. */
import type { LedgerFilter } from '../client/admin-api.ts';

const FIELDS = ['kind', 'agent', 'actor', 'subject', 'q'] as const satisfies readonly (keyof LedgerFilter)[];

/** Beginnings of kinds, with what they are called. */
export const KINDS = [
  { value: '', label: 'Everything' },
  { value: 'approval.', label: 'Approvals' },
  { value: 'role.', label: 'Roles' },
  { value: 'member.', label: 'Members' },
  { value: 'person.', label: 'Linked people' },
  { value: 'sign_in.', label: 'Sign-ins' },
  { value: 'config.', label: 'Configs' },
  { value: 'image.', label: 'Images' },
  { value: 'agent.', label: 'Agents' },
  { value: 'session.', label: 'Sessions' },
  { value: 'destination.', label: 'Destinations' },
  { value: 'wiring.', label: 'Wirings' },
  { value: 'chat.', label: 'Chats' },
  { value: 'message.', label: 'Messages heard and dropped' },
  { value: 'delivery.', label: 'Deliveries' },
  { value: 'command.', label: 'Refused commands' },
  { value: 'question.', label: 'Questions' },
  { value: 'peers.', label: 'Agents among themselves' },
];

export function readFilter(params: URLSearchParams): LedgerFilter {
  const [kind = '', agent = '', actor = '', subject = '', q = ''] = FIELDS.map((field) => params.get(field) ?? '');
  return { kind, agent, actor, subject, q };
}

/** Fields that say nothing are left out of the address. */
export function writeFilter(filter: LedgerFilter): URLSearchParams {
  const params = new URLSearchParams();
  for (const field of FIELDS) if (filter[field] !== '') params.set(field, filter[field]);
  return params;
}

export function isFiltered(filter: LedgerFilter): boolean {
  return FIELDS.some((field) => filter[field] !== '');
}

/** With the kind that the address names, when it is none of the usual ones. */
export function kindsWith(kind: string): { value: string; label: string }[] {
  return KINDS.some(({ value }) => value === kind) ? KINDS : [...KINDS, { value: kind, label: kind }];
}
