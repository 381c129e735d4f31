/**
 * Two agents that exchanged too much wait for a person.
 *
 *   too much ──► paused, committed ──► both told, an admin asked ──► Resume: go on │ Stop: what waited is refused
 *
 * I1. A pause is committed before anybody hears of it, and whoever hears, hears once.
 * I2. A start tells again what a crash left untold: every id is made from the pause.
 */
import { type PeerPauseId, parseId } from '../../../shared/ids.ts';
import type {
  ActionRules,
  ApprovalHandler,
  ApprovalRequest,
  Description,
  RequestApproval,
} from '../../approvals/approval.ts';
import { Fault, toDiskFault } from '../../config/errors.ts';
import { Retries } from '../../config/retries.ts';
import { UnderWay } from '../../config/under-way.ts';
import { failpoint } from '../../observe/failpoint.ts';
import { deliveryLog } from '../../observe/logger.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { PeerPause, PeerStore } from '../../store/peers.ts';
import type { Session } from '../../store/sessions.ts';
import type { Look } from './facts.ts';
import type { PairRate } from './pair-rate.ts';
import type { Passage } from './plan.ts';
import type { PeerTeller } from './tell.ts';

export interface PauseParts {
  peers: PeerStore;
  ledger: Ledger;
  rate: PairRate;
  teller: PeerTeller;
  /** Asks an admin, once per subject. */
  ask: RequestApproval;
  /** What lanes hold back may go now. */
  onReleased: () => void;
  now: () => number;
}

/** Wait before a pause that could not be told, or asked about, is told again. */
const TELL_AGAIN_MS = 10_000;

export class PeerPauses implements AsyncDisposable {
  readonly #parts: PauseParts;
  /** Pauses that everybody heard of, or is hearing of. */
  readonly #announced = new Set<PeerPauseId>();
  readonly #retries = new Retries();
  readonly #underWay = new UnderWay();

  constructor(parts: PauseParts) {
    this.#parts = parts;
  }

  /** I2 */
  start(): void {
    for (const pause of this.#parts.peers.listPaused()) void this.#underWay.add(this.#announce(pause));
  }

  /** The message that was too much waits, with those behind it. */
  async pause(session: Session, look: Look, why: Extract<Passage, { kind: 'pause' }>): Promise<PeerPause> {
    const { peers, ledger, now } = this.#parts;
    const at = now();
    const to = { agentGroupId: look.target.id, sessionId: look.session?.id ?? null };
    const pause = peers.pause(session, to, { reason: why.reason, question: why.question }, at, (made) => {
      ledger.append(
        {
          kind: 'peers.paused',
          sessionId: session.id,
          messageId: null,
          actor: null,
          detail: { pause: made.id, agentA: made.agentA, agentB: made.agentB, reason: made.reason },
        },
        at,
      );
    });
    failpoint('peers.paused');
    await this.#announce(pause);
    return pause;
  }

  async #announce(pause: PeerPause): Promise<void> {
    if (this.#announced.has(pause.id)) return;
    this.#announced.add(pause.id);
    try {
      await this.#parts.teller.tellPaused(pause);
      if (this.#parts.ask(askToResume(pause)).kind === 'refused') this.#announceLater(pause.id);
    } catch (error) {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      deliveryLog.warn({ pause: pause.id, err: fault }, 'a pause could not be told, and is told again');
      this.#announceLater(pause.id);
    }
  }

  #announceLater(id: PeerPauseId): void {
    this.#announced.delete(id);
    this.#retries.after(TELL_AGAIN_MS, () => {
      const still = this.#parts.peers.getPause(id);
      if (still?.state === 'paused') void this.#underWay.add(this.#announce(still));
    });
  }

  /** What an admin is asked, and what follows. */
  get rules(): ActionRules {
    return { describe: (payload) => this.#describe(payload), carryOut: this.#settle };
  }

  #describe(payload: ApprovalRequest['payload']): Description {
    const id = readPauseId(payload);
    const pause = id === null ? null : this.#parts.peers.getPause(id);
    if (pause === null) return { kind: 'impossible', why: 'one of the two agents is gone' };
    if (pause.state !== 'paused') return { kind: 'impossible', why: 'they do not wait any more' };
    return { kind: 'possible', lines: ['both agents go on; what waits between them is delivered in order'] };
  }

  /**
   * What follows when an admin answered, or nobody did in time: what was held goes on in order, or is refused.
   * Throws Fault `pause_unknown`, and what the disk does.
   */
  readonly #settle: ApprovalHandler = async ({ payload }, decision) => {
    const id = readPauseId(payload);
    if (id === null) throw new Fault('pause_unknown', 'the approval names no pause');
    const state = decision.kind === 'approved' ? 'resumed' : 'ended';
    return { outcome: await this.#decide(id, state, decision.kind === 'expired' ? null : decision.by) };
  };

  async #decide(id: PeerPauseId, state: 'resumed' | 'ended', by: string | null): Promise<string> {
    const { peers, ledger, rate, teller, now, onReleased } = this.#parts;
    const at = now();
    peers.decide(id, state, by, at, (pause) => {
      ledger.append(
        {
          kind: `peers.${state}`,
          sessionId: pause.sessionId,
          messageId: null,
          actor: by,
          detail: { pause: id, agentA: pause.agentA, agentB: pause.agentB },
        },
        at,
      );
    });
    failpoint('peers.decided');
    const pause = peers.getPause(id);
    if (pause === null) return 'One of the two agents is gone.';
    this.#announced.delete(id);
    if (pause.state === 'resumed') rate.clear(pause.agentA, pause.agentB);
    onReleased();
    if (pause.state === 'ended') await teller.tellEnded(pause);
    return pause.state === 'resumed' ? 'They go on.' : 'What waited between them is refused.';
  }

  /** Begins nothing more, and waits for what is being told. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#retries[Symbol.dispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}

function readPauseId(payload: ApprovalRequest['payload']): PeerPauseId | null {
  return typeof payload.pauseId === 'string' ? parseId('peerPause', payload.pauseId) : null;
}

/** One approval per pause: after a "stop", the next pause of the same two is asked about anew. */
function askToResume(pause: PeerPause): ApprovalRequest {
  return {
    action: 'resume_peers',
    payload: { pauseId: pause.id },
    subjectKey: pause.id,
    // Two agents, whose admins may be others: those of all agents decide.
    agentGroupId: null,
    requester: { kind: 'host', sessionId: pause.sessionId },
    title: 'Agents paused',
    question: pause.question,
    options: ['Resume', 'Stop'],
    approving: ['Resume'],
  };
}
