/** Messaging groups: one chat on one platform. Who may write there changes in one commit with its entry in the ledger. */
import type { MessagingGroupId, UserId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';
import { type Cause, hostCause, Ledger } from './ledger.ts';

export const UNKNOWN_SENDER_POLICIES = ['strict', 'request_approval', 'public'] as const;
export type UnknownSenderPolicy = (typeof UNKNOWN_SENDER_POLICIES)[number];

export interface MessagingGroup {
  id: MessagingGroupId;
  channelType: string;
  platformId: string;
  name: string;
  isGroup: boolean;
  unknownSenderPolicy: UnknownSenderPolicy;
  /** Whose it is, in a chat of this host's own page; null: of its platform, or nobody's alone. */
  openedBy: UserId | null;
  createdAt: number;
  revision: number;
}

interface Row {
  id: string;
  channel_type: string;
  platform_id: string;
  name: string;
  is_group: number;
  unknown_sender_policy: UnknownSenderPolicy;
  opened_by: string | null;
  created_at: number;
  revision: number;
}

export class ChatStore {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #get;
  readonly #find;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#ledger = new Ledger(db);
    this.#get = db.prepare<[string], Row>('SELECT * FROM messaging_groups WHERE id = ?');
    this.#find = db.prepare<[string, string], Row>(
      'SELECT * FROM messaging_groups WHERE channel_type = ? AND platform_id = ?',
    );
  }

  /** Finds by platform, or creates. */
  ensure(input: {
    channelType: string;
    platformId: string;
    name: string;
    isGroup?: boolean;
    unknownSenderPolicy?: UnknownSenderPolicy;
    openedBy?: UserId | null;
    now: number;
  }): MessagingGroup {
    const known = this.find(input.channelType, input.platformId);
    if (known !== null) return known;
    this.#db
      .prepare(
        `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, opened_by,
           created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        makeId('messagingGroup', input.now),
        input.channelType,
        input.platformId,
        input.name,
        input.isGroup ? 1 : 0,
        input.unknownSenderPolicy ?? 'strict',
        input.openedBy ?? null,
        input.now,
      );
    const made = this.find(input.channelType, input.platformId);
    if (made === null) throw new Error('the messaging group vanished');
    return made;
  }

  get(id: MessagingGroupId): MessagingGroup | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toMessagingGroup(row);
  }

  find(channelType: string, platformId: string): MessagingGroup | null {
    const row = this.#find.get(channelType, platformId);
    return row === undefined ? null : toMessagingGroup(row);
  }

  /** Chats that no agent listens in. */
  countUnwired(): number {
    return Number(
      this.#db
        .prepare(
          `SELECT count(*) FROM messaging_groups AS chat
           WHERE NOT EXISTS (SELECT 1 FROM wirings WHERE messaging_group_id = chat.id)`,
        )
        .pluck()
        .get(),
    );
  }

  list(limit: number, cursor: string | null = null): MessagingGroup[] {
    return this.#db
      .prepare<[string, number], Row>('SELECT * FROM messaging_groups WHERE id > ? ORDER BY id LIMIT ?')
      .all(cursor ?? '', limit)
      .map(toMessagingGroup);
  }

  /** Null when the revision no longer holds, or the chat is gone. */
  update(
    id: MessagingGroupId,
    revision: number,
    patch: { name?: string; unknownSenderPolicy?: UnknownSenderPolicy },
    cause: Cause = hostCause(),
  ): MessagingGroup | null {
    return this.#db.transaction(() => {
      const before = this.get(id);
      const held = this.#db
        .prepare(
          `UPDATE messaging_groups SET revision = revision + 1, name = coalesce(?, name),
             unknown_sender_policy = coalesce(?, unknown_sender_policy) WHERE id = ? AND revision = ?`,
        )
        .run(patch.name ?? null, patch.unknownSenderPolicy ?? null, id, revision);
      if (held.changes === 0 || before === null) return null;
      const after = this.get(id) ?? before;
      const { name, unknownSenderPolicy: policy } = after;
      const earlier = { nameBefore: before.name, policyBefore: before.unknownSenderPolicy };
      this.#ledger.append(
        {
          kind: 'chat.changed',
          sessionId: null,
          messageId: id,
          actor: cause.by,
          detail: { name, policy, ...earlier, ...cause.because },
        },
        cause.at,
      );
      return after;
    })();
  }
}

function toMessagingGroup(row: Row): MessagingGroup {
  return {
    id: row.id as MessagingGroupId,
    channelType: row.channel_type,
    platformId: row.platform_id,
    name: row.name,
    isGroup: row.is_group === 1,
    unknownSenderPolicy: row.unknown_sender_policy,
    openedBy: row.opened_by as UserId | null,
    createdAt: row.created_at,
    revision: row.revision,
  };
}
