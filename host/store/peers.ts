/**
 * Agents that write to agents: which sessions talk with each other, and which pairs are paused.
 *
 * I1. A pair has at most one pause that is open.
 * I2. A link never leads to a session that ended.
 */
import { type AgentGroupId, makeId, type PeerPauseId, type SessionId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** One end of an exchange. */
export interface PeerEnd {
  id: SessionId;
  agentGroupId: AgentGroupId;
}

export type PeerPauseReason = 'rate' | 'hop';

export interface PeerPause {
  id: PeerPauseId;
  agentA: AgentGroupId;
  agentB: AgentGroupId;
  reason: PeerPauseReason;
  /** What an admin is asked, word for word. */
  question: string;
  /** Whose message was too much; null when that session is gone. */
  sessionId: SessionId | null;
  /** The session that message was for, if there was one yet. */
  peerSessionId: SessionId | null;
  state: 'paused' | 'resumed' | 'ended';
  decidedBy: string | null;
  createdAt: number;
  decidedAt: number | null;
}

interface PauseRow {
  id: string;
  agent_a: string;
  agent_b: string;
  reason: PeerPauseReason;
  question: string;
  session_id: string | null;
  peer_session_id: string | null;
  state: PeerPause['state'];
  decided_by: string | null;
  created_at: number;
  decided_at: number | null;
}

export class PeerStore {
  readonly #db: CentralDb;
  readonly #findLink;
  readonly #putLink;
  readonly #latest;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#findLink = db.prepare<[string, string], { id: string }>(
      `SELECT l.peer_session_id AS id FROM peer_links l JOIN sessions s ON s.id = l.peer_session_id
       WHERE l.session_id = ? AND l.peer_agent_group_id = ? AND s.ended_at IS NULL`,
    );
    this.#putLink = db.prepare(
      `INSERT INTO peer_links (session_id, peer_agent_group_id, peer_session_id, last_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (session_id, peer_agent_group_id)
       DO UPDATE SET peer_session_id = excluded.peer_session_id, last_at = excluded.last_at`,
    );
    this.#latest = db.prepare<[string, string], PauseRow>(
      'SELECT * FROM peer_pauses WHERE agent_a = ? AND agent_b = ? ORDER BY created_at DESC, rowid DESC LIMIT 1',
    );
    this.#get = db.prepare<[string], PauseRow>('SELECT * FROM peer_pauses WHERE id = ?');
  }

  /** The session of that agent which this session last talked with. */
  findLink(sessionId: SessionId, peer: AgentGroupId): SessionId | null {
    // The column refers to sessions.
    return (this.#findLink.get(sessionId, peer)?.id ?? null) as SessionId | null;
  }

  /** These two talk with each other from now on, in both directions. */
  link(one: PeerEnd, other: PeerEnd, now: number): void {
    this.#db.transaction(() => {
      this.#putLink.run(one.id, other.agentGroupId, other.id, now);
      this.#putLink.run(other.id, one.agentGroupId, one.id, now);
    })();
  }

  getPause(id: PeerPauseId): PeerPause | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toPause(row);
  }

  /** The newest pause of two agents, whatever became of it; their order does not matter. */
  latestPause(one: AgentGroupId, other: AgentGroupId): PeerPause | null {
    const row = this.#latest.get(...orderPair(one, other));
    return row === undefined ? null : toPause(row);
  }

  /** Pauses that wait for a person, oldest first. */
  listPaused(): PeerPause[] {
    return this.#db
      .prepare<[], PauseRow>(`SELECT * FROM peer_pauses WHERE state = 'paused' ORDER BY created_at`)
      .all()
      .map(toPause);
  }

  /** Pauses a pair, or finds the pause that is open (I1). `record` runs in the commit of a new one. */
  pause(
    from: PeerEnd,
    to: { agentGroupId: AgentGroupId; sessionId: SessionId | null },
    why: { reason: PeerPauseReason; question: string },
    now: number,
    record: (pause: PeerPause) => void,
  ): PeerPause {
    const [agentA, agentB] = orderPair(from.agentGroupId, to.agentGroupId);
    return this.#db.transaction(() => {
      const latest = this.latestPause(agentA, agentB);
      if (latest?.state === 'paused') return latest;
      const pause: PeerPause = {
        id: makeId('peerPause', now),
        agentA,
        agentB,
        ...why,
        sessionId: from.id,
        peerSessionId: to.sessionId,
        state: 'paused',
        decidedBy: null,
        createdAt: now,
        decidedAt: null,
      };
      this.#db
        .prepare(
          `INSERT INTO peer_pauses (id, agent_a, agent_b, reason, question, session_id, peer_session_id, state, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, 'paused', ?)`,
        )
        .run(pause.id, agentA, agentB, why.reason, why.question, from.id, to.sessionId, now);
      record(pause);
      return pause;
    })();
  }

  /** Ends a pause, once. Null when it was decided before, or is gone. `record` runs in the same commit. */
  decide(
    id: PeerPauseId,
    state: 'resumed' | 'ended',
    by: string | null,
    now: number,
    record: (pause: PeerPause) => void,
  ): PeerPause | null {
    return this.#db.transaction(() => {
      const held = this.#db
        .prepare(`UPDATE peer_pauses SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'paused'`)
        .run(state, by, now, id);
      const pause = held.changes === 0 ? null : this.getPause(id);
      if (pause !== null) record(pause);
      return pause;
    })();
  }
}

function orderPair(one: AgentGroupId, other: AgentGroupId): [AgentGroupId, AgentGroupId] {
  return one < other ? [one, other] : [other, one];
}

function toPause(row: PauseRow): PeerPause {
  return {
    // Written by this store alone, from branded ids.
    id: row.id as PeerPauseId,
    agentA: row.agent_a as AgentGroupId,
    agentB: row.agent_b as AgentGroupId,
    reason: row.reason,
    question: row.question,
    sessionId: row.session_id as SessionId | null,
    peerSessionId: row.peer_session_id as SessionId | null,
    state: row.state,
    decidedBy: row.decided_by,
    createdAt: row.created_at,
    decidedAt: row.decided_at,
  };
}
