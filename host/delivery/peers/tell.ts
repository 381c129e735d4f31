/**
 * What agents hear about their exchange: each thing once, because hearing wakes them and costs money. The ids
 * of these rows are made from what they tell of.
 */
import { deriveMessageId, type MessageId, makeId, type SessionId } from '../../../shared/ids.ts';
import { AGENT_CHANNEL } from '../../../shared/protocol.ts';
import { openSession } from '../../sessions/ensure-session.ts';
import type { Inboxes } from '../../sessions/inbox.ts';
import { findOriginal } from '../../sessions/peer-copy.ts';
import type { AgentGroup, AgentStore } from '../../store/agents.ts';
import type { PeerPause } from '../../store/peers.ts';
import type { Session, SessionStore } from '../../store/sessions.ts';
import type { Transcript } from '../../store/transcript.ts';

export interface TellerParts {
  home: string;
  agents: AgentStore;
  sessions: SessionStore;
  inboxes: Inboxes;
  transcript: Transcript;
  onWorkChanged: (id: SessionId) => void;
  now: () => number;
}

interface News {
  id: MessageId;
  event: string;
  text: string;
  /** The message of that session that it is about. */
  about: MessageId | null;
  /** How often the matter was handed on: an agent that tries again goes on counting. */
  hop: number;
  /** Where it belongs when that message answers nothing. */
  peer: AgentGroup | null;
}

export class PeerTeller {
  readonly #parts: TellerParts;

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  async tellPaused(pause: PeerPause): Promise<void> {
    const what = pause.question.replace(/ Resume\?$/, '');
    await this.#tellEnds(pause, 'peers_paused', (peer) => {
      return `The host says: ${what} An admin has been asked. What you write to ${peer} waits until then: write nothing more to it, and go on without its answer.`;
    });
  }

  /** Those whose messages were held hear that they are refused; the other end hears it from here. */
  async tellEnded(pause: PeerPause): Promise<void> {
    const ends = { ...pause, sessionId: null };
    await this.#tellEnds(ends, 'peers_ended', (peer) => {
      return `The exchange with ${peer} was stopped by an admin. What waited was refused: do not write to it about this again.`;
    });
  }

  async tellGaveUp(copyId: MessageId, words: string): Promise<void> {
    const { transcript, sessions, agents, inboxes } = this.#parts;
    const original = findOriginal(transcript, copyId);
    const copy = transcript.peek(copyId);
    const session = original === null ? null : sessions.get(original.sessionId);
    const target = copy === null ? null : sessions.get(copy.sessionId);
    const peer = target === null ? null : agents.get(target.agentGroupId);
    if (original === null || session === null || target === null || peer === null) return;
    await this.#append(session, {
      id: deriveMessageId(session.id, 'gave-up', copyId),
      event: 'peer_failed',
      text: `${peer.name} tells you through the host: ${words}`,
      about: original.id,
      hop: inboxes.read(target, (tables) => tables.getLink(copyId)?.hop ?? 0),
      peer,
    });
  }

  async #tellEnds(
    pause: Pick<PeerPause, 'id' | 'agentA' | 'agentB' | 'sessionId' | 'peerSessionId'>,
    event: string,
    words: (peer: string) => string,
  ): Promise<void> {
    const { sessions, agents } = this.#parts;
    for (const id of [pause.sessionId, pause.peerSessionId]) {
      const session = id === null ? null : sessions.get(id);
      if (session === null) continue;
      const peer = agents.get(session.agentGroupId === pause.agentA ? pause.agentB : pause.agentA);
      if (peer === null) continue;
      await this.#append(session, {
        id: deriveMessageId(session.id, event, pause.id),
        event,
        text: words(peer.name),
        about: null,
        hop: 0,
        peer,
      });
    }
  }

  async #append(session: Session, news: News): Promise<void> {
    const { home, sessions, inboxes, transcript, onWorkChanged, now } = this.#parts;
    const at = now();
    const answered = news.about === null ? null : (transcript.peek(news.about)?.inReplyTo ?? null);
    openSession({ home, sessions }, session, at);
    await inboxes.commit(session, (tables) => {
      const origin = answered === null ? null : tables.getRoute(answered);
      const route = origin ?? {
        channelType: AGENT_CHANNEL,
        platformId: news.peer?.id ?? null,
        threadId: null,
        traceId: makeId('trace', at),
      };
      tables.append([
        {
          id: news.id,
          kind: 'system',
          timestamp: at,
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: route.channelType,
          platformId: route.platformId,
          threadId: route.threadId,
          senderId: null,
          sourceSessionId: null,
          inReplyTo: news.about,
          hop: news.hop,
          traceId: route.traceId,
          content: JSON.stringify({ text: news.text, senderName: 'host', attachments: [], event: news.event }),
        },
      ]);
    });
    onWorkChanged(session.id);
  }
}
