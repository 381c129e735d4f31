/** The two files that tell a runner who it is and where it may send. Replaced atomically. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import type { Chart, Destination } from '../../shared/protocol.ts';
import type { ModelApi } from '../../shared/providers.ts';
import { MODES, type SessionPaths } from '../../shared/session-files.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { ChatStore } from '../store/chats.ts';
import type { DestinationRow, DestinationStore } from '../store/destinations.ts';
import type { Session } from '../store/sessions.ts';
import { replaceFile } from './atomic-file.ts';
import { describeRunner } from './runner-file.ts';

/** What a channel can do beyond text, by channel type. */
export type AbilitiesOf = (channelType: string) => { canEdit: boolean; canReact: boolean };

export class Charts {
  readonly #agents: AgentStore;
  readonly #chats: ChatStore;
  readonly #destinations: DestinationStore;
  readonly #abilitiesOf: AbilitiesOf;
  readonly #apiOf: (service: string) => ModelApi | null;

  constructor(
    agents: AgentStore,
    chats: ChatStore,
    destinations: DestinationStore,
    abilitiesOf: AbilitiesOf,
    /** What a model service speaks. */
    apiOf: (service: string) => ModelApi | null,
  ) {
    this.#agents = agents;
    this.#chats = chats;
    this.#destinations = destinations;
    this.#abilitiesOf = abilitiesOf;
    this.#apiOf = apiOf;
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
    const file = describeRunner(agent, session.id, this.#apiOf);
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
