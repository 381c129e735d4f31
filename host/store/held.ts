/**
 * Messages that wait for an admin, in the order they came, and how much of them there is.
 *
 * I1. One row per message and gate: told twice, it is held once.
 * I2. Counts and sizes of all are known without looking at the rows: a host where nothing waits asks no table.
 */
import type { AgentGroupId, HeldId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** What a held message waits for: its sender to be let in to an agent, or its chat to be wired. */
export type Gate =
  | { kind: 'sender'; agentGroupId: AgentGroupId; senderId: UserId }
  | { kind: 'chat'; channelType: string; platformId: string };

export interface HeldMessage {
  id: HeldId;
  position: number;
  gate: Gate;
  channelType: string;
  platformId: string;
  senderId: UserId;
  clientId: string;
  /** JSON of the event as the channel gave it. */
  event: string;
  sizeBytes: number;
  createdAt: number;
}

export type NewHeldMessage = Omit<HeldMessage, 'position'>;

export interface HeldAmount {
  count: number;
  bytes: number;
}

interface Row {
  id: string;
  position: number;
  agent_group_id: string;
  channel_type: string;
  platform_id: string;
  sender_id: string;
  client_id: string;
  event: string;
  size_bytes: number;
  created_at: number;
}

/** `agent_group_id` of what waits for its chat. */
const NO_AGENT = '';

export class HeldStore {
  readonly #db: CentralDb;
  readonly #total: HeldAmount;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#total = readAmount(
      db.prepare('SELECT count(*) AS count, coalesce(sum(size_bytes), 0) AS bytes FROM held_messages').get(),
    );
  }

  /** All that is held. */
  get total(): Readonly<HeldAmount> {
    return this.#total;
  }

  /** Whether it was not there yet (I1). */
  insert(held: NewHeldMessage): boolean {
    const made = this.#db
      .prepare(
        `INSERT INTO held_messages (id, channel_type, platform_id, sender_id, agent_group_id, client_id, event,
           size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .run(
        held.id,
        held.channelType,
        held.platformId,
        held.senderId,
        agentOf(held.gate),
        held.clientId,
        held.event,
        held.sizeBytes,
        held.createdAt,
      );
    if (made.changes === 0) return false;
    this.#total.count++;
    this.#total.bytes += held.sizeBytes;
    return true;
  }

  /** Whether this message waits at this gate. */
  has(gate: Gate, channelType: string, platformId: string, senderId: UserId, clientId: string): boolean {
    if (this.#total.count === 0) return false;
    return (
      this.#db
        .prepare(
          `SELECT 1 FROM held_messages WHERE channel_type = ? AND platform_id = ? AND agent_group_id = ?
             AND sender_id = ? AND client_id = ?`,
        )
        .get(channelType, platformId, agentOf(gate), senderId, clientId) !== undefined
    );
  }

  /** Whether anything waits at this gate. */
  waitsAt(gate: Gate): boolean {
    return this.#total.count > 0 && this.listAt(gate, 1).length > 0;
  }

  /** What waits at a gate, oldest first. */
  listAt(gate: Gate, limit: number): HeldMessage[] {
    const rows =
      gate.kind === 'sender'
        ? this.#db
            .prepare<[string, string, number], Row>(
              'SELECT * FROM held_messages WHERE agent_group_id = ? AND sender_id = ? ORDER BY position LIMIT ?',
            )
            .all(gate.agentGroupId, gate.senderId, limit)
        : this.#db
            .prepare<[string, string, string, number], Row>(
              `SELECT * FROM held_messages WHERE channel_type = ? AND platform_id = ? AND agent_group_id = ?
               ORDER BY position LIMIT ?`,
            )
            .all(gate.channelType, gate.platformId, NO_AGENT, limit);
    return rows.map(toHeld);
  }

  /** What one sender has waiting at a gate in one chat. */
  amountOf(gate: Gate, channelType: string, platformId: string, senderId: UserId): HeldAmount {
    return readAmount(
      this.#db
        .prepare(
          `SELECT count(*) AS count, coalesce(sum(size_bytes), 0) AS bytes FROM held_messages
           WHERE channel_type = ? AND platform_id = ? AND agent_group_id = ? AND sender_id = ?`,
        )
        .get(channelType, platformId, agentOf(gate), senderId),
    );
  }

  /** Gates of the same sort as this one where something waits: senders of the same agent, or chats. */
  countGatesLike(gate: Gate): number {
    const counted =
      gate.kind === 'sender'
        ? this.#db
            .prepare('SELECT count(DISTINCT sender_id) FROM held_messages WHERE agent_group_id = ?')
            .pluck()
            .get(gate.agentGroupId)
        : this.#db
            .prepare(
              `SELECT count(*) FROM (SELECT DISTINCT channel_type, platform_id FROM held_messages WHERE agent_group_id = '')`,
            )
            .pluck()
            .get();
    return Number(counted);
  }

  /** Every gate where something waits, the longest waiting first. */
  listGates(): Gate[] {
    return this.#db
      .prepare<[], Row>(
        `SELECT *, min(position) FROM held_messages
         GROUP BY agent_group_id, CASE agent_group_id WHEN '' THEN channel_type || ' ' || platform_id ELSE sender_id END
         ORDER BY min(position)`,
      )
      .all()
      .map((row) => toHeld(row).gate);
  }

  listBefore(createdAt: number, limit: number): HeldMessage[] {
    return this.#db
      .prepare<[number, number], Row>('SELECT * FROM held_messages WHERE created_at < ? ORDER BY created_at LIMIT ?')
      .all(createdAt, limit)
      .map(toHeld);
  }

  exists(id: string): boolean {
    return this.#db.prepare('SELECT 1 FROM held_messages WHERE id = ?').get(id) !== undefined;
  }

  remove(held: Pick<HeldMessage, 'id' | 'sizeBytes'>): void {
    const gone = this.#db.prepare('DELETE FROM held_messages WHERE id = ?').run(held.id);
    if (gone.changes === 0) return;
    this.#total.count--;
    this.#total.bytes -= held.sizeBytes;
  }
}

function agentOf(gate: Gate): string {
  return gate.kind === 'sender' ? gate.agentGroupId : NO_AGENT;
}

function readAmount(row: unknown): HeldAmount {
  const { count, bytes } = row as HeldAmount;
  return { count, bytes };
}

function toHeld(row: Row): HeldMessage {
  return {
    id: row.id as HeldId,
    position: row.position,
    gate:
      row.agent_group_id === NO_AGENT
        ? { kind: 'chat', channelType: row.channel_type, platformId: row.platform_id }
        : {
            kind: 'sender',
            agentGroupId: row.agent_group_id as AgentGroupId,
            senderId: row.sender_id as UserId,
          },
    channelType: row.channel_type,
    platformId: row.platform_id,
    senderId: row.sender_id as UserId,
    clientId: row.client_id,
    event: row.event,
    sizeBytes: row.size_bytes,
    createdAt: row.created_at,
  };
}
