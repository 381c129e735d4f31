/**
 * Makes agents: for an agent that asks, and for a person.
 *
 * I1. One commit holds all that decides it: the agent, its destinations and its parent's, the record, and what
 *     is still to be done (its folder, telling the parent). The rest follows from that row, at once or at the
 *     next start; each step may be repeated.
 * I2. An agent that a request makes has an id made from the request's row: asked again after a crash, it is there.
 */
import { deriveAgentGroupId, deriveMessageId, type MessageId, makeId } from '../../shared/ids.ts';
import type { Effort } from '../../shared/providers.ts';
import type { RequestOf } from '../../shared/requests.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { Retries } from '../config/retries.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { agentsLog } from '../observe/logger.ts';
import type { Answered, Asked } from '../sessions/asked.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { AgentGroup, AgentStore, ReadyNote } from '../store/agents.ts';
import type { DestinationRow, DestinationStore } from '../store/destinations.ts';
import type { Ledger } from '../store/ledger.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { AgentFolders } from './folders.ts';
import { DAY_MS, LOOK_AGAIN_MS, MAX_AGENTS } from './limits.ts';
import { type MakePlan, planMake, planNamed } from './plan.ts';

export interface MakerParts {
  agents: AgentStore;
  destinations: DestinationStore;
  sessions: SessionStore;
  ledger: Ledger;
  inboxes: Inboxes;
  folders: AgentFolders;
  /** Runs `work` in one transaction of the central database, or in the one that is under way. */
  commitTogether: <T>(work: () => T) => T;
  /** The charts of this agent's running sessions follow. */
  onDestinationsChanged: (id: AgentGroup['id']) => void;
  /** Rows were queued for the session. */
  onWorkChanged: (id: ReadyNote['sessionId']) => void;
  now: () => number;
}

export interface NewAgent {
  name: string;
  isAdmin?: boolean;
  provider?: string;
  model?: string | null;
  service?: string | null;
  effort?: Effort | null;
  timezone?: string;
  /** Its AGENTS.md; the template's when absent. */
  instructions?: string;
}

/** Longest wait before an agent that could not be made ready is tried again. */
const MAX_WAIT_MS = 5 * 60_000;

export class AgentMaker implements AsyncDisposable {
  readonly #parts: MakerParts;
  readonly #retries = new Retries();
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  /** Answers an agent's `create_agent`. Refused requests make nothing. */
  answer(asked: Asked<RequestOf<'create_agent'>>): Answered {
    const { agents } = this.#parts;
    const { session, messageId, now } = asked;
    const id = deriveAgentGroupId(session.id, messageId);
    // Made before a crash, and perhaps removed since (I2).
    if (agents.get(id) === null && agents.getArchived(id) === null) {
      const plan = this.#plan(asked, id, now);
      if (plan.kind === 'refuse') return { answer: { kind: 'refused', reason: plan.reason } };
      const asker = agents.get(session.agentGroupId);
      if (asker === null) throw new Error('planned for an agent that is gone');
      this.#make(asked, id, asker, plan);
    }
    failpoint('agents.made');
    return { answer: { kind: 'done' }, after: () => this.#finish(id) };
  }

  #plan({ session, request }: Asked<RequestOf<'create_agent'>>, id: AgentGroup['id'], now: number): MakePlan {
    const { agents, destinations } = this.#parts;
    const own = request.destinations.map((name) => [name, destinations.find(session.agentGroupId, name)] as const);
    return planMake(request, {
      asker: agents.get(session.agentGroupId),
      madeToday: agents.countMadeBy(session.agentGroupId, now - DAY_MS),
      destinations: new Map(own.flatMap(([name, row]) => (row === null ? [] : [[name, row] as const]))),
      ...this.#listTaken(id),
    });
  }

