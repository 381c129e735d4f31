/**
 * Wirings: which agent group listens in which messaging group, and when it engages. Each change and its entry in
 * the ledger are one commit.
 */
import type { AgentGroupId, MessagingGroupId, WiringId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import { ChatStore } from './chats.ts';
import type { CentralDb } from './database.ts';
import { DestinationStore } from './destinations.ts';
import { type Cause, hostCause, Ledger, type LedgerDetail } from './ledger.ts';

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
  readonly #ledger: Ledger;
  readonly #listFor;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#listFor = db.prepare<[string], Row>(
      'SELECT * FROM wirings WHERE messaging_group_id = ? ORDER BY priority DESC, created_at, id',
    );
    this.#destinations = new DestinationStore(db);
    this.#chats = new ChatStore(db);
    this.#ledger = new Ledger(db);
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
    cause: Omit<Cause, 'at'> = { by: null },
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
      const wiring = this.#require(id);
      this.#record('created', wiring, { ...cause, at: now });
      this.#destinations.ensureFor({
        agentGroupId,
        wanted: chat.name,
        targetType: 'channel',
        targetId: messagingGroupId,
        now,
        cause: { by: cause.by, because: { wiring: id, ...cause.because } },
      });
      return wiring;
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
  update(id: WiringId, revision: number, settings: WiringSettings, cause: Cause = hostCause()): Wiring | null {
    return this.#db.transaction(() => {
      const before = this.get(id);
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
      if (held.changes === 0 || before === null) return null;
      const wiring = this.#require(id);
      this.#record('changed', wiring, cause, { before: JSON.stringify(settingsOf(before)) });
      return wiring;
    })();
  }

  /** Returns how many there were. */
  removeAllOf(agentGroupId: AgentGroupId, cause: Cause = hostCause()): number {
    return this.#db.transaction(() => {
      const gone = this.#db
        .prepare<[string], Row>('DELETE FROM wirings WHERE agent_group_id = ? RETURNING *')
        .all(agentGroupId);
      for (const row of gone) this.#record('removed', toWiring(row), cause);
      return gone.length;
    })();
  }

  /** Removes the wiring; the destination stays until it is removed by name. Whether a row with this revision was there. */
  remove(id: WiringId, revision: number, cause: Cause = hostCause()): boolean {
    return this.#db.transaction(() => {
      const gone = this.#db
        .prepare<[string, number], Row>('DELETE FROM wirings WHERE id = ? AND revision = ? RETURNING *')
        .get(id, revision);
      if (gone !== undefined) this.#record('removed', toWiring(gone), cause);
      return gone !== undefined;
    })();
  }

  #require(id: WiringId): Wiring {
    const wiring = this.get(id);
    if (wiring === null) throw new Error('a wiring vanished within its own commit');
    return wiring;
  }

  #record(what: 'created' | 'changed' | 'removed', wiring: Wiring, cause: Cause, more: LedgerDetail = {}): void {
    const { id, agentGroupId: agent, messagingGroupId: chat } = wiring;
    const detail = { agent, chat, ...settingsOf(wiring), ...more, ...cause.because };
    this.#ledger.append({ kind: `wiring.${what}`, sessionId: null, messageId: id, actor: cause.by, detail }, cause.at);
  }
}

function settingsOf(wiring: Wiring) {
  const { engageMode, engagePattern, senderScope, ignoredMessagePolicy, sessionMode, priority } = wiring;
  return { engageMode, engagePattern, senderScope, ignoredMessagePolicy, sessionMode, priority };
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
