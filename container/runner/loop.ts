/**
 * The runner's loop: wait for a ring, take a batch, run its turn, commit, look again.
 *
 *   waiting ─ring→ take ─batch→ turn ─→ finish ─┐
 *      ▲            │ nothing                    │ (looks again at once)
 *      └── idle ◄───┴────────────────────────────┘
 *
 * I1. At every await both databases are free of open statements and transactions: the host may freeze
 *     this process there, and it says `idle` when nothing is left to do.
 * I2. What cannot be read or written now is tried again later; the loop itself does not end.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stampNow } from '../../shared/trace.ts';
import { type BatchPlan, cutAtCommand } from './commands.ts';
import { Compaction } from './compaction.ts';
import type { Doorbell } from './doorbell.ts';
import type { Candidate, InboxTables } from './inbox.ts';
import { describeError, log } from './log.ts';
import type { InboundMessage } from './message.ts';
import { isPassing, type TurnEnd } from './outbox.ts';
import { draftNote } from './replies.ts';
import { type Selection, selectBatch } from './select.ts';
import { SentFiles } from './sent-files.ts';
import { Turn, type TurnParts } from './turn.ts';

/** Pause before a read or write that failed is tried again. Higher: people wait. Lower: a full disk is hammered. */
const RETRY_MS = 500;
/** How long the end of a turn waits for a full disk or a held lock. After it, the host re-queues the claims. */
const FINISH_PATIENCE_MS = 60_000;

type Taken =
  | { kind: BatchPlan['kind']; messages: InboundMessage[]; omittedCount: number }
  | { kind: 'nothing'; nextDueMs: number | null }
  | { kind: 'later' };

export class RunnerLoop {
  readonly #parts: TurnParts;
  readonly #doorbell: Doorbell;
  readonly #sentFiles: SentFiles;
  /** Claimed, but the running turn was over before they could join it. */
  #carried: { messages: InboundMessage[]; omittedCount: number } | null = null;
  #turn: { interrupt(): void } | null = null;
  #wakeSeq: number | null = null;
  #isIdle = false;
  #isStopping = false;

  constructor(parts: TurnParts, doorbell: Doorbell) {
    this.#parts = parts;
    this.#doorbell = doorbell;
    this.#sentFiles = new SentFiles(parts.outFiles, parts.inbox, parts.outbox, performance.timeOrigin);
  }

  /** Whether work waits right now; also the first look, which fixes what `on_wake` rows this process may take. */
  hasWork(): boolean {
    const read = this.#parts.inbox.read((tables) => this.#selectRows(tables, Date.now()));
    return read.kind === 'unavailable' || read.value.rows.length > 0;
  }

  /** Runs until `stop`. `isIdle`: whether `outbound.db` already says so. */
  async run(isIdle: boolean): Promise<void> {
    this.#isIdle = isIdle;
    while (!this.#isStopping) {
      const taken = this.#take();
      switch (taken.kind) {
        case 'turn':
          await this.#runTurn(taken.messages, taken.omittedCount);
          break;
        case 'clear':
          await this.#clear(taken.messages);
          break;
        case 'compact':
          await this.#compact(taken.messages);
          break;
        case 'later':
          await this.#doorbell.wait(Date.now() + RETRY_MS);
          break;
        case 'nothing':
          this.#markIdle();
          this.#sentFiles.sweep();
          await this.#doorbell.wait(taken.nextDueMs);
          break;
      }
    }
    this.#parts.outbox.releaseClaims();
  }

  /** Takes no more work and interrupts the turn that runs; `run` then resolves soon. */
  stop(): void {
    this.#isStopping = true;
    this.#turn?.interrupt();
    this.#doorbell.ring();
  }