  #listTaken(id: AgentGroup['id']) {
    const { agents, folders } = this.#parts;
    return {
      id,
      names: agents.list(MAX_AGENTS).map((agent) => agent.name),
      // A folder without an agent is somebody's: the new one's instructions would be dropped in its favour.
      isFolderTaken: (folder: string) => agents.folderTaken(folder) || folders.has(folder),
    };
  }

  #make(
    { session, messageId, traceId, origin, request, now }: Asked<RequestOf<'create_agent'>>,
    id: AgentGroup['id'],
    asker: AgentGroup,
    plan: { name: string; folder: string; destinations: DestinationRow[] },
  ): void {
    const { agents, ledger, commitTogether } = this.#parts;
    commitTogether(() => {
      agents.create({
        id,
        createdBy: asker.id,
        name: plan.name,
        folder: plan.folder,
        isAdmin: false,
        provider: asker.config.provider,
        model: asker.config.model,
        service: asker.config.service,
        effort: asker.config.effort,
        timezone: asker.config.timezone,
        openWork: {
          kind: 'make',
          instructions: request.instructions,
          tell: { sessionId: session.id, messageId, traceId, origin },
        },
        now,
      });
      this.#introduce(id, asker, { ...plan, messageId }, now);
      ledger.append(
        {
          kind: 'agent.made',
          sessionId: session.id,
          messageId,
          actor: asker.id,
          detail: {
            agent: id,
            name: plan.name,
            folder: plan.folder,
            destinations: plan.destinations.map((row) => row.localName).join(' '),
          },
        },
        now,
      );
    });
  }

  /** What it gets of its parent's keeps its names; then each of the two gets the other. */
  #introduce(
    id: AgentGroup['id'],
    asker: AgentGroup,
    plan: { folder: string; destinations: DestinationRow[]; messageId: MessageId },
    now: number,
  ): void {
    const { destinations } = this.#parts;
    const made = { now, cause: { by: asker.id, because: { request: plan.messageId } } };
    for (const { localName, targetType, targetId } of plan.destinations)
      destinations.add({ agentGroupId: id, localName, targetType, targetId, ...made });
    const toAsker = { agentGroupId: id, wanted: asker.folder, targetType: 'agent', targetId: asker.id } as const;
    const toMade = { agentGroupId: asker.id, wanted: plan.folder, targetType: 'agent', targetId: id } as const;
    for (const one of [toAsker, toMade]) destinations.ensureFor({ ...one, ...made });
  }

  /**
   * A person makes one. Its folder is there when this returns, or follows when the disk is full now.
   */
  make(input: NewAgent, by: string): AgentGroup | { kind: 'refuse'; reason: string } {
    const { agents, ledger, commitTogether, now } = this.#parts;
    const at = now();
    const id = makeId('agentGroup', at);
    const { instructions, ...rest } = input;
    const made = commitTogether(() => {
      const plan = planNamed(input.name, this.#listTaken(id));
      if (plan.kind === 'refuse') return plan;
      const openWork = { kind: 'make', instructions: instructions ?? null, tell: null } as const;
      const agent = agents.create({ ...rest, id, by, name: plan.name, folder: plan.folder, openWork, now: at });
      const detail = { agent: id, name: plan.name, folder: plan.folder, isAdmin: agent.isAdmin };
      ledger.append({ kind: 'agent.made', sessionId: null, messageId: null, actor: by, detail }, at);
      return agent;
    });
    if ('kind' in made) return made;
    this.#finish(id);
    return agents.get(id) ?? made;
  }

  /** After a start: what an earlier host did not finish. */
  resume(): void {
    for (const agent of this.#parts.agents.listOpenWork()) if (agent.openWork?.kind === 'make') this.#finish(agent.id);
  }

  #finish(id: AgentGroup['id'], tries = 0): void {
    const finished = this.#finishNow(id).catch((error: unknown) => {
      // The next host goes on from the row.
      if (this.#isClosed) return;
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      agentsLog.warn({ agentGroupId: id, err: fault }, 'an agent could not be made ready, and is tried again');
      this.#retries.after(Math.min(LOOK_AGAIN_MS * 2 ** tries, MAX_WAIT_MS), () => this.#finish(id, tries + 1));
    });
    void this.#underWay.add(finished);
  }

  async #finishNow(id: AgentGroup['id']): Promise<void> {
    if (this.#isClosed) return;
    const { agents, folders, onDestinationsChanged } = this.#parts;
    const agent = agents.get(id);
    const work = agent?.openWork;
    if (agent == null || work?.kind !== 'make') return;
    folders.ensure(agent);
    failpoint('agents.folder-placed');
    if (work.tell !== null) await this.#tellParent(agent, work.tell, onDestinationsChanged);
    failpoint('agents.parent-told');
    agents.closeWork(id, 'make');
  }

  /** The parent's charts first: it may write to the new agent in the turn that this begins. */
  async #tellParent(
    agent: AgentGroup,
    note: ReadyNote,
    onDestinationsChanged: MakerParts['onDestinationsChanged'],
  ): Promise<void> {
    const { sessions, destinations, inboxes, onWorkChanged, now } = this.#parts;
    const session = sessions.get(note.sessionId);
    if (session === null) return;
    onDestinationsChanged(session.agentGroupId);
    const own = destinations.findByTarget(session.agentGroupId, 'agent', agent.id);
    const how = own === null ? 'It is no destination of yours any more.' : `Write to it as \`${own.localName}\`.`;
    sessions.markOpen(session.id, now());
    await inboxes.commit(session, (tables) =>
      tables.append([
        {
          id: deriveMessageId(session.id, 'agent_ready', agent.id),
          kind: 'system',
          timestamp: now(),
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: note.origin?.channelType ?? null,
          platformId: note.origin?.platformId ?? null,
          threadId: note.origin?.threadId ?? null,
          senderId: null,
          sourceSessionId: null,
          inReplyTo: note.messageId,
          hop: 0,
          traceId: note.traceId,
          content: JSON.stringify({
            text: `Agent “${agent.name}” is ready. ${how}`,
            senderName: 'host',
            attachments: [],
            event: 'agent_ready',
          }),
        },
      ]),
    );
    onWorkChanged(session.id);
  }

  /** Begins nothing more, and waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#retries[Symbol.dispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}
