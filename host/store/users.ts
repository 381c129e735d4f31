/** People: namespaced ids, roles, membership. */
import type { AgentGroupId, MessagingGroupId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface User {
  id: UserId;
  displayName: string;
}

export interface RoleHolder {
  userId: UserId;
  role: 'owner' | 'admin';
  /** Null: global. */
  agentGroupId: AgentGroupId | null;
  /** Chats of this person alone with the host, the one written in last first. */
  chats: { messagingGroupId: MessagingGroupId; channelType: string }[];
}

export class UserStore {
  readonly #db: CentralDb;
  readonly #isKnown;
  readonly #privateChat;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#privateChat = db.prepare<[string, string], { messagingGroupId: string }>(
      'SELECT messaging_group_id AS messagingGroupId FROM user_dms WHERE user_id = ? AND channel_type = ?',
    );
    this.#isKnown = db.prepare(
      `SELECT 1 FROM user_roles WHERE user_id = @id AND agent_group_id IN ('', @agentGroupId)
       UNION ALL SELECT 1 FROM agent_group_members WHERE agent_group_id = @agentGroupId AND user_id = @id LIMIT 1`,
    );
  }

  /** What a person may decide, now. */
  rolesOf(id: UserId): Pick<RoleHolder, 'role' | 'agentGroupId'>[] {
    return this.#db
      .prepare<[string], { role: 'owner' | 'admin'; of: string }>(
        'SELECT role, agent_group_id AS of FROM user_roles WHERE user_id = ?',
      )
      .all(id)
      .map(({ role, of }) => ({ role, agentGroupId: of === '' ? null : (of as AgentGroupId) }));
  }

  /** Owners, global admins and the admins of this agent group, in the order in which they became that. */
  listRoleHolders(agentGroupId: AgentGroupId | null): RoleHolder[] {
    return this.#db
      .prepare<[string], { id: string; role: 'owner' | 'admin'; of: string }>(
        `SELECT user_id AS id, role, agent_group_id AS of FROM user_roles WHERE agent_group_id IN ('', ?)
         ORDER BY created_at, user_id, role`,
      )
      .all(agentGroupId ?? '')
      .map(({ id, role, of }) => ({
        userId: id as UserId,
        role,
        agentGroupId: of === '' ? null : (of as AgentGroupId),
        chats: this.#listPrivateChats(id),
      }));
  }

  /** Who signs in to the page alone has the web chats, the one used last first: those of `main` before others. */
  #listPrivateChats(id: string): RoleHolder['chats'] {
    return this.#db
      .prepare<{ id: string }, { messagingGroupId: MessagingGroupId; channelType: string }>(
        `SELECT messaging_group_id AS messagingGroupId, channel_type AS channelType FROM (
           SELECT messaging_group_id, channel_type, 2 AS place, rowid AS latest FROM user_dms WHERE user_id = @id
           UNION ALL
           SELECT * FROM (
             SELECT chat.id, chat.channel_type, agent.name = 'main', session.last_active_at
             FROM sessions AS session JOIN messaging_groups AS chat ON chat.id = session.messaging_group_id
               JOIN agent_groups AS agent ON agent.id = session.agent_group_id
             WHERE @id LIKE 'web:%' AND chat.channel_type = 'web' AND session.ended_at IS NULL
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
    this.#db
      .prepare(
        `INSERT INTO user_roles (user_id, role, agent_group_id, granted_by, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
      )
      .run(id, role, agentGroupId ?? '', grantedBy, now);
  }

  isOwner(id: UserId): boolean {
    return this.#db.prepare(`SELECT 1 FROM user_roles WHERE user_id = ? AND role = 'owner'`).get(id) !== undefined;
  }

  hasOwner(): boolean {
    return this.#db.prepare(`SELECT 1 FROM user_roles WHERE role = 'owner' LIMIT 1`).get() !== undefined;
  }

  /** Known to an agent group: owner, admin of everything or of it, or member. */
  isKnown(id: UserId, agentGroupId: AgentGroupId): boolean {
    return this.#isKnown.get({ id, agentGroupId }) !== undefined;
  }

  addMember(agentGroupId: AgentGroupId, id: UserId, now: number): void {
    this.#db
      .prepare(
        'INSERT INTO agent_group_members (agent_group_id, user_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(agentGroupId, id, now);
  }
}