  #take(): Taken {
    if (this.#carried) {
      const carried = this.#carried;
      this.#carried = null;
      return { kind: 'turn', ...carried };
    }
    const read = this.#select();
    if (!read) return { kind: 'later' };
    if (read.selection.rows.length === 0) return { kind: 'nothing', nextDueMs: read.nextDueMs };
    const plan = cutAtCommand(read.messages);
    return this.#claim(plan.messages, read.selection)
      ? { ...plan, omittedCount: read.selection.omitted.length }
      : { kind: 'later' };
  }

  #select(): { selection: Selection; messages: InboundMessage[]; nextDueMs: number | null } | null {
    const now = Date.now();
    const read = this.#parts.inbox.read((tables) => {
      const selection = this.#selectRows(tables, now);
      const messages = selection.rows.flatMap((row) => tables.byId(row.id) ?? []);
      return { selection, messages, nextDueMs: messages.length > 0 ? null : tables.nextDue(now) };
    });
    return read.kind === 'read' ? read.value : null;
  }

  /** What this process holds a claim on is not selected again, nor what it has settled. */
  #selectRows(tables: InboxTables, now: number): Selection {
    const { outbox, session } = this.#parts;
    this.#wakeSeq ??= tables.lastSeq();
    return selectBatch(tables, {
      now,
      maxBatch: session.limits.maxBatch,
      wakeSeq: this.#wakeSeq,
      isTaken: (candidate) => outbox.isTaken(candidate) || this.#isAwaited(tables, candidate),
    });
  }

  /** How a question ended is left to the turn that asked, this try of it or the next, while that is not over. */
  #isAwaited(tables: InboxTables, { kind, inReplyTo }: Candidate): boolean {
    if (kind !== 'system' || inReplyTo === null) return false;
    const { outbox } = this.#parts;
    const question = outbox.byId(inReplyTo);
    if (question?.body.kind !== 'question' || question.inReplyTo === null) return false;
    return tables.isPending(question.inReplyTo) && !outbox.isDone(question.inReplyTo);
  }

  #claim(messages: readonly InboundMessage[], selection: Selection): boolean {
    try {
      this.#parts.outbox.claim(messages, selection.omitted, Date.now());
      this.#isIdle = false;
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      log.warn('cannot claim now', { error: describeError(error) });
      return false;
    }
  }

  async #runTurn(messages: InboundMessage[], omittedCount: number): Promise<void> {
    const startedAt = performance.now();
    const turn = new Turn(this.#parts, messages);
    this.#turn = turn;
    this.#doorbell.onRing = () => {
      turn.ring();
      this.#offerFollowUps(turn);
    };
    this.#parts.toolDoor?.open(turn.tools);
    const result = await turn.run(omittedCount);
    this.#parts.toolDoor?.close();
    this.#doorbell.onRing = null;
    this.#turn = null;
    if (turn.hasSentFiles) this.#sentFiles.expect();
    if (!result) return;
    await this.#finish(result);
    const ms = Math.round((performance.now() - startedAt) * 10) / 10;
    log.info('turn ended', { messages: result.acks.length, rows: result.drafts.length, ms });
  }

  /** Messages that arrive during a turn join it, if the provider can take them; a command never does. */
  #offerFollowUps(turn: Turn): void {
    if (!this.#parts.provider.supportsPush || this.#carried || this.#isStopping) return;
    const read = this.#select();
    if (!read || read.messages.length === 0) return;
    const plan = cutAtCommand(read.messages);
    if (plan.kind !== 'turn' || !this.#claim(plan.messages, read.selection)) return;
    const omittedCount = read.selection.omitted.length;
    if (!turn.push(plan.messages, omittedCount)) this.#carried = { messages: plan.messages, omittedCount };
  }

  async #clear(messages: InboundMessage[]): Promise<void> {
    const { paths, chart, outbox } = this.#parts;
    const command = messages.at(-1);
    if (!command) throw new Error('a clear batch ends with its command');
    // The state goes first: after a crash the command is simply obeyed again.
    for (const name of readdirSync(paths.state)) rmSync(join(paths.state, name), { recursive: true, force: true });
    const already = outbox.sentInReplyTo(command.id).length > 0;
    const note = draftNote({ chart: chart.read() }, command, 'Cleared: this conversation starts afresh.');
    const row_committed = stampNow();
    await this.#finish({
      drafts: already ? [] : [note],
      acks: messages.map(({ id, tries }) => ({ id, tries, state: 'done', stamps: { row_committed } })),
      continuation: null,
    });
    log.info('conversation cleared');
  }

  async #compact([command]: InboundMessage[]): Promise<void> {
    if (!command) throw new Error('a batch to compact is its command');
    const compaction = new Compaction(this.#parts, command);
    this.#turn = compaction;
    const result = await compaction.run();
    this.#turn = null;
    if (result) await this.#finish(result);
  }

  /** What a turn came to is not thrown away for a full disk: it is committed when there is room. */
  async #finish(end: Omit<TurnEnd, 'idleSince'>): Promise<void> {
    const giveUpAt = Date.now() + FINISH_PATIENCE_MS;
    for (;;) {
      try {
        const isIdle = !this.#carried && !this.hasWork();
        this.#parts.outbox.finish({ ...end, idleSince: isIdle ? Date.now() : null });
        this.#isIdle = isIdle;
        return;
      } catch (error) {
        if (!isPassing(error) || Date.now() > giveUpAt) throw error;
        log.warn('cannot commit a turn now', { error: describeError(error) });
      }
      await delay(RETRY_MS);
    }
  }

  #markIdle(): void {
    if (this.#isIdle) return;
    try {
      this.#parts.outbox.markIdle(Date.now());
      this.#isIdle = true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      log.warn('cannot say idle now', { error: describeError(error) });
    }
  }
}
