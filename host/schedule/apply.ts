/**
 * The schedule: one timer for the next due task of all sessions.
 *
 * I1. What is due is read from the index of next times; no session or task is looked at before its time.
 * I2. A session that cannot take its firing now is set aside and tried again; the others go on (I10).
 * I3. Many tasks due at once fire a few in each turn of the event loop, the earliest first.
 */
import { existsSync } from 'node:fs';
import type { EpochMs, MessageId, SessionId, TaskId } from '../../shared/ids.ts';
import { epochMs } from '../../shared/ids.ts';
import { parseInboundContent } from '../../shared/messages.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { scheduleLog } from '../observe/logger.ts';
import { createSessionFolder, hostContainerUser } from '../sessions/folder.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { NewInboundRow } from '../sessions/inbox-tables.ts';
import type { FiringEnd } from '../sessions/settle.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Session, SessionStore } from '../store/sessions.ts';
import type { TaskFiringStore } from '../store/task-firings.ts';
import type { TaskStore } from '../store/tasks.ts';
import type { Transcript } from '../store/transcript.ts';
import { type Fired, giveUp, isDue, placeFirings, recordFired } from './fire.ts';
import { FIRE_RETRY_MS, MAX_DUE_AT_ONCE, MAX_SLEEP_MS } from './limits.ts';
import type { TaskFiles } from './task-file.ts';

export interface ScheduleClock {
  now(): EpochMs;
  /** Calls once at that time or right after; returns what cancels it. */
  at(atMs: EpochMs, call: () => void): () => void;
}

export interface ScheduleParts {
  home: string;
  tasks: TaskStore;
  firings: TaskFiringStore;
  files: TaskFiles;
  sessions: SessionStore;
  chats: ChatStore;
  inboxes: Inboxes;
  transcript: Transcript;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  /** Rows were queued for the agent. */
  onWorkChanged: (id: SessionId) => void;
  clock: ScheduleClock;
}

/** Open firings whose end is looked up in one turn, at start. */
const SETTLE_AT_ONCE = 50;

export class Schedule implements AsyncDisposable {
  readonly #parts: ScheduleParts;
  /** Sessions whose firing is under way, or that wait to be tried again. */
  readonly #busy = new Set<SessionId>();
  readonly #retries = new Set<() => void>();
  /** Sessions whose list is to be written. */
  readonly #unlisted = new Map<SessionId, Pick<Session, 'id' | 'agentGroupId'>>();
  #timer: { at: number; cancel: () => void } | null = null;
  #isFiring = false;
  #gathered: Fired[] = [];
  #recording: Promise<void> | null = null;
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  /** At start: ends that nobody noted before the last host died, the lists of open sessions, and the timer. */
  start(): void {
    this.#settleOpen({ taskId: '', dueAt: 0 });
    for (const id of this.#parts.sessions.listOpenIds()) {
      const session = this.#parts.sessions.get(id);
      if (session !== null) this.#writeFile(session);
    }
    this.#arm();
  }

