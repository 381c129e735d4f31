/**
 * Places outside to which the gateway adds a credential: those that every host knows, and an owner's own.
 *
 * I1. What a service's name means never changes while something relies on it. Another address is another service:
 *     removing one takes its assignments along, and it is refused while an agent uses it. So no secret goes to a
 *     place that no owner assigned it to. An own one stays what it is when a newer version knows that name, too.
 */
import type { Ledger } from '../store/ledger.ts';
import type { SecretUseStore } from '../store/secret-uses.ts';
import type { ServiceRow, ServiceStore } from '../store/services.ts';
import { type Refused, refuse } from '../vault/state.ts';
import { KNOWN_SERVICES } from './known-services.ts';
import { planService, type ServiceInput } from './plan-service.ts';

export interface Service {
  name: string;
  /** http(s), without user, query and fragment; its path ends without a slash, but for the root's. */
  baseUrl: URL;
  /** Whose model API it speaks; null: it is no model service. */
  api: 'anthropic' | 'openai' | null;
  /** In lower case. Empty, with `headerValue`: it takes no credential. */
  header: string;
  /** With `{}` where the secret goes; `{base64:before}` is the Base64 of `before` and the secret. */
  headerValue: string;
  /** An owner said that it lies on this machine or network. */
  isPrivate: boolean;
  /** Every host has it. */
  isKnown: boolean;
}

/** An own one has a row; a known one has none. */
export type ListedService = Service & { row: ServiceRow | null };

/** Own services of one host. Higher: a mistaken loop fills lists. Lower: big teams do not fit. */
export const MAX_SERVICES = 200;
/** Agents that a refusal names. Higher: nobody reads it. Lower: people look for the others. */
const MAX_NAMED = 5;

interface ServicesParts {
  services: ServiceStore;
  secretUses: SecretUseStore;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  now: () => number;
}

export class Services {
  readonly #parts: ServicesParts;

  constructor(parts: ServicesParts) {
    this.#parts = parts;
  }

  get(name: string): Service | null {
    const row = this.#parts.services.get(name);
    return row === null ? (KNOWN_SERVICES.get(name) ?? null) : toService(row);
  }

  /** Known ones first, then own ones by name. */
  list(): ListedService[] {
    const own = this.#parts.services.list().map((row) => ({ ...toService(row), row }));
    const known = [...KNOWN_SERVICES.values()].filter(({ name }) => own.every((service) => service.name !== name));
    return [...known.map((service) => ({ ...service, row: null })), ...own];
  }

  add(input: ServiceInput, by: string): { kind: 'added'; service: ListedService } | Refused {
    const plan = planService(input);
    if (plan.kind === 'refused') return plan;
    const { services, ledger, commit, now } = this.#parts;
    const { name } = plan.service;
    const next = 'portolan services list';
    if (KNOWN_SERVICES.has(name)) {
      return refuse('name_taken', `Every host knows the service "${name}" already.`, { expected: 'another name' });
    }
    return commit(() => {
      if (services.list().length >= MAX_SERVICES) {
        return refuse('too_many', `A host has at most ${MAX_SERVICES} services of its own.`, {
          next: 'remove one first',
        });
      }
      const isAdded = services.add({ ...plan.service, createdBy: by, createdAt: now() });
      if (!isAdded) return refuse('name_taken', `There is a service "${name}" already.`, { next });
      const { baseUrl, api, header, isPrivate } = plan.service;
      const detail = { name, baseUrl, api, header, isPrivate };
      ledger.append({ kind: 'service.added', sessionId: null, messageId: name, actor: by, detail }, now());
      const row = services.get(name);
      if (row === null) throw new Error('a service that was added is gone');
      return { kind: 'added', service: { ...toService(row), row } };
    });
  }

  /** I1. With its assignments; the secrets stay. */
  remove(name: string, revision: number, by: string): { kind: 'removed' } | { kind: 'stale' } | Refused {
    const { services, secretUses, ledger, commit, now } = this.#parts;
    if (KNOWN_SERVICES.has(name) && services.get(name) === null) {
      return refuse('known_service', `Every host knows the service "${name}": it stays.`, {
        next: `portolan secrets unassign ${name}`,
      });
    }
    return commit(() => {
      const users = services.listUsers(name, MAX_NAMED + 1);
      if (users.length > 0) return refuseUsed(name, users);
      if (!services.remove(name, revision)) return { kind: 'stale' };
      secretUses.removeForService(name);
      ledger.append({ kind: 'service.removed', sessionId: null, messageId: name, actor: by, detail: { name } }, now());
      return { kind: 'removed' };
    });
  }
}

function toService({ name, baseUrl, api, header, headerValue, isPrivate }: ServiceRow): Service {
  return { name, baseUrl: new URL(baseUrl), api, header, headerValue, isPrivate, isKnown: false };
}

function refuseUsed(name: string, users: ReturnType<ServiceStore['listUsers']>): Refused {
  const named = users
    .slice(0, MAX_NAMED)
    .map((user) => `${user.name} ${user.as === 'model' ? 'thinks through it' : 'may reach it'}`)
    .join(', ');
  const more = users.length > MAX_NAMED ? ', and others' : '';
  const first = users[0]?.name ?? '';
  return refuse('service_used', `The service "${name}" is used: ${named}${more}.`, {
    next:
      users[0]?.as === 'model' ? `portolan provider set ${first} <another provider>` : `portolan access list ${first}`,
  });
}
