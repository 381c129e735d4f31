/** The two files that tell a runner who it is and where it may send. Replaced atomically. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import { MAX_BATCH, MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE, MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { type Chart, type Destination, PROTOCOL_VERSION, type SessionFile } from '../../shared/protocol.ts';
import { MODES, type SessionPaths } from '../../shared/session-files.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { ChatStore } from '../store/chats.ts';
import type { DestinationRow, DestinationStore } from '../store/destinations.ts';
import type { Session } from '../store/sessions.ts';
import { replaceFile } from './atomic-file.ts';

/** What a channel can do beyond text, by channel type. */
export type AbilitiesOf = (channelType: string) => { canEdit: boolean; canReact: boolean };

export class Charts {
  readonly #agents: AgentStore;
  readonly #chats: ChatStore;
  readonly #destinations: DestinationStore;
  readonly #abilitiesOf: AbilitiesOf;

  constructor(agents: AgentStore, chats: ChatStore, destinations: DestinationStore, abilitiesOf: AbilitiesOf) {
    this.#agents = agents;
    this.#chats = chats;
    this.#destinations = destinations;
    this.#abilitiesOf = abilitiesOf;
  }

  build(agentGroupId: AgentGroupId): Chart {
    const formerNames = this.#destinations.listFormerNames(agentGroupId);
    const destinations = this.#destinations
      .listFor(agentGroupId)
      .flatMap((row) => this.#describe(row, formerNames.get(row.id) ?? []) ?? []);
    return { version: 1, destinations };
  }

  /** Writes both files; `agent` is the session's. */
  write(session: Session, agent: AgentGroup, paths: SessionPaths): void {
    this.writeChart(session, paths);
    const file: SessionFile = {
      protocolVersion: PROTOCOL_VERSION,
      sessionId: session.id,
      agentGroupId: agent.id,
      agentName: agent.name,
      isAdmin: agent.isAdmin,
      provider: agent.config.provider,
      model: agent.config.model,
      service: '',
      api: null,
      effort: null,
      timezone: agent.config.timezone,
      mcpServers: agent.config.mcpServers,
      packages: { apt: agent.config.packages.apt, npm: agent.config.packages.npm },
      limits: {
        maxTextBytes: MAX_TEXT_BYTES,
        maxFileBytes: MAX_FILE_BYTES,
        maxFilesPerMessage: MAX_FILES_PER_MESSAGE,
        maxBatch: MAX_BATCH,
      },
    };
    replaceFile(paths.session, `${JSON.stringify(file, null, 2)}\n`, MODES.inFile);
  }

  writeChart(session: Pick<Session, 'agentGroupId'>, paths: SessionPaths): void {
    replaceFile(paths.chart, `${JSON.stringify(this.build(session.agentGroupId), null, 2)}\n`, MODES.inFile);
  }

  #describe(row: DestinationRow, formerNames: string[]): Destination | null {
    switch (row.targetType) {
      case 'channel': {
        // The table holds messaging group ids for targets of type 'channel', agent group ids for 'agent'.
        const chat = this.#chats.get(row.targetId as MessagingGroupId);
        if (chat === null) return null;
        return {
          type: 'channel',
          name: row.localName,
          formerNames,
          displayName: chat.name === '' ? row.localName : chat.name,
          channelType: chat.channelType,
          platformId: chat.platformId,
          ...this.#abilitiesOf(chat.channelType),
        };
      }
      case 'agent': {
        const agent = this.#agents.get(row.targetId as AgentGroupId);
        if (agent === null) return null;
        return { type: 'agent', name: row.localName, formerNames, displayName: agent.name, agentGroupId: agent.id };
      }
    }
  }
}
