/**
 * What one person may see, as queries: who they are now, and pages of ids that `Scope` limits. Each page is found
 * from what is theirs, by index: everybody else's costs nothing and leaves no gap.
 */
import type { AgentGroupId, ApprovalId, MessagingGroupId, SessionId, UserId, WiringId } from '../../shared/ids.ts';
import type { Role } from '../access/answer.ts';
import type { PersonFacts, Scope } from '../access/console.ts';
import type { ApprovalState } from './approvals.ts';
import type { CentralDb } from './database.ts';

/** The last session of the page before. */
export interface SessionPlace {
  lastActiveAt: number;
  id: string;
}

/** Chats that a person opened with an agent whose member they still are. */
const OPENED = `
  SELECT chat.id FROM messaging_groups AS chat JOIN wirings ON wirings.messaging_group_id = chat.id
  WHERE chat.opened_by IN (SELECT value FROM json_each(@ids))
    AND wirings.agent_group_id IN (SELECT value FROM json_each(@memberOf))`;

/** Sessions in chats that a person opened: of agents whose member they still are. */
export const OPENED_SESSIONS = `
  SELECT session.id FROM sessions AS session JOIN messaging_groups AS chat ON chat.id = session.messaging_group_id
  WHERE chat.opened_by IN (SELECT value FROM json_each(@ids))
    AND session.agent_group_id IN (SELECT value FROM json_each(@memberOf))`;

/** A scope as the parameters of these queries. */
export function scopeParameters({ ids, adminOf, memberOf }: Scope): Record<'ids' | 'adminOf' | 'memberOf', string> {
  return { ids: JSON.stringify(ids), adminOf: JSON.stringify(adminOf), memberOf: JSON.stringify(memberOf) };
}

export class VisibleStore {
  readonly #db: CentralDb;
  readonly #identities;
  readonly #roles;
  readonly #memberships;
  readonly #agentsInChat;