  /** The tasks of a session are not what they were. However many change together, its list is written once. */
  changed(session: Pick<Session, 'id' | 'agentGroupId'>): void {
    if (this.#isClosed) return;
    this.#arm();
    if (this.#unlisted.size === 0) queueMicrotask(() => this.#writeFiles());
    this.#unlisted.set(session.id, session);
  }

  #writeFiles(): void {
    const sessions = [...this.#unlisted.values()];
    this.#unlisted.clear();
    if (this.#isClosed) return;
    for (const session of sessions) this.#writeFile(session);
  }

  /** A firing came to its end. One that cannot be noted now is found when the task is due again, or at the next start. */
  settle(messageId: MessageId, end: FiringEnd): void {
    try {
      this.#parts.firings.settle(messageId, end.outcome, end.note);
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      scheduleLog.warn({ messageId, err: fault }, 'the end of a task’s run could not be noted');
    }
  }

  #arm(): void {
    if (this.#isClosed || this.#isFiring) return;
    const { tasks, clock } = this.#parts;
    const due = tasks.nextDue([...this.#busy]);
    const at = due === null ? null : Math.min(due, clock.now() + MAX_SLEEP_MS);
    if (at !== null && this.#timer !== null && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = at === null ? null : { at, cancel: clock.at(epochMs(at), () => this.#fire()) };
  }

  #fire(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isFiring = false;
    if (this.#isClosed) return;
    const now = this.#parts.clock.now();
    const due = this.#parts.tasks.listDue(now, MAX_DUE_AT_ONCE, [...this.#busy]);
    const bySession = new Map<SessionId, TaskId[]>();
    for (const { id, sessionId } of due) bySession.set(sessionId, [...(bySession.get(sessionId) ?? []), id]);
    for (const [sessionId, taskIds] of bySession) {
      this.#busy.add(sessionId);
      void this.#underWay.add(this.#fireSession(sessionId, taskIds));
    }
    if (due.length < MAX_DUE_AT_ONCE) {
      this.#arm();
      return;
    }
    // Messages and commits in between (I3).
    this.#isFiring = true;
    setImmediate(() => this.#fire());
  }

  async #fireSession(sessionId: SessionId, taskIds: readonly TaskId[]): Promise<void> {
    try {
      const fired = await this.#place(sessionId, taskIds);
      failpoint('schedule.placed');
      await this.#record(fired);
      failpoint('schedule.recorded');
      this.#tell(sessionId, fired);
    } catch (error) {
      if (this.#isClosed) return;
      this.#setAside(sessionId, error);
      return;
    }
    this.#busy.delete(sessionId);
    this.#arm();
  }

  /** Puts the rows into the session's inbox, in one commit. */
  async #place(sessionId: SessionId, taskIds: readonly TaskId[]): Promise<Fired[]> {
    const { sessions, tasks, firings, inboxes, clock } = this.#parts;
    const session = sessions.get(sessionId);
    if (session === null) {
      tasks.cancelForSession(sessionId, clock.now());
      return [];
    }
    try {
      this.#ensureFolder(session);
      return await inboxes.commit(session, (tables) => {
        const now = clock.now();
        return taskIds.flatMap((id) => {
          // Read again: it may have been cancelled while the commit waited.
          const task = tasks.get(id);
          return isDue(task, now) ? [placeFirings(tables, firings, task, now)] : [];
        });
      });
    } catch (error) {
      if (!(error instanceof Fault) || error.retryable) throw error;
      scheduleLog.warn({ sessionId, err: error }, 'tasks could not be put before their agent');
      const now = clock.now();
      return taskIds.flatMap((id) => {
        const task = tasks.get(id);
        return isDue(task, now) ? [giveUp(task, error.message, now)] : [];
      });
    }
  }

  #ensureFolder(session: Session): void {
    const paths = sessionPaths(this.#parts.home, session.agentGroupId, session.id);
    if (!existsSync(paths.inboundDb)) createSessionFolder(paths, hostContainerUser(session));
  }

  /**
   * One central commit for all sessions whose rows were committed in this turn. It opens them too: until then a
   * crash finds their tasks still due.
   */
  #record(fired: readonly Fired[]): Promise<void> {
    this.#gathered.push(...fired);
    this.#recording ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        const gathered = this.#gathered;
        this.#gathered = [];
        this.#recording = null;
        const { commit, tasks, firings, sessions, clock } = this.#parts;
        try {
          commit(() => {
            recordFired(tasks, firings, gathered);
            for (const { task } of gathered) sessions.markOpen(task.sessionId, clock.now());
          });
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
    return this.#recording;
  }

  #tell(sessionId: SessionId, fired: readonly Fired[]): void {
    const session = this.#parts.sessions.get(sessionId);
    if (session === null || fired.length === 0) return;
    const rows = fired.flatMap((one) => one.rows);
    for (const row of rows) this.#show(session, row);
    this.#writeFile(session);
    this.#parts.onWorkChanged(sessionId);
    scheduleLog.info({ sessionId, tasks: fired.length, runs: rows.length }, 'tasks were due');
  }

  #show(session: Session, row: NewInboundRow): void {
    const { chats, transcript } = this.#parts;
    const content = parseInboundContent(row.content);
    const chat =
      row.channelType === null || row.platformId === null ? null : chats.find(row.channelType, row.platformId);
    transcript.put({
      id: row.id,
      sessionId: session.id,
      messagingGroupId: chat?.id ?? null,
      threadId: row.threadId,
      direction: 'in',
      kind: 'task',
      authorId: null,
      authorName: content.ok ? content.value.senderName : '',
      destination: null,
      text: content.ok ? content.value.text : '',
      attachments: [],
      inReplyTo: null,
      state: 'queued',
      stateReason: null,
      clientId: null,
      traceId: row.traceId,
      stamps: { committed: stampNow() },
      createdAt: row.timestamp,
    });
  }

  #setAside(sessionId: SessionId, error: unknown): void {
    const fault = error instanceof Fault ? error : toDiskFault(error);
    if (fault === null) throw error;
    const { clock } = this.#parts;
    scheduleLog.warn({ sessionId, err: fault }, 'tasks of a session could not fire, and are tried again');
    const cancel = clock.at(epochMs(clock.now() + FIRE_RETRY_MS), () => {
      this.#retries.delete(cancel);
      this.#busy.delete(sessionId);
      this.#arm();
    });
    this.#retries.add(cancel);
    this.#arm();
  }

  /** The file is written again before each wake: one that fails now is late, not lost. */
  #writeFile(session: Pick<Session, 'id' | 'agentGroupId'>): void {
    try {
      this.#parts.files.write(session, sessionPaths(this.#parts.home, session.agentGroupId, session.id));
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      scheduleLog.warn({ sessionId: session.id, err: fault }, 'the list of tasks could not be written');
    }
  }

  /** The end of a firing stands in its session's database first: a crash may have left it unnoted here. */
  #settleOpen(after: { taskId: string; dueAt: number }): void {
    if (this.#isClosed) return;
    const { firings, sessions, inboxes } = this.#parts;
    const open = firings.listOpen(SETTLE_AT_ONCE, after);
    for (const { sessionId, messageId } of open) {
      const session = sessions.get(sessionId);
      if (session === null) continue;
      try {
        const status = inboxes.read(session, (tables) => tables.getStatus(messageId));
        if (status === 'done') firings.settle(messageId, 'answered', null);
        else if (status !== 'pending') firings.settle(messageId, 'failed', null);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        scheduleLog.warn({ sessionId, err: error }, 'the end of a task’s run could not be looked up');
      }
    }
    const last = open.at(-1);
    if (last !== undefined && open.length === SETTLE_AT_ONCE) setImmediate(() => this.#settleOpen(last));
  }

  /** Begins nothing more, and waits for the runs that are being put before their agents. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const cancel of this.#retries) cancel();
    await this.#underWay[Symbol.asyncDispose]();
  }
}
