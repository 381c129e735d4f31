/** Wirings: which agent group listens in which messaging group, and when it engages. */
import type { AgentGroupId, MessagingGroupId, WiringId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import { ChatStore } from './chats.ts';
import type { CentralDb } from './database.ts';
import { DestinationStore } from './destinations.ts';

export const ENGAGE_MODES = ['always', 'pattern', 'mention', 'mention-sticky'] as const;
export const SENDER_SCOPES = ['all', 'known'] as const;
export const IGNORED_MESSAGE_POLICIES = ['drop', 'accumulate'] as const;
export const SESSION_MODES = ['shared', 'per-thread', 'agent-shared'] as const;
export type EngageMode = (typeof ENGAGE_MODES)[number];
export type SenderScope = (typeof SENDER_SCOPES)[number];
export type IgnoredMessagePolicy = (typeof IGNORED_MESSAGE_POLICIES)[number];
export type SessionMode = (typeof SESSION_MODES)[number];

export interface WiringSettings {
  engageMode: EngageMode;
  /** Exactly with engageMode 'pattern'; already known to compile. */
  engagePattern: string | null;
  senderScope: SenderScope;
  ignoredMessagePolicy: IgnoredMessagePolicy;
  sessionMode: SessionMode;
  priority: number;
}

export interface Wiring extends WiringSettings {
  id: WiringId;
  messagingGroupId: MessagingGroupId;
  agentGroupId: AgentGroupId;
  createdAt: number;
  revision: number;
}

interface Row {
  id: string;
  messaging_group_id: string;
  agent_group_id: string;
  engage_mode: EngageMode;
  engage_pattern: string | null;
  sender_scope: SenderScope;
  ignored_message_policy: IgnoredMessagePolicy;
  session_mode: SessionMode;
  priority: number;
  created_at: number;
  revision: number;
}

export class WiringStore {
  readonly #db: CentralDb;
  readonly #destinations: DestinationStore;
  readonly #chats: ChatStore;
  readonly #listFor;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#listFor = db.prepare<[string], Row>(
      'SELECT * FROM wirings WHERE messaging_group_id = ? ORDER BY priority DESC, created_at, id',
    );
    this.#destinations = new DestinationStore(db);
    this.#chats = new ChatStore(db);
  }

  /**
   * Wires, and creates the destination with it: an agent that hears a chat can answer it.
   * Null when this pair is wired already, or one of the two does not exist.
   */
  create(
    messagingGroupId: MessagingGroupId,
    agentGroupId: AgentGroupId,
    settings: WiringSettings,
    now: number,
  ): Wiring | null {
    return this.#db.transaction(() => {
      const chat = this.#chats.get(messagingGroupId);
      if (chat === null) return null;
      const id = makeId('wiring', now);
      const made = this.#db
        .prepare(
          `INSERT INTO wirings (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, sender_scope,
             ignored_message_policy, session_mode, priority, created_at)
           SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM agent_groups WHERE id = ?)
           ON CONFLICT (messaging_group_id, agent_group_id) DO NOTHING`,
        )
        .run(
          id,
          messagingGroupId,
          agentGroupId,
          settings.engageMode,
          settings.engagePattern,
          settings.senderScope,
          settings.ignoredMessagePolicy,
          settings.sessionMode,
          settings.priority,
          now,
          agentGroupId,
        );
      if (made.changes === 0) return null;
      this.#destinations.ensureFor({
        agentGroupId,
        wanted: chat.name,
        targetType: 'channel',
        targetId: messagingGroupId,
        now,
      });
      return this.get(id);
    })();
  }

  get(id: WiringId): Wiring | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM wirings WHERE id = ?').get(id);
    return row === undefined ? null : toWiring(row);
  }

  /** Highest priority first, then oldest. */
  listFor(messagingGroupId: MessagingGroupId): Wiring[] {
    return this.#listFor.all(messagingGroupId).map(toWiring);
  }

  list(limit: number, cursor: string | null = null): Wiring[] {
    return this.#db
      .prepare<[string, number], Row>('SELECT * FROM wirings WHERE id > ? ORDER BY id LIMIT ?')
      .all(cursor ?? '', limit)
      .map(toWiring);
  }

  /** Null when the revision no longer holds, or the wiring is gone. */
  update(id: WiringId, revision: number, settings: WiringSettings): Wiring | null {
    const held = this.#db
      .prepare(
        `UPDATE wirings SET engage_mode = ?, engage_pattern = ?, sender_scope = ?, ignored_message_policy = ?,
           session_mode = ?, priority = ?, revision = revision + 1 WHERE id = ? AND revision = ?`,
      )
      .run(
        settings.engageMode,
        settings.engagePattern,
        settings.senderScope,
        settings.ignoredMessagePolicy,
        settings.sessionMode,
        settings.priority,
        id,
        revision,
      );
    return held.changes === 0 ? null : this.get(id);
  }

  /** Returns how many there were. */
  removeAllOf(agentGroupId: AgentGroupId): number {
    return this.#db.prepare('DELETE FROM wirings WHERE agent_group_id = ?').run(agentGroupId).changes;
  }

  /** Removes the wiring; the destination stays until it is removed by name. Whether a row with this revision was there. */
  remove(id: WiringId, revision: number): boolean {
    return this.#db.prepare('DELETE FROM wirings WHERE id = ? AND revision = ?').run(id, revision).changes > 0;
  }
}

function toWiring(row: Row): Wiring {
  return {
    id: row.id as WiringId,
    messagingGroupId: row.messaging_group_id as MessagingGroupId,
    agentGroupId: row.agent_group_id as AgentGroupId,
    engageMode: row.engage_mode,
    engagePattern: row.engage_pattern,
    senderScope: row.sender_scope,
    ignoredMessagePolicy: row.ignored_message_policy,
    sessionMode: row.session_mode,
    priority: row.priority,
    createdAt: row.created_at,
    revision: row.revision,
  };
}
