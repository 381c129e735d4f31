/** How the MCP servers of an agent came up, as its containers last said: one row per server, of its present definition. */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import type { McpServer } from '../../shared/mcp-servers.ts';
import type { CentralDb } from './database.ts';

export interface McpReport {
  name: string;
  /** In the container's words, bounded; null: it is up. */
  problem: string | null;
  tools: number;
  sessionId: SessionId | null;
  reportedAt: number;
}

interface Row {
  name: string;
  server: string;
  session_id: string | null;
  problem: string | null;
  tools: number;
  reported_at: number;
  told_after: string | null;
}

export class McpReportStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /**
   * Notes what `row` of a container says of one server. Whether its people are to be told because of this row: of
   * one definition that does not come up they are told once, and the same row told again answers the same.
   */
  note(
    agentGroupId: AgentGroupId,
    server: McpServer,
    said: { problem: string | null; tools: number; sessionId: SessionId; row: string },
    now: number,
  ): boolean {
    const definition = JSON.stringify(server);
    const known = this.#db
      .prepare<[string, string], Row>('SELECT * FROM mcp_server_reports WHERE agent_group_id = ? AND name = ?')
      .get(agentGroupId, server.name);
    const told = known?.server === definition ? known.told_after : null;
    const toldAfter = told ?? (said.problem === null ? null : said.row);
    this.#db
      .prepare(
        `INSERT INTO mcp_server_reports
           (agent_group_id, name, server, session_id, problem, tools, reported_at, told_after)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (agent_group_id, name) DO UPDATE SET server = excluded.server, session_id = excluded.session_id,
           problem = excluded.problem, tools = excluded.tools, reported_at = excluded.reported_at,
           told_after = excluded.told_after`,
      )
      .run(agentGroupId, server.name, definition, said.sessionId, said.problem, said.tools, now, toldAfter);
    return said.problem !== null && toldAfter === said.row;
  }

  /** Of the servers as they are defined now; what was said of an earlier definition is left out. */
  list(agentGroupId: AgentGroupId, servers: readonly McpServer[]): McpReport[] {
    const rows = this.#db
      .prepare<[string], Row>('SELECT * FROM mcp_server_reports WHERE agent_group_id = ?')
      .all(agentGroupId);
    return servers.flatMap((server) => {
      const row = rows.find(({ name, server: text }) => name === server.name && text === JSON.stringify(server));
      if (row === undefined) return [];
      const { name, problem, tools, reported_at: reportedAt } = row;
      // The column holds what `note` was given.
      return [{ name, problem, tools, sessionId: row.session_id as SessionId | null, reportedAt }];
    });
  }

  /** Forgets servers that the agent has no more. */
  prune(agentGroupId: AgentGroupId, names: readonly string[]): void {
    this.#db
      .prepare(
        `DELETE FROM mcp_server_reports WHERE agent_group_id = ? AND name NOT IN (SELECT value FROM json_each(?))`,
      )
      .run(agentGroupId, JSON.stringify(names));
  }
}
