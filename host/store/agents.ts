/** Agent groups and their container configs. Those that were removed are seen by the `…Archived` calls alone. */
import type { AgentGroupId, MessageId, SessionId, TraceId } from '../../shared/ids.ts';
import { makeId } from '../../shared/ids.ts';
import type { McpServer } from '../../shared/mcp-servers.ts';
import type { Packages } from '../../shared/packages.ts';
import type { Effort } from '../../shared/providers.ts';
import { type ConfigChangeNote, ConfigHistoryStore } from './config-history.ts';
import type { CentralDb } from './database.ts';

/** Whom to tell that an agent is ready: the row that asked for it, and where that came from. */
export interface ReadyNote {
  sessionId: SessionId;
  messageId: MessageId;
  traceId: TraceId;
  origin: { channelType: string; platformId: string; threadId: string | null } | null;
}

/** What is still to be done about an agent after the commit that decided it. Folders are single names. */
export type OpenWork =
  | { kind: 'make'; instructions: string | null; tell: ReadyNote | null }
  | { kind: 'remove'; archiveFolder: string }
  | { kind: 'restore'; archiveFolder: string };

export interface AgentGroup {
  id: AgentGroupId;
  name: string;
  /** Folder under groups/: one path component, unique without regard to case. */
  folder: string;
  isAdmin: boolean;
  createdAt: number;
  /** When it was removed; null while it lives. */
  archivedAt: number | null;
  openWork: OpenWork | null;
  /** Rises with a change of the group or of its config. */
  revision: number;
  config: ContainerConfig;
}

export interface ContainerConfig {
  provider: string;
  /** Null: the provider's own default. */
  model: string | null;
  /** Through which service its model is reached; null: the provider's own. */
  service: string | null;
  /** Null: as the model does by itself. */
  effort: Effort | null;
  timezone: string;
  resources: { memoryMb?: number; cpus?: number; pids?: number };
  /** Null means the newest agent image. */
  image: string | null;
  /** What its own image holds beside the base. */
  packages: Packages;
  mcpServers: McpServer[];
  mounts: Mount[];
  /** Rises with each change; every one that was is in the history. */
  revision: number;
}

/** What a history keeps of a config, and what a change replaces. */
export type ConfigContent = Omit<ContainerConfig, 'image' | 'revision'>;

/** A folder of the machine inside an agent's containers, at /workspace/mounts/<name>. */
export interface Mount {
  name: string;
  /** Absolute, as it was allowed: the real path is looked up again at every start. */
  path: string;
  isReadOnly: boolean;
}

interface Row {
  id: string;
  name: string;
  folder: string;
  is_admin: number;
  created_at: number;
  archived_at: number | null;
  open_work: string | null;
  revision: number;
  provider: string;
  model: string | null;
  service: string | null;
  effort: Effort | null;
  timezone: string;
  resources: string;
  image: string | null;
  packages: string;
  mcp_servers: string;
  mounts: string;
  config_revision: number;
}

const SELECT_ALL = `
SELECT g.id, g.name, g.folder, g.is_admin, g.created_at, g.archived_at, g.open_work, g.revision,
       c.provider, c.model, c.service, c.effort, c.timezone, c.resources, c.image, c.packages, c.mcp_servers,
       c.mounts, c.revision AS config_revision
FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id`;
const SELECT = `${SELECT_ALL} WHERE g.archived_at IS NULL`;
const SELECT_ARCHIVED = `${SELECT_ALL} WHERE g.archived_at IS NOT NULL`;