  constructor(db: CentralDb) {
    this.#db = db;
    // Asked at every request and for every event: indexed look-ups all three.
    this.#identities = db
      .prepare<{ id: string }, string>(
        `SELECT @id UNION SELECT id FROM users WHERE person_id = (SELECT person_id FROM users WHERE id = @id)`,
      )
      .pluck();
    this.#roles = db.prepare<[string], { role: Role['role']; of: string }>(
      'SELECT role, agent_group_id AS of FROM user_roles WHERE user_id IN (SELECT value FROM json_each(?))',
    );
    this.#memberships = db
      .prepare<[string], string>(
        'SELECT agent_group_id FROM agent_group_members WHERE user_id IN (SELECT value FROM json_each(?))',
      )
      .pluck();
    this.#agentsInChat = db
      .prepare<[string], string>('SELECT DISTINCT agent_group_id FROM sessions WHERE messaging_group_id = ?')
      .pluck();
  }

  /** Who this is, with all identities of that person, as the tables say now. */
  factsOf(id: UserId): PersonFacts {
    const ids = this.#identities.all({ id });
    const list = JSON.stringify(ids);
    return {
      ids,
      roles: this.#roles.all(list).map(({ role, of }) => ({ role, agentGroupId: of === '' ? null : of })),
      memberships: this.#memberships.all(list),
    };
  }

  /** Newest activity first, strictly after the place. */
  listSessions(
    scope: Scope,
    limit: number,
    after: SessionPlace | null,
    agentGroupId: AgentGroupId | null,
  ): SessionId[] {
    const bounds = { lastActiveAt: after?.lastActiveAt ?? Number.MAX_SAFE_INTEGER, id: after?.id ?? '~', limit };
    const page = 'ended_at IS NULL AND (last_active_at, id) < (@lastActiveAt, @id)';
    const order = 'ORDER BY last_active_at DESC, id DESC LIMIT @limit';
    const ofAgent = this.#db.prepare<Record<string, string | number>, SessionPlace>(
      `SELECT id, last_active_at AS lastActiveAt FROM sessions WHERE agent_group_id = @agent AND ${page} ${order}`,
    );
    const opened = this.#db.prepare<Record<string, string | number | null>, SessionPlace>(
      `SELECT id, last_active_at AS lastActiveAt FROM sessions WHERE id IN (${OPENED_SESSIONS}) AND ${page}
         AND agent_group_id = coalesce(@agent, agent_group_id) ${order}`,
    );
    const agents = scope.adminOf.filter((id) => agentGroupId === null || id === agentGroupId);
    const found = agents.flatMap((agent) => ofAgent.all({ ...bounds, agent }));
    const { ids, memberOf } = scopeParameters(scope);
    found.push(...opened.all({ ...bounds, ids, memberOf, agent: agentGroupId }));
    const places = new Map(found.map((place) => [place.id, place]));
    return [...places.values()]
      .sort((one, other) => other.lastActiveAt - one.lastActiveAt || (one.id < other.id ? 1 : -1))
      .slice(0, limit)
      .map(({ id }) => id as SessionId);
  }

  /** Chats that agents of theirs listen in, and those that they opened; by id. */
  listChats(scope: Scope, limit: number, cursor: string | null): MessagingGroupId[] {
    return this.#list<MessagingGroupId>(
      `SELECT id FROM messaging_groups WHERE id > @cursor AND id IN (
         SELECT messaging_group_id FROM wirings WHERE agent_group_id IN (SELECT value FROM json_each(@adminOf))
         UNION ${OPENED}) ORDER BY id LIMIT @limit`,
      { ...scopeParameters(scope), cursor: cursor ?? '', limit },
    );
  }

  listWirings({ adminOf }: Scope, limit: number, cursor: string | null): WiringId[] {
    return this.#list<WiringId>(
      `SELECT id FROM wirings WHERE id > @cursor AND agent_group_id IN (SELECT value FROM json_each(@adminOf))
       ORDER BY id LIMIT @limit`,
      { adminOf: JSON.stringify(adminOf), cursor: cursor ?? '', limit },
    );
  }

  /** What they may decide; newest first, strictly before the one with this id. */
  listApprovals(
    { adminOf }: Scope,
    limit: number,
    before: ApprovalId | null,
    state: ApprovalState | null,
  ): ApprovalId[] {
    // Those that wait are few, and have an index.
    const from = state === 'pending' ? `INDEXED BY pending_approvals_open WHERE state = 'pending' AND` : 'WHERE';
    return this.#list<ApprovalId>(
      `SELECT id FROM pending_approvals ${from} id < @before AND state = coalesce(@state, state)
         AND agent_group_id IN (SELECT value FROM json_each(@adminOf)) ORDER BY id DESC LIMIT @limit`,
      { adminOf: JSON.stringify(adminOf), before: before ?? '~', state, limit },
    );
  }

  /** Refusals of their agents, as places in the ledger; newest first, before this one. */
  listRefusals({ adminOf }: Scope, limit: number, before: number | null): number[] {
    return this.#list<number>(
      `SELECT position FROM ledger WHERE kind = 'delivery.refused' AND position < @before
         AND session_id IN (SELECT id FROM sessions
                            WHERE agent_group_id IN (SELECT value FROM json_each(@adminOf)))
       ORDER BY position DESC LIMIT @limit`,
      { adminOf: JSON.stringify(adminOf), before: before ?? Number.MAX_SAFE_INTEGER, limit },
    );
  }

  /** Chats that this person opened since then, epoch ms. */
  countOpened(ids: readonly string[], since: number): number {
    const [count = 0] = this.#list<number>(
      `SELECT count(*) FROM messaging_groups
       WHERE opened_by IN (SELECT value FROM json_each(@ids)) AND created_at > @since`,
      { ids: JSON.stringify(ids), since },
    );
    return count;
  }

  /** Agents that have or had a session in this chat. */
  agentsInChat(id: MessagingGroupId): string[] {
    return this.#agentsInChat.all(id);
  }

  /** The one column of each row, which is a key of the branded kind that the caller names. */
  #list<T>(sql: string, parameters: Record<string, string | number | null>): T[] {
    return this.#db.prepare<Record<string, string | number | null>, T>(sql).pluck().all(parameters);
  }
}
