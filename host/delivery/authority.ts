/** Asks the host's tables whether an agent group may send somewhere (I4). Reads anew at each question. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import { type Authorisation, authoriseSend, type ClaimedRoute } from '../access/authorise.ts';
import type { AgentStore } from '../store/agents.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { DestinationStore } from '../store/destinations.ts';
import type { Transcript } from '../store/transcript.ts';

export class Authority {
  readonly #agents: AgentStore;
  readonly #chats: ChatStore;
  readonly #destinations: DestinationStore;
  readonly #transcript: Transcript;

  constructor(agents: AgentStore, chats: ChatStore, destinations: DestinationStore, transcript: Transcript) {
    this.#agents = agents;
    this.#chats = chats;
    this.#destinations = destinations;
    this.#transcript = transcript;
  }

  check(agentGroupId: AgentGroupId, claimed: ClaimedRoute): Authorisation {
    const destination =
      claimed.destination === null ? null : this.#destinations.find(agentGroupId, claimed.destination);
    const chat = this.findChat(agentGroupId, claimed.destination);
    return authoriseSend(claimed, {
      destination,
      chat,
      threadIsOfChat:
        chat !== null && claimed.threadId !== null && this.#transcript.knowsThread(chat.id, claimed.threadId),
    });
  }

  /** The chat behind a name of this agent group's, null when there is none. */
  findChat(agentGroupId: AgentGroupId, localName: string | null): MessagingGroup | null {
    if (localName === null) return null;
    const destination = this.#destinations.find(agentGroupId, localName);
    if (destination === null || destination.targetType !== 'channel') return null;
    // The table holds messaging group ids for targets of type 'channel'.
    return this.#chats.get(destination.targetId as MessagingGroupId);
  }

  agentName(agentGroupId: AgentGroupId): string {
    return this.#agents.get(agentGroupId)?.name ?? '';
  }
}
