/**
 * What was used: sums over days, agents, models, people and conversations. A person's identities are summed as one;
 * the rows keep who wrote as it was written, so that linking later sums anew.
 */
import type { AgentGroupId, SessionId, UserId } from '../../shared/ids.ts';
import { dayOf } from '../egress/model/budget-plan.ts';
import { CALLS_KEPT_MS } from '../egress/model/limits.ts';
import type { MeteredDoor } from '../egress/model/metered-door.ts';
import type { ModelCallStore, UsageGroup, UsageRow, UsageSum } from '../store/model-calls.ts';
import type { UserStore } from '../store/users.ts';

const DAY_MS = 86_400_000;

export interface UsageQuestion {
  by: UsageGroup;
  /** Days of UTC, this one counted. */
  days: number;
  /** Null: all. */
  agents: readonly AgentGroupId[] | null;
  sessionId: SessionId | null;
  person: UserId | null;
}

export interface UsageReport {
  /** Days of UTC, both counted. */
  firstDay: string;
  lastDay: string;
  rows: UsageRow[];
  sum: UsageSum;
}

export interface ReportParts {
  modelCalls: Pick<ModelCallStore, 'list'>;
  users: Pick<UserStore, 'identitiesOf' | 'personOf'>;
  door: Pick<MeteredDoor, 'flush'>;
  now: () => number;
}

export class UsageReports {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  report({ by, days, agents, sessionId, person }: UsageQuestion): UsageReport {
    const { modelCalls, users, door, now } = this.#parts;
    door.flush();
    const at = now();
    const [firstDay, lastDay] = [dayOf(at - (days - 1) * DAY_MS), dayOf(at)];
    const people = person === null ? null : users.identitiesOf(person);
    const rows = modelCalls.list(by, { firstDay, lastDay, agents, sessionId, people });
    return { firstDay, lastDay, rows: by === 'person' ? this.#joinPeople(rows) : rows, sum: sumUp(rows) };
  }

  /** Of a conversation: today (in UTC), and as far back as single calls are kept. */
  ofSession(sessionId: SessionId): { today: UsageSum; all: UsageSum } {
    const of = (days: number) => this.report({ by: 'session', days, agents: null, sessionId, person: null }).sum;
    return { today: of(1), all: of(CALLS_KEPT_MS / DAY_MS) };
  }

  /** Of an agent: today, and since this month began (in UTC). */
  ofAgent(agentGroupId: AgentGroupId): { today: UsageSum; month: UsageSum } {
    const of = (days: number) =>
      this.report({ by: 'agent', days, agents: [agentGroupId], sessionId: null, person: null }).sum;
    return { today: of(1), month: of(new Date(this.#parts.now()).getUTCDate()) };
  }

  /** Under the identity that wrote first of each person; '' is nobody. */
  #joinPeople(rows: readonly UsageRow[]): UsageRow[] {
    const joined = new Map<string, UsageRow>();
    for (const row of rows) {
      const person = row.key === '' ? '' : this.#parts.users.personOf(row.key as UserId);
      const known = joined.get(person);
      joined.set(person, known === undefined ? row : { ...sumUp([known, row]), key: known.key });
    }
    return [...joined.values()];
  }
}

export function sumUp(rows: readonly UsageSum[]): UsageSum {
  const of = (field: keyof UsageSum) => rows.reduce((sum, row) => sum + row[field], 0);
  return {
    calls: of('calls'),
    inputTokens: of('inputTokens'),
    outputTokens: of('outputTokens'),
    cacheReadTokens: of('cacheReadTokens'),
    cacheWriteTokens: of('cacheWriteTokens'),
    costNanousd: of('costNanousd'),
    unpricedCalls: of('unpricedCalls'),
  };
}
