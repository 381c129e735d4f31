/**
 * Removes agents, and brings them back.
 *
 * I1. One commit decides: the agent is out of sight, nothing leads to it, and its row says what is left to do.
 *     Containers, open work and the folder follow from that row, at once or at the next start.
 * I2. Nothing is lost: its folder and its sessions' folders stay, and `restore` finds them again.
 */
import type { SessionId } from '../../shared/ids.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { agentsLog } from '../observe/logger.ts';
import type { AgentRoutes, RemovedRoutes } from '../store/agent-routes.ts';
import type { AgentGroup } from '../store/agents.ts';
import type { Session } from '../store/sessions.ts';
import { type AgentFolders, nameArchive } from './folders.ts';
import { LOOK_AGAIN_MS, MAX_AGENTS } from './limits.ts';
import { checkName } from './names.ts';
import { planRemoval, planRemovalStep, type SessionToEnd } from './plan-removal.ts';
import { type SessionEndParts, SessionEnds } from './session-ends.ts';

export interface RemovalParts extends SessionEndParts {
  routes: AgentRoutes;
  folders: AgentFolders;
  commitTogether: <T>(work: () => T) => T;
  onDestinationsChanged: (id: AgentGroup['id']) => void;
  /** What it may reach outside has changed. */
  onAccessChanged: (id: AgentGroup['id']) => void;
  /** Nothing is left to decide about the agent; in the same commit. */
  withdrawApprovals: (id: AgentGroup['id'], why: string) => void;
  /** What is shown of a question has changed. */
  onQuestionEnded: (id: RemovedRoutes['questions'][number]) => void;
}

export type Removal =
  | { kind: 'removed'; agent: AgentGroup; routes: RemovedRoutes; archiveFolder: string; warning: string | null }
  | { kind: 'refused'; reason: 'only_agent' }
  /** The revision no longer holds, or there is no such agent. */
  | { kind: 'stale' };

export type Restoration =
  | { kind: 'restored'; agent: AgentGroup }
  | { kind: 'refused'; reason: 'still_removing' | 'name_taken' | 'unknown'; words: string };

interface Running {
  /** One step after another; null between looks. */
  stepping: Promise<void> | null;
  again: boolean;
  timer: NodeJS.Timeout | null;
  /** When each session's end was first waited for. */
  waitingSince: Map<SessionId, number>;
}

