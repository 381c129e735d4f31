/**
 * Sessions: who they belong to, and what the runtime last saw of them.
 *
 * Invariant: a session with open inbound rows, open deliveries or a container has `is_open = 1`
 * (set before the work exists, cleared when all is done), so that a starting host reads these alone.
 */
import type { AgentGroupId, MessagingGroupId, SessionId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export const RUNTIME_STATES = ['absent', 'starting', 'running', 'paused', 'stopping', 'failed'] as const;
export type RuntimeState = (typeof RUNTIME_STATES)[number];

export interface Session {
  id: SessionId;
  agentGroupId: AgentGroupId;
  /** Null when all chats of the agent feed this one session. */
  messagingGroupId: MessagingGroupId | null;
  threadId: string | null;
  title: string;
  runtimeState: RuntimeState;
  containerId: string | null;
  epoch: number;
  failures: number;
  stateReason: string | null;
  stateSince: number;
  quarantineReason: string | null;
  isOpen: boolean;
  nextDueAt: number | null;
  engagedAt: number | null;
  userOffset: number;
  lastActiveAt: number;
  createdAt: number;
  /** Rises with what people edit, the title; not with what happens in the session. */
  revision: number;
}

interface Row {
  id: string;
  agent_group_id: string;
  messaging_group_id: string;
  thread_id: string;
  title: string;
  runtime_state: RuntimeState;
  container_id: string | null;
  epoch: number;
  failures: number;
  state_reason: string | null;
  state_since: number;
  quarantine_reason: string | null;
  is_open: number;
  next_due_at: number | null;
  engaged_at: number | null;
  user_offset: number;
  last_active_at: number;
  created_at: number;
  revision: number;
}

export interface SessionKey {
  agentGroupId: AgentGroupId;
  messagingGroupId: MessagingGroupId | null;
  threadId: string | null;
}

export interface ObservedRow {
  runtimeState: RuntimeState;
  containerId: string | null;
  epoch: number;
  failures: number;
  stateReason: string | null;
}

export class SessionStore {
  readonly #db: CentralDb;
  readonly #find;
  readonly #get;
  readonly #touch;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#find = db.prepare<[string, string, string], Row>(
      'SELECT * FROM sessions WHERE agent_group_id = ? AND messaging_group_id = ? AND thread_id = ? AND ended_at IS NULL',
    );
    this.#get = db.prepare<[string], Row>('SELECT * FROM sessions WHERE id = ? AND ended_at IS NULL');
    this.#touch = db.prepare('UPDATE sessions SET is_open = 1, last_active_at = max(last_active_at, ?) WHERE id = ?');
  }

  find(key: SessionKey): Session | null {
    const row = this.#find.get(key.agentGroupId, key.messagingGroupId ?? '', key.threadId ?? '');
    return row === undefined ? null : toSession(row);
  }

  get(id: SessionId): Session | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toSession(row);
  }

  /** The session of a chat that was used last, null when none is of this chat alone. */
  findInChat(messagingGroupId: MessagingGroupId): Session | null {
    const row = this.#db
      .prepare<[string], Row>(
        `SELECT * FROM sessions WHERE messaging_group_id = ? AND ended_at IS NULL ORDER BY last_active_at DESC LIMIT 1`,
      )
      .get(messagingGroupId);
    return row === undefined ? null : toSession(row);
  }

  create(key: SessionKey, title: string, now: number): Session {
    const id = makeId('session', now);
    this.#db
      .prepare(
        `INSERT INTO sessions (id, agent_group_id, messaging_group_id, thread_id, title, state_since, user_offset,
           last_active_at, created_at)
         SELECT @id, @agentGroupId, @messagingGroupId, @threadId, @title, @now, coalesce(max(user_offset), -1) + 1, @now, @now
         FROM sessions`,
      )
      .run({
        id,
        agentGroupId: key.agentGroupId,
        messagingGroupId: key.messagingGroupId ?? '',
        threadId: key.threadId ?? '',
        title,
        now,
      });
    const made = this.get(id);
    if (made === null) throw new Error('the session vanished');
    return made;
  }

  /** Newest activity first, strictly after the cursor of the page before. */
  listRecent(
    limit: number,
    after: { lastActiveAt: number; id: string } | null = null,
    agentGroupId: AgentGroupId | null = null,
  ): Session[] {
    return this.#db
      .prepare<[number, string, string | null, number], Row>(
        `SELECT * FROM sessions WHERE (last_active_at, id) < (?, ?) AND ended_at IS NULL
           AND agent_group_id = coalesce(?, agent_group_id)
         ORDER BY last_active_at DESC, id DESC LIMIT ?`,
      )
      .all(after?.lastActiveAt ?? Number.MAX_SAFE_INTEGER, after?.id ?? '~', agentGroupId, limit)
      .map(toSession);
  }

  listForAgent(agentGroupId: AgentGroupId): Session[] {
    return this.#db
      .prepare<[string], Row>('SELECT * FROM sessions WHERE agent_group_id = ? AND ended_at IS NULL')
      .all(agentGroupId)
      .map(toSession);
  }

  /** One that is over. */
  getEnded(id: SessionId): Session | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM sessions WHERE id = ? AND ended_at IS NOT NULL').get(id);
    return row === undefined ? null : toSession(row);
  }

  /** Over: nothing finds it any more but the messages it holds. */
  end(id: SessionId, now: number): void {
    this.#db
      .prepare('UPDATE sessions SET ended_at = coalesce(ended_at, ?), is_open = 0, next_due_at = NULL WHERE id = ?')
      .run(now, id);
  }

  /** Sessions of an agent that came back. */
  reopenAllOf(agentGroupId: AgentGroupId): void {
    this.#db.prepare('UPDATE sessions SET ended_at = NULL WHERE agent_group_id = ?').run(agentGroupId);
  }

  listOpenIds(): SessionId[] {
    return this.#db
      .prepare<[], { id: string }>('SELECT id FROM sessions WHERE is_open = 1')
      .all()
      .map((row) => row.id as SessionId);
  }

  /** Something is about to be left to do: noted before it exists, so that a crash in between finds it. */
  markOpen(id: SessionId, now: number): void {
    this.#touch.run(now, id);
  }

  setOpen(id: SessionId, isOpen: boolean): void {
    this.#db
      .prepare('UPDATE sessions SET is_open = @isOpen WHERE id = @id AND is_open <> @isOpen')
      .run({ id, isOpen: isOpen ? 1 : 0 });
  }

  setNextDue(id: SessionId, at: number | null): void {
    this.#db.prepare('UPDATE sessions SET next_due_at = @at WHERE id = @id AND next_due_at IS NOT @at').run({ id, at });
  }

  /** The earliest due time of all sessions, from the index. */
  nextDue(): { sessionId: SessionId; at: number } | null {
    const row = this.#db
      .prepare<[], { id: string; next_due_at: number }>(
        'SELECT id, next_due_at FROM sessions WHERE next_due_at IS NOT NULL ORDER BY next_due_at LIMIT 1',
      )
      .get();
    return row === undefined ? null : { sessionId: row.id as SessionId, at: row.next_due_at };
  }

  listDue(now: number, limit: number): SessionId[] {
    return this.#db
      .prepare<[number, number], { id: string }>(
        'SELECT id FROM sessions WHERE next_due_at IS NOT NULL AND next_due_at <= ? ORDER BY next_due_at LIMIT ?',
      )
      .all(now, limit)
      .map((row) => row.id as SessionId);
  }

  markEngaged(id: SessionId, now: number): void {
    this.#db.prepare('UPDATE sessions SET engaged_at = ? WHERE id = ?').run(now, id);
  }

  saveObserved(id: SessionId, observed: ObservedRow, now: number): void {
    this.#db
      .prepare(
        `UPDATE sessions SET state_since = CASE WHEN runtime_state = @runtimeState THEN state_since ELSE @now END,
           runtime_state = @runtimeState, container_id = @containerId, epoch = @epoch, failures = @failures,
           state_reason = @stateReason,
           is_open = CASE WHEN @runtimeState IN ('absent', 'failed') THEN is_open ELSE 1 END
         WHERE id = @id`,
      )
      .run({ id, now, ...observed });
  }

  setQuarantine(id: SessionId, reason: string | null, now: number): void {
    this.#db.prepare('UPDATE sessions SET quarantine_reason = ?, state_since = ? WHERE id = ?').run(reason, now, id);
  }

  /** Null when the revision no longer holds, or the session is gone. */
  retitle(id: SessionId, revision: number, title: string): Session | null {
    const held = this.#db
      .prepare('UPDATE sessions SET title = ?, revision = revision + 1 WHERE id = ? AND revision = ?')
      .run(title, id, revision);
    return held.changes === 0 ? null : this.get(id);
  }

  countByState(): Record<string, number> {
    const counts: Record<string, number> = {};
    const rows = this.#db
      .prepare<[], { state: string; n: number }>(
        `SELECT CASE WHEN quarantine_reason IS NOT NULL THEN 'quarantined' ELSE runtime_state END AS state, count(*) AS n
         FROM sessions WHERE ended_at IS NULL GROUP BY 1`,
      )
      .all();
    for (const row of rows) counts[row.state] = row.n;
    return counts;
  }
}

function toSession(row: Row): Session {
  return {
    id: row.id as SessionId,
    agentGroupId: row.agent_group_id as AgentGroupId,
    messagingGroupId: row.messaging_group_id === '' ? null : (row.messaging_group_id as MessagingGroupId),
    threadId: row.thread_id === '' ? null : row.thread_id,
    title: row.title,
    runtimeState: row.runtime_state,
    containerId: row.container_id,
    epoch: row.epoch,
    failures: row.failures,
    stateReason: row.state_reason,
    stateSince: row.state_since,
    quarantineReason: row.quarantine_reason,
    isOpen: row.is_open === 1,
    nextDueAt: row.next_due_at,
    engagedAt: row.engaged_at,
    userOffset: row.user_offset,
    lastActiveAt: row.last_active_at,
    createdAt: row.created_at,
    revision: row.revision,
  };
}
