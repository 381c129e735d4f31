/**
 * Identities (namespaced ids), their roles and memberships; each question about rights is answered for the
 * person, the union over linked identities.
 *
 * The message path asks `isKnown` per message and agent, `rolesOf` per click: look-ups in indexes alone, as many
 * as the person has identities. Measured with 20,000 members: 8 µs for one identity, 13 µs for three.
 */
import type { AgentGroupId, MessagingGroupId, PersonId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';
import { type Cause, Ledger } from './ledger.ts';

export interface User {
  id: UserId;
  displayName: string;
}

export interface RoleHolder {
  /** The identity that was given the role. */
  userId: UserId;
  /** Linked identities are one person. */
  personId: PersonId | UserId;
  role: 'owner' | 'admin';
  /** Null: global. */
  agentGroupId: AgentGroupId | null;
  /** Chats of this person alone with the host, on all their channels; per identity the one written in last first. */
  chats: { messagingGroupId: MessagingGroupId; channelType: string }[];
}

/** Hears of identities whose person is another than before. */
export type ChangedPeople = (ids: readonly UserId[]) => void;

/** The identities of one person. CROSS JOIN with it: the planner does not know that they are few, and would walk all members. */
const OWN = `WITH own (id) AS (
  SELECT @id UNION SELECT other.id FROM users AS me JOIN users AS other ON other.person_id = me.person_id WHERE me.id = @id)`;

export class UserStore {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #isKnown;
  readonly #rolesOf;
  readonly #personOf;
  readonly #identitiesOf;
  readonly #privateChat;
  readonly #listeners = new Set<ChangedPeople>();

  constructor(db: CentralDb) {
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#privateChat = db.prepare<[string, string], { messagingGroupId: string }>(
      'SELECT messaging_group_id AS messagingGroupId FROM user_dms WHERE user_id = ? AND channel_type = ?',
    );
    this.#rolesOf = db.prepare<{ id: string }, { role: 'owner' | 'admin'; of: string }>(
      `${OWN} SELECT DISTINCT role, agent_group_id AS of FROM own CROSS JOIN user_roles ON user_id = own.id`,
    );
    this.#personOf = db.prepare<[string], { personId: string | null }>(
      'SELECT person_id AS personId FROM users WHERE id = ?',
    );
    this.#identitiesOf = db.prepare<{ id: string }, { id: string }>(`${OWN} SELECT id FROM own`);
    this.#isKnown = db.prepare<{ id: string; agentGroupId: string }>(
      `${OWN} SELECT 1 FROM own CROSS JOIN user_roles ON user_id = own.id WHERE agent_group_id IN ('', @agentGroupId)
       UNION ALL SELECT 1 FROM own CROSS JOIN agent_group_members AS member
         ON member.agent_group_id = @agentGroupId AND member.user_id = own.id LIMIT 1`,
    );
  }

  /**
   * Hears all identities of a person who was given something, or lost it; in the transaction that changes it, which
   * may come to nothing. Must not throw.
   */
  onChanged(listener: ChangedPeople): void {
    this.#listeners.add(listener);
  }

  /** What a person may decide, now. */
  rolesOf(id: UserId): Pick<RoleHolder, 'role' | 'agentGroupId'>[] {
    return this.#rolesOf
      .all({ id })
      .map(({ role, of }) => ({ role, agentGroupId: of === '' ? null : (of as AgentGroupId) }));
  }

  /** Of those, what they held at that time already and since, epoch ms. */
  rolesSince(id: UserId, at: number): Pick<RoleHolder, 'role' | 'agentGroupId'>[] {
    return this.#db
      .prepare<{ id: string; at: number }, { role: 'owner' | 'admin'; of: string }>(
        `${OWN} SELECT DISTINCT role, agent_group_id AS of FROM own CROSS JOIN user_roles ON user_id = own.id
         WHERE created_at <= @at`,
      )
      .all({ id, at })
      .map(({ role, of }) => ({ role, agentGroupId: of === '' ? null : (of as AgentGroupId) }));
  }

  /** Whose identity this is: the same for all that are linked. */
  personOf(id: UserId): PersonId | UserId {
    return (this.#personOf.get(id)?.personId ?? id) as PersonId | UserId;
  }

  /** All identities of this person, this one among them. */
  identitiesOf(id: UserId): UserId[] {
    return this.#identitiesOf.all({ id }).map((own) => own.id as UserId);
  }

  /** Agents that this person is a member of, admins' own ones not among them. */
  membershipsOf(id: UserId): AgentGroupId[] {
    return this.#db
      .prepare<{ id: string }, { of: string }>(
        `${OWN} SELECT DISTINCT agent_group_id AS of FROM own CROSS JOIN agent_group_members ON user_id = own.id`,
      )
      .all({ id })
      .map(({ of }) => of as AgentGroupId);
  }

  /**
   * Owners, global admins and the admins of this agent group, in the order in which they became that; each person
   * once per role.
   */
  listRoleHolders(agentGroupId: AgentGroupId | null): RoleHolder[] {
    const holders = this.#db
      .prepare<[string], { id: string; role: 'owner' | 'admin'; of: string }>(
        `SELECT user_id AS id, role, agent_group_id AS of FROM user_roles WHERE agent_group_id IN ('', ?)
         ORDER BY created_at, user_id, role`,
      )
      .all(agentGroupId ?? '')
      .map(({ id, role, of }) => ({
        userId: id as UserId,
        personId: this.personOf(id as UserId),
        role,
        agentGroupId: of === '' ? null : (of as AgentGroupId),
      }));
    const firsts = new Map(
      holders.map((one) => [`${one.personId} ${one.role} ${one.agentGroupId}`, one] as const).reverse(),
    );
    return holders
      .filter((one) => firsts.get(`${one.personId} ${one.role} ${one.agentGroupId}`) === one)
      .map((one) => ({ ...one, chats: this.#listPrivateChats(one.userId) }));
  }

  /**
   * On all identities of the person. Who signs in to the page has the web chats that they opened there; those
   * that nobody opened are the owner's. The one used last: those of `main` before others.
   */
  #listPrivateChats(id: UserId): RoleHolder['chats'] {
    return this.#db
      .prepare<{ id: string }, { messagingGroupId: MessagingGroupId; channelType: string }>(
        `${OWN} SELECT messaging_group_id AS messagingGroupId, channel_type AS channelType FROM (
           SELECT messaging_group_id, channel_type, 2 AS place, user_dms.rowid AS latest FROM own CROSS JOIN user_dms ON user_id = own.id
           UNION ALL
           SELECT * FROM (
             SELECT chat.id, chat.channel_type, agent.name = 'main', session.last_active_at
             FROM sessions AS session JOIN messaging_groups AS chat ON chat.id = session.messaging_group_id
               JOIN agent_groups AS agent ON agent.id = session.agent_group_id
             WHERE chat.channel_type = 'web' AND session.ended_at IS NULL
               AND (chat.opened_by IN (SELECT id FROM own)
                 OR (chat.opened_by IS NULL AND EXISTS (
                   SELECT 1 FROM own CROSS JOIN user_roles ON user_id = own.id WHERE own.id LIKE 'web:%' AND role = 'owner')))
             ORDER BY agent.name = 'main' DESC, session.last_active_at DESC LIMIT 1))
         ORDER BY place DESC, latest DESC`,
      )
      .all({ id });
  }

  /** Somebody whom the host knows wrote in a chat of theirs alone. Whether that is news. */
  notePrivateChat(id: UserId, channelType: string, messagingGroupId: MessagingGroupId): boolean {
    if (this.#privateChat.get(id, channelType)?.messagingGroupId === messagingGroupId) return false;
    return (
      this.#db
        .prepare(
          `INSERT INTO user_dms (user_id, channel_type, messaging_group_id) SELECT id, ?, ? FROM users WHERE id = ?
           ON CONFLICT (user_id, channel_type) DO UPDATE SET messaging_group_id = excluded.messaging_group_id`,
        )
        .run(channelType, messagingGroupId, id).changes > 0
    );
  }

  ensure(id: UserId, displayName: string, now: number): void {
    this.#db
      .prepare('INSERT INTO users (id, display_name, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING')
      .run(id, displayName, now);
  }

  get(id: UserId): User | null {
    const row = this.#db
      .prepare<[string], { id: string; display_name: string }>('SELECT id, display_name FROM users WHERE id = ?')
      .get(id);
    return row === undefined ? null : { id: row.id as UserId, displayName: row.display_name };
  }

  grant(
    id: UserId,
    role: 'owner' | 'admin',
    agentGroupId: AgentGroupId | null,
    grantedBy: UserId | null,
    now: number,
  ): void {
    const { changes } = this.#db
      .prepare(
        `INSERT INTO user_roles (user_id, role, agent_group_id, granted_by, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
      )
      .run(id, role, agentGroupId ?? '', grantedBy, now);
    this.#raise(id, changes);
  }

  /** The person is another than before, on all their identities. Whether it is so. */
  #raise(id: UserId, changes: number): boolean {
    if (changes === 0) return false;
    const changed = this.#db
      .prepare<{ id: string }, { id: string }>(
        `${OWN} UPDATE users SET revision = revision + 1 WHERE id IN (SELECT id FROM own) RETURNING id`,
      )
      .all({ id });
    for (const listener of this.#listeners) listener(changed.map((user) => user.id as UserId));
    return true;
  }

  /** Whether it was there. */
  revoke(id: UserId, role: 'owner' | 'admin', agentGroupId: AgentGroupId | null): boolean {
    const { changes } = this.#db
      .prepare('DELETE FROM user_roles WHERE user_id = ? AND role = ? AND agent_group_id = ?')
      .run(id, role, agentGroupId ?? '');
    return this.#raise(id, changes);
  }

  isOwner(id: UserId): boolean {
    return this.#rolesOf.all({ id }).some(({ role }) => role === 'owner');
  }

  hasOwner(): boolean {
    return this.#db.prepare(`SELECT 1 FROM user_roles WHERE role = 'owner' LIMIT 1`).get() !== undefined;
  }

  /** Known to an agent group: owner, admin of everything or of it, or member. */
  isKnown(id: UserId, agentGroupId: AgentGroupId): boolean {
    return this.#isKnown.get({ id, agentGroupId }) !== undefined;
  }

  /** Known to any. */
  isKnownAnywhere(id: UserId): boolean {
    return this.#rolesOf.get({ id }) !== undefined || this.membershipsOf(id).length > 0;
  }

  addMember(agentGroupId: AgentGroupId, id: UserId, now: number): void {
    const { changes } = this.#db
      .prepare(
        'INSERT INTO agent_group_members (agent_group_id, user_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(agentGroupId, id, now);
    this.#raise(id, changes);
  }

  /** An admin let somebody in: a member, and the ledger's entry with it. Who is one already stays one, unrecorded. */
  admit(agentGroupId: AgentGroupId, { id, displayName }: User, { by, at, because }: Cause): void {
    this.#db.transaction(() => {
      this.ensure(id, displayName, at);
      const isMember = this.#db
        .prepare('SELECT 1 FROM agent_group_members WHERE agent_group_id = ? AND user_id = ?')
        .get(agentGroupId, id);
      if (isMember !== undefined) return;
      this.addMember(agentGroupId, id, at);
      const detail = { agent: agentGroupId, ...because };
      this.#ledger.append({ kind: 'member.admitted', sessionId: null, messageId: id, actor: by, detail }, at);
    })();
  }

  /** Whether they were one. */
  removeMember(agentGroupId: AgentGroupId, id: UserId): boolean {
    const { changes } = this.#db
      .prepare('DELETE FROM agent_group_members WHERE agent_group_id = ? AND user_id = ?')
      .run(agentGroupId, id);
    return this.#raise(id, changes);
  }
}