export class Removals implements AsyncDisposable {
  readonly #parts: RemovalParts;
  readonly #ends: SessionEnds;
  readonly #running = new Map<AgentGroup['id'], Running>();
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
    this.#ends = new SessionEnds(parts);
  }

  /** Decides, and begins what follows. */
  remove(id: AgentGroup['id'], revision: number, by: string): Removal {
    const { agents, commitTogether, now } = this.#parts;
    const at = now();
    const removal = commitTogether((): Removal => {
      const agent = agents.get(id);
      if (agent === null || agent.revision !== revision) return { kind: 'stale' };
      const verdict = planRemoval(agent, agents.list(MAX_AGENTS));
      if (verdict.kind === 'refuse') return { kind: 'refused', reason: verdict.reason };
      const archiveFolder = nameArchive(agent, at);
      agents.archive(id, revision, { kind: 'remove', archiveFolder }, at);
      return {
        kind: 'removed',
        agent,
        routes: this.#cutRoutes(agent, by, at),
        archiveFolder,
        warning: verdict.warning,
      };
    });
    if (removal.kind !== 'removed') return removal;
    failpoint('agents.removal-decided');
    const { onDestinationsChanged, onAccessChanged, onQuestionEnded } = this.#parts;
    onAccessChanged(id);
    for (const pointing of removal.routes.pointing) onDestinationsChanged(pointing);
    for (const question of removal.routes.questions) onQuestionEnded(question);
    onDestinationsChanged(id);
    this.#look(id);
    return removal;
  }

  #cutRoutes(agent: AgentGroup, by: string, now: number): RemovedRoutes {
    const { routes, ledger } = this.#parts;
    const removed = routes.removeAll(agent.id, { by, at: now });
    this.#parts.withdrawApprovals(agent.id, `the agent “${agent.name}” was removed`);
    const detail = {
      agent: agent.id,
      name: agent.name,
      folder: agent.folder,
      wirings: removed.wirings,
      destinations: removed.destinations,
      pointing: removed.pointing.length,
      tasks: removed.tasks,
      accessRules: removed.accessRules,
      questions: removed.questions.length,
    };
    ledger.append({ kind: 'agent.removed', sessionId: null, messageId: null, actor: by, detail }, now);
    return removed;
  }

  /** Back to life, with its folder and its conversations; what led to it is for the person to give anew. */
  restore(id: AgentGroup['id'], by: string): Restoration {
    const { agents, sessions, ledger, commitTogether, now } = this.#parts;
    const restoration = commitTogether((): Restoration => {
      const agent = agents.getArchived(id);
      if (agent?.archivedAt == null) return refuse('unknown', 'there is no removed agent of this id');
      if (agent.openWork !== null) return refuse('still_removing', 'it is still being removed');
      const check = checkName(
        agent.name,
        agents.list(MAX_AGENTS).map(({ name }) => name),
      );
      if (check.kind === 'refused') return refuse('name_taken', check.reason);
      agents.unarchive(id, { kind: 'restore', archiveFolder: nameArchive(agent, agent.archivedAt) });
      sessions.reopenAllOf(id);
      const detail = { agent: id, name: agent.name, folder: agent.folder };
      ledger.append({ kind: 'agent.restored', sessionId: null, messageId: null, actor: by, detail }, now());
      return { kind: 'restored', agent: agents.get(id) ?? agent };
    });
    if (restoration.kind === 'restored') this.#bringBack(restoration.agent);
    return restoration;
  }

  /** Also done by whoever needs the folder first: the open work stands in the agent's row. */
  #bringBack(agent: AgentGroup): void {
    const { agents, folders } = this.#parts;
    try {
      failpoint('agents.restore-decided');
      folders.ensure(agent);
      agents.closeWork(agent.id, 'restore');
    } catch (error) {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      agentsLog.warn({ agentGroupId: agent.id, err: fault }, 'a folder could not be brought back yet');
    }
  }

  /** After a start: what an earlier host did not finish. */
  resume(): void {
    for (const agent of this.#parts.agents.listOpenWork()) {
      if (agent.openWork?.kind === 'remove') this.#look(agent.id);
      if (agent.openWork?.kind === 'restore') this.#bringBack(agent);
    }
  }

  /** A doorbell: a container or a delivery has come to its end somewhere. Costs nothing while nobody is removed. */
  ring(): void {
    for (const id of this.#running.keys()) this.#look(id);
  }

  /** Messages that were accepted while their session ended: they end like those before them. */
  endLate(messages: readonly { sessionId: SessionId }[]): void {
    const { agents, sessions } = this.#parts;
    for (const { sessionId } of messages) {
      const ended = sessions.get(sessionId) === null ? sessions.getEnded(sessionId) : null;
      const agent = ended === null ? null : agents.getArchived(ended.agentGroupId);
      if (ended === null || agent === null || this.#isClosed) continue;
      const ending = this.#ends.end(agent, ended).catch((error: unknown) => this.#handle(agent.id, error));
      void this.#underWay.add(ending);
    }
  }

  #look(id: AgentGroup['id']): void {
    if (this.#isClosed) return;
    let running = this.#running.get(id);
    if (running === undefined) {
      running = { stepping: null, again: false, timer: null, waitingSince: new Map() };
      this.#running.set(id, running);
    }
    running.again = true;
    running.stepping ??= this.#underWay.add(this.#steps(id, running));
  }

  async #steps(id: AgentGroup['id'], running: Running): Promise<void> {
    if (running.timer !== null) clearTimeout(running.timer);
    try {
      // In a turn of its own: who removes is answered first.
      await Promise.resolve();
      while (running.again && !this.#isClosed) {
        running.again = false;
        if (await this.#step(id, running)) {
          this.#running.delete(id);
          return;
        }
      }
    } catch (error) {
      this.#handle(id, error);
    } finally {
      running.stepping = null;
    }
    if (this.#isClosed) return;
    running.timer = setTimeout(() => this.#look(id), LOOK_AGAIN_MS);
    running.timer.unref();
  }

  #handle(id: AgentGroup['id'], error: unknown): void {
    // The next host goes on from the row.
    if (this.#isClosed) return;
    const fault = error instanceof Fault ? error : toDiskFault(error);
    if (fault === null) throw error;
    agentsLog.warn({ agentGroupId: id, err: fault }, 'the removal of an agent is held up, and is tried again');
  }

  /** Whether all is done. */
  async #step(id: AgentGroup['id'], running: Running): Promise<boolean> {
    const { agents, folders, sessions, now } = this.#parts;
    const agent = agents.getArchived(id);
    if (agent?.openWork?.kind !== 'remove') return true;
    const open = sessions.listForAgent(id);
    const step = planRemovalStep(
      open.map((session) => this.#observe(session, running)),
      now(),
    );
    switch (step.kind) {
      case 'wait':
        for (const sessionId of step.sessionIds) this.#hurry(sessionId, running);
        return false;
      case 'end':
        for (const session of open.filter((one) => step.sessionIds.includes(one.id))) {
          await this.#ends.end(agent, session);
          if (this.#isClosed) return false;
        }
        running.again = true;
        return false;
      case 'put-away':
        folders.archive(agent.folder, agent.openWork.archiveFolder);
        failpoint('agents.put-away');
        agents.closeWork(id, 'remove');
        agentsLog.info({ agentGroupId: id }, 'an agent was removed');
        return true;
    }
  }

  #observe(session: Session, { waitingSince }: Running): SessionToEnd {
    const isSettled = session.runtimeState === 'absent' || session.runtimeState === 'failed';
    // What is not open has nothing to read: no need to look.
    const wasRung = waitingSince.has(session.id);
    const isQuiet = !session.isOpen || (wasRung && this.#parts.delivery.isQuiet(session.id));
    return { id: session.id, isSettled, isQuiet, waitingSince: waitingSince.get(session.id) ?? this.#parts.now() };
  }

  #hurry(id: SessionId, { waitingSince }: Running): void {
    const { reconcile, delivery, now } = this.#parts;
    if (waitingSince.has(id)) return;
    waitingSince.set(id, now());
    reconcile(id);
    delivery.ring(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#running.values()) if (timer !== null) clearTimeout(timer);
    await this.#underWay[Symbol.asyncDispose]();
  }
}

function refuse(reason: Extract<Restoration, { kind: 'refused' }>['reason'], words: string): Restoration {
  return { kind: 'refused', reason, words };
}
