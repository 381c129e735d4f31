/** What delivery is built from. */
import type { SessionId } from '../../shared/ids.ts';
import type { Questions } from '../questions/apply.ts';
import type { RequestDesk } from '../requests/desk.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { OutboxReader } from '../sessions/outbox-reader.ts';
import type { EndFiring, TellChat } from '../sessions/settle.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { Activity } from './activity.ts';
import type { Authority } from './authority.ts';
import type { Channel } from './channel.ts';
import type { Peers } from './peers/apply.ts';

export interface DeliveryParts {
  home: string;
  sessions: SessionStore;
  inboxes: Inboxes;
  reader: OutboxReader;
  transcript: Transcript;
  authority: Authority;
  /** Typing signs and notices of long turns. */
  activity: Activity;
  desk: RequestDesk;
  questions: Pick<Questions, 'findFlaw' | 'open' | 'refuseSend' | 'delivered'>;
  channels: ReadonlyMap<string, Channel>;
  /** The way to other agents. */
  peers: Peers;
  tellChat: TellChat;
  endFiring: EndFiring;
  /** The session broke the contract. */
  quarantine: (id: SessionId, reason: string) => void;
  /** The container holds a lock for too long. */
  onLockHeld: (id: SessionId) => void;
  /** A killed container left half a commit: a container must roll it back. */
  onHotJournal: (id: SessionId) => void;
  /** Rows were queued for the agent, or acks changed what is due. */
  onWorkChanged: (id: SessionId) => void;
  /** Nothing of this session is under way in delivery. */
  onQuiet: (id: SessionId) => void;
  now: () => number;
  random: () => number;
}
