/** Asks the host's tables whether an agent group may send somewhere (I4). Reads anew at each question. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import { type AllowRule, type Authorisation, authoriseSend } from '../access/authorise.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { DestinationRow, DestinationStore } from '../store/destinations.ts';
import type { Transcript } from '../store/transcript.ts';
import type { OutboundMessage } from './plan.ts';

/** What allows a row to go where it says. */
export interface Grant {
  rule: AllowRule;
  destinationId: string;
  /** The destination's current name; the row may have an earlier one. */
  name: string;
  targetId: string;
}

export type Verdict = { kind: 'allow'; grant: Grant } | Extract<Authorisation, { kind: 'refuse' }>;

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

  check(agentGroupId: AgentGroupId, message: OutboundMessage): Verdict {
    const { destination: name, channelType, platformId, threadId } = message;
    const destination = name === null ? null : this.#destinations.find(agentGroupId, name);
    const chat = this.findChat(agentGroupId, name);
    const answer = authoriseSend(
      { kind: message.body.kind, destination: name, channelType, platformId, threadId },
      {
        agentGroupId,
        destination,
        chat,
        threadIsOfChat: chat !== null && threadId !== null && this.#transcript.knowsThread(chat.id, threadId),
        agent: destination === null ? null : this.#findAgent(destination),
      },
    );
    if (answer.kind === 'refuse') return answer;
    if (destination === null) throw new Error('allowed without a destination');
    const { id: destinationId, localName, targetId } = destination;
    return { kind: 'allow', grant: { rule: answer.rule, destinationId, name: localName, targetId } };
  }

  /** Null for a chat, and for an agent that is archived. */
  #findAgent({ targetType, targetId }: DestinationRow): AgentGroup | null {
    // The table holds agent group ids for targets of type 'agent'.
    return targetType === 'agent' ? this.#agents.get(targetId as AgentGroupId) : null;
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
