/** Everything that leads to an agent or from it, over all tables: what goes with the agent in one commit. */
import type { AgentGroupId, MessageId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';
import { DestinationStore } from './destinations.ts';
import type { Cause } from './ledger.ts';
import { WiringStore } from './wirings.ts';

export interface RemovedRoutes {
  wirings: number;
  /** Its own. */
  destinations: number;
  /** Agents that had it as a destination, and whose charts are to be written anew. */
  pointing: AgentGroupId[];
  tasks: number;
  /** Rules of what it may reach outside. */
  accessRules: number;
  /** The messages of its open questions: what is shown of them has changed. */
  questions: MessageId[];
}

export class AgentRoutes {
  readonly #db: CentralDb;
  readonly #wirings: WiringStore;
  readonly #destinations: DestinationStore;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#wirings = new WiringStore(db);
    this.#destinations = new DestinationStore(db);
  }

  /** In the caller's transaction. Repeated, it finds nothing more. */
  removeAll(agentGroupId: AgentGroupId, { by, at: now }: Cause): RemovedRoutes {
    const cause = { by, at: now, because: { removedAgent: agentGroupId } };
    const destinations = this.#destinations.listFor(agentGroupId).length;
    this.#forgetPeers(agentGroupId, now);
    return {
      wirings: this.#wirings.removeAllOf(agentGroupId, cause),
      destinations,
      pointing: this.#destinations.removeAllOf(agentGroupId, cause),
      tasks: this.#cancelTasks(agentGroupId, now),
      accessRules: this.#db.prepare('DELETE FROM access_rules WHERE agent_group_id = ?').run(agentGroupId).changes,
      questions: this.#withdrawQuestions(agentGroupId),
    };
  }

  #cancelTasks(agentGroupId: AgentGroupId, now: number): number {
    return this.#db
      .prepare(
        `UPDATE tasks SET state = 'cancelled', next_at = NULL, updated_at = ?, revision = revision + 1
         WHERE agent_group_id = ? AND state IN ('active', 'paused')`,
      )
      .run(now, agentGroupId).changes;
  }

  /** Its own alone: the card of an approval belongs to the host. */
  #withdrawQuestions(agentGroupId: AgentGroupId): MessageId[] {
    return this.#db
      .prepare<[string], { message_id: string }>(
        `UPDATE pending_questions SET state = 'withdrawn', is_shown = 0, is_told = 1
         WHERE session_id IN (SELECT id FROM sessions WHERE agent_group_id = ?)
           AND state = 'pending' AND approval_id IS NULL RETURNING message_id`,
      )
      .all(agentGroupId)
      .map((row) => row.message_id as MessageId);
  }

  #forgetPeers(agentGroupId: AgentGroupId, now: number): void {
    this.#db
      .prepare(
        `DELETE FROM peer_links WHERE peer_agent_group_id = @agentGroupId
           OR session_id IN (SELECT id FROM sessions WHERE agent_group_id = @agentGroupId)`,
      )
      .run({ agentGroupId });
    this.#db
      .prepare(
        `UPDATE peer_pauses SET state = 'ended', decided_at = @now
         WHERE state = 'paused' AND (agent_a = @agentGroupId OR agent_b = @agentGroupId)`,
      )
      .run({ agentGroupId, now });
  }
}