export class AgentStore {
  readonly #db: CentralDb;
  readonly #history: ConfigHistoryStore;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#history = new ConfigHistoryStore(db);
    this.#get = db.prepare<[string], Row>(`${SELECT} AND g.id = ?`);
  }

  /** With the first revision of its config. `name` and `folder` must have been planned (host/agents). */
  create(input: {
    /** Made when absent. */
    id?: AgentGroupId;
    /** The agent that asked for it; a person when absent. */
    createdBy?: AgentGroupId | null;
    /** Whom the history of its config names: a user or agent; `host` when absent. */
    by?: string;
    openWork?: OpenWork;
    name: string;
    folder: string;
    isAdmin?: boolean;
    provider?: string;
    model?: string | null;
    service?: string | null;
    effort?: Effort | null;
    timezone?: string;
    now: number;
  }): AgentGroup {
    const id = input.id ?? makeId('agentGroup', input.now);
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO agent_groups (id, name, folder, is_admin, created_at, created_by, open_work)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          id,
          input.name,
          input.folder,
          input.isAdmin ? 1 : 0,
          input.now,
          input.createdBy ?? null,
          input.openWork === undefined ? null : JSON.stringify(input.openWork),
        );
      this.#db
        .prepare(
          `INSERT INTO container_configs (agent_group_id, provider, model, service, effort, timezone)
           VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(
          id,
          input.provider ?? 'demo',
          input.model ?? null,
          input.service ?? null,
          input.effort ?? null,
          input.timezone ?? 'UTC',
        );
      this.#keep(id, { by: input.by ?? input.createdBy ?? 'host', approvalId: null, reason: 'made' }, input.now);
    })();
    const made = this.get(id);
    if (made === null) throw new Error('the agent group vanished');
    return made;
  }

  /** The config as it is now, into its history. */
  #keep(id: AgentGroupId, change: ConfigChangeNote, now: number): void {
    const agent = this.get(id);
    if (agent === null) throw new Error('a config without its agent');
    const { revision, image: _, ...content } = agent.config;
    this.#history.append({ ...change, agentGroupId: id, revision, content, at: now });
  }

  get(id: AgentGroupId): AgentGroup | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toAgentGroup(row);
  }

  findByName(name: string): AgentGroup | null {
    const row = this.#db.prepare<[string], Row>(`${SELECT} AND g.name = ? COLLATE NOCASE`).get(name);
    return row === undefined ? null : toAgentGroup(row);
  }

  /** By an agent that lives or was removed: its folder waits for it. */
  folderTaken(folder: string): boolean {
    return this.#db.prepare('SELECT 1 FROM agent_groups WHERE folder = ?').get(folder) !== undefined;
  }

  /** Oldest first, after `cursor` (an id). */
  list(limit: number, cursor: string | null = null): AgentGroup[] {
    return this.#db
      .prepare<[string, number], Row>(`${SELECT} AND g.id > ? ORDER BY g.id LIMIT ?`)
      .all(cursor ?? '', limit)
      .map(toAgentGroup);
  }

  getArchived(id: AgentGroupId): AgentGroup | null {
    const row = this.#db.prepare<[string], Row>(`${SELECT_ARCHIVED} AND g.id = ?`).get(id);
    return row === undefined ? null : toAgentGroup(row);
  }

  /** Oldest first, after `cursor` (an id). */
  listArchived(limit: number, cursor: string | null = null): AgentGroup[] {
    return this.#db
      .prepare<[string, number], Row>(`${SELECT_ARCHIVED} AND g.id > ? ORDER BY g.id LIMIT ?`)
      .all(cursor ?? '', limit)
      .map(toAgentGroup);
  }

  /** Agents, removed ones too, about which something is still to be done; from an index. */
  listOpenWork(): AgentGroup[] {
    return this.#db
      .prepare<[], Row>(`${SELECT_ALL} WHERE g.open_work IS NOT NULL ORDER BY g.id`)
      .all()
      .map(toAgentGroup);
  }

  /** How many the agent made since then, removed ones too. */
  countMadeBy(id: AgentGroupId, since: number): number {
    return Number(
      this.#db
        .prepare('SELECT count(*) FROM agent_groups WHERE created_by = ? AND created_at >= ?')
        .pluck()
        .get(id, since),
    );
  }

  /** What was to be done is done. Work of another kind that was begun meanwhile stays. */
  closeWork(id: AgentGroupId, kind: OpenWork['kind']): void {
    this.#db
      .prepare(`UPDATE agent_groups SET open_work = NULL WHERE id = ? AND json_extract(open_work, '$.kind') = ?`)
      .run(id, kind);
  }

  /** Out of sight, with `work` left to do. Whether the revision still held. */
  archive(id: AgentGroupId, revision: number, work: OpenWork, now: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE agent_groups SET archived_at = ?, open_work = ?, revision = revision + 1
           WHERE id = ? AND revision = ? AND archived_at IS NULL`,
        )
        .run(now, JSON.stringify(work), id, revision).changes > 0
    );
  }

  unarchive(id: AgentGroupId, work: OpenWork): void {
    this.#db
      .prepare('UPDATE agent_groups SET archived_at = NULL, open_work = ?, revision = revision + 1 WHERE id = ?')
      .run(JSON.stringify(work), id);
  }

  /** In the transaction of a change: `change` follows, because containers are told their agent's name. */
  rename(id: AgentGroupId, name: string): void {
    this.#db.prepare('UPDATE agent_groups SET name = ? WHERE id = ?').run(name, id);
  }

  /**
   * Replaces the config, as its next revision, and keeps it in the history; the group's revision rises too.
   * In the caller's transaction. An approval that changed a config before is a bug here: look first.
   */
  change(id: AgentGroupId, content: ConfigContent, note: ConfigChangeNote, now: number): void {
    this.#db.prepare('UPDATE agent_groups SET revision = revision + 1 WHERE id = ?').run(id);
    this.#db
      .prepare(
        `UPDATE container_configs SET revision = revision + 1, provider = ?, model = ?, service = ?, effort = ?,
           timezone = ?, resources = ?, packages = ?, mcp_servers = ?, mounts = ? WHERE agent_group_id = ?`,
      )
      .run(
        content.provider,
        content.model,
        content.service,
        content.effort,
        content.timezone,
        JSON.stringify(content.resources),
        JSON.stringify(content.packages),
        JSON.stringify(content.mcpServers),
        JSON.stringify(content.mounts),
        id,
      );
    this.#keep(id, note, now);
  }
}

function toAgentGroup(row: Row): AgentGroup {
  return {
    id: row.id as AgentGroupId,
    name: row.name,
    folder: row.folder,
    isAdmin: row.is_admin === 1,
    createdAt: row.created_at,
    archivedAt: row.archived_at,
    openWork: row.open_work === null ? null : JSON.parse(row.open_work),
    revision: row.revision,
    config: {
      provider: row.provider,
      model: row.model,
      service: row.service,
      effort: row.effort,
      timezone: row.timezone,
      resources: JSON.parse(row.resources),
      image: row.image,
      packages: JSON.parse(row.packages),
      mcpServers: JSON.parse(row.mcp_servers),
      mounts: JSON.parse(row.mounts),
      revision: row.config_revision,
    },
  };
}
