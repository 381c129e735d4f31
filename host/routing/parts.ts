/** What routing works with. */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import type { RequestApproval } from '../approvals/approval.ts';
import type { Commands } from '../commands/apply.ts';
import type { Questions } from '../questions/apply.ts';
import type { FreeDisk } from '../sessions/disk.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { AgentStore } from '../store/agents.ts';
import type { ChatStore } from '../store/chats.ts';
import type { DroppedStore } from '../store/dropped.ts';
import type { HeldStore } from '../store/held.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { TurnedAwayStore } from '../store/turned-away.ts';
import type { UserStore } from '../store/users.ts';
import type { WiringStore } from '../store/wirings.ts';

export interface RoutingParts {
  home: string;
  agents: AgentStore;
  chats: ChatStore;
  wirings: WiringStore;
  users: UserStore;
  sessions: SessionStore;
  dropped: DroppedStore;
  held: HeldStore;
  turnedAway: TurnedAwayStore;
  transcript: Transcript;
  inboxes: Inboxes;
  disk: FreeDisk;
  /** Obeys what is a command; null: it is an ordinary message. */
  hearCommand: Commands['hear'];
  /** Whether a message answers an open question of its chat. */
  hear: Questions['hear'];
  /** Asks an admin, once while the subject is open. */
  ask: RequestApproval;
  /** Somebody can be asked alone who could not be before. */
  onReachable: () => void;
  /** An agent listens in one chat more: its chart has changed. */
  onWired: (id: AgentGroupId) => void;
  /** The session has work: make sure that a container runs. */
  wake: (id: SessionId) => void;
  now: () => number;
}
