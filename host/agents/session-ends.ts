/** The end of one session of an agent that was removed: what waits in it ends so that everybody concerned sees it. */
import { deriveMessageId, makeId, type SessionId } from '../../shared/ids.ts';
import { Fault } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import { type EndWorkParts, endWork } from '../sessions/end-work.ts';
import { retellSession } from '../sessions/retell.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Session, SessionStore } from '../store/sessions.ts';

export interface SessionEndParts extends EndWorkParts {
  agents: AgentStore;
  sessions: SessionStore;
  chats: ChatStore;
  ledger: Ledger;
  /** What delivery has of a session. */
  delivery: {
    ring: (id: SessionId) => void;
    isQuiet: (id: SessionId) => boolean;
    abandon: (id: SessionId) => void;
    forget: (id: SessionId) => void;
  };
  /** Plan the session's container anew. */
  reconcile: (id: SessionId) => void;
  /** Rows were queued for the session. */
  onWorkChanged: (id: SessionId) => void;
  /** People see the session no more. */
  onSessionEnded: (id: SessionId) => void;
  now: () => number;
}

/** Faults of a session's database after which nothing can be read from it any more. */
const UNREADABLE = new Set(['session_missing', 'session_corrupt']);

export class SessionEnds {
  readonly #parts: SessionEndParts;

  constructor(parts: SessionEndParts) {
    this.#parts = parts;
  }

  /** Ends it; may be repeated. Throws Fault `session_busy`, `disk_full`, `disk_failed`: then it is tried again. */
  async end(agent: AgentGroup, session: Session): Promise<void> {
    const { sessions, delivery, ledger, transcript, onSessionEnded, reconcile, now } = this.#parts;
    delivery.abandon(session.id);
    this.#retell(session);
    const words = {
      reason: 'its agent was removed',
      notice: `The agent “${agent.name}” was removed. Nobody answers what was still waiting here.`,
    };
    const ended = await endWork(session, this.#parts, words, now());
    failpoint('agents.work-ended');
    for (const asker of ended.askers) await this.#tellAsker(agent, session.id, asker);
    if (ended.failed + ended.refused > 0) {
      const detail = { agent: agent.id, failed: ended.failed, refused: ended.refused };
      ledger.append({ kind: 'session.ended', sessionId: session.id, messageId: null, actor: null, detail }, now());
    }
    transcript.flushOrRetry();
    sessions.end(session.id, now());
    failpoint('agents.session-ended');
    delivery.forget(session.id);
    reconcile(session.id);
    onSessionEnded(session.id);
  }

  /** What an earlier host ended and did not show any more. */
  #retell(session: Session): void {
    const { inboxes, transcript, chats } = this.#parts;
    if (!session.isOpen) return;
    try {
      retellSession(session, inboxes, transcript, chats);
    } catch (error) {
      // Then there is nothing to tell from.
      if (!(error instanceof Fault) || !UNREADABLE.has(error.code)) throw error;
    }
  }

  /** Another agent waits for an answer of this one. */
  async #tellAsker(agent: AgentGroup, ended: SessionId, asker: SessionId): Promise<void> {
    const { sessions, inboxes, onWorkChanged, now } = this.#parts;
    const session = sessions.get(asker);
    if (session === null) return;
    sessions.markOpen(session.id, now());
    await inboxes.commit(session, (tables) =>
      tables.append([
        {
          id: deriveMessageId(session.id, 'agent_removed', ended),
          kind: 'system',
          timestamp: now(),
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: null,
          platformId: null,
          threadId: null,
          senderId: null,
          sourceSessionId: null,
          inReplyTo: null,
          hop: 0,
          traceId: makeId('trace', now()),
          content: JSON.stringify({
            text: `Agent “${agent.name}” was removed before it answered you. Do not wait for it.`,
            senderName: 'host',
            attachments: [],
            event: 'agent_removed',
          }),
        },
      ]),
    );
    onWorkChanged(session.id);
  }
}
