/** One conversation with one model: what was said so far, the next step, and making room for it. */
import type { LanguageModelV3FunctionTool, LanguageModelV3Prompt } from '@ai-sdk/provider';
import { log } from '../../runner/log.ts';
import { type AskEnd, askModel, type BrokenCall } from './ask.ts';
import { type CompactionFacts, countFrom, countTokens, joinSummary, planCompaction } from './compaction/plan.ts';
import { summarise } from './compaction/summarise.ts';
import type { Failure } from './failures.ts';
import { leaveOutFailed } from './left-out.ts';
import { CHARS_PER_TOKEN, MAX_TRANSCRIPT_BYTES, type Patience } from './limits.ts';
import type { MediaFolder } from './media.ts';
import type { Model } from './model.ts';
import { buildPrompt, chooseMedia } from './prompt.ts';
import { addUsage, NO_USAGE, type RecordOf, type TranscriptRecord, type Usage } from './records.ts';
import { planRecovery, type Recovery, type Tried } from './recovery.ts';
import { answerOf, lastTurn } from './start.ts';
import type { Transcript } from './transcript.ts';
import { windowOf } from './windows.ts';

export interface ConversationParts {
  transcript: Transcript;
  model: Model;
  media: MediaFolder;
  instructions: string;
  agentName: string;
  patience: Patience;
  signal: AbortSignal;
  makeCallId(): string;
  /** Models that were found not to take an effort, by `service model`. */
  withoutEffort: Set<string>;
}

export type StepEnd =
  | { kind: 'said'; record: RecordOf<'assistant'>; broken: BrokenCall[] }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'interrupted' };

export type CompactionEnd =
  | { kind: 'compacted'; tokensBefore: number; tokensAfter: number }
  | { kind: 'nothing' }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'interrupted' };

export class Conversation {
  readonly #parts: ConversationParts;
  /** Of all calls since the turn began. */
  #usage: Usage = NO_USAGE;
  /** What the running turn said before it was compacted away. */
  #carried = '';

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** Without turns that failed: they go out with no request. */
  get records(): readonly TranscriptRecord[] {
    return leaveOutFailed(this.#parts.transcript.records);
  }

  record(record: TranscriptRecord): void {
    this.#parts.transcript.append(record);
  }

  /** What the turn so far has to say. */
  answer(): string {
    return [this.#carried, answerOf(lastTurn(this.records))].filter((text) => text !== '').join('\n\n');
  }

  /** Asks the model once; what it says is on disk when this ends. Yields text as it comes. */
  async *step(tools: readonly LanguageModelV3FunctionTool[]): AsyncGenerator<string, StepEnd> {
    if (this.#isTooLarge()) this.#parts.transcript.replace(this.records.filter(({ kind }) => kind !== 'header'));
    const room = yield* this.compact(this.#isTooLarge() ? 'refused' : 'size', tools);
    if (room.kind === 'failed' || room.kind === 'interrupted') return room;
    const tried = new Set<Recovery>();
    for (;;) {
      const end = yield* this.#ask(this.#prompt(), tools, this.#usesEffort());
      if (end.kind === 'said') return this.#keep(end);
      if (end.kind === 'interrupted') return end;
      const recovery = planRecovery(end.failure, this.#tried(tried));
      if (recovery.kind === 'give_up') return { kind: 'failed', failure: recovery.failure };
      tried.add(recovery.kind);
      log.warn('asking the model otherwise', { recovery: recovery.kind });
      const problem = yield* this.#recover(recovery.kind, end.failure, tools);
      if (problem !== null) return problem;
    }
  }

  /** Makes the conversation shorter. The transcript stays as it is unless that works out. */
  async *compact(
    reason: CompactionFacts['reason'],
    tools: readonly LanguageModelV3FunctionTool[],
  ): AsyncGenerator<string, CompactionEnd> {
    const { transcript, model, media } = this.#parts;
    const windowTokens = windowOf(model.name, this.records);
    const fixedTokens = this.#fixedTokens(tools);
    const tokensBefore = countTokens(this.records, fixedTokens);
    const plan = planCompaction(this.records, { windowTokens, fixedTokens, reason });
    if (plan.kind === 'nothing') return plan;
    const done = (records: TranscriptRecord[]): CompactionEnd => {
      transcript.replace(records);
      media.sweep(this.records);
      const tokensAfter = countFrom(this.records) + fixedTokens;
      log.info('compacted', { reason, how: plan.kind, tokensBefore, tokensAfter });
      return { kind: 'compacted', tokensBefore, tokensAfter };
    };
    if (plan.kind === 'drop') return done(plan.records);
    const maxBytes = Math.floor((windowTokens / 2) * CHARS_PER_TOKEN);
    const end = yield* summarise(plan.older, maxBytes, (prompt) => this.#ask(prompt, [], false));
    if (end.kind !== 'summary') return end;
    const records = joinSummary(plan, end.text);
    if (records === null) return { kind: 'nothing' };
    const start = plan.older.findLastIndex(({ kind }) => kind === 'end');
    const isOver = plan.kept.some(({ kind }) => kind === 'end');
    const lost = isOver ? '' : answerOf(plan.older.slice(start + 1));
    this.#carried = [this.#carried, lost].filter((text) => text !== '').join('\n\n');
    return done(records);
  }

  #keep({ parts, broken, usage, isCut }: Extract<AskEnd, { kind: 'said' }>): StepEnd {
    const record: RecordOf<'assistant'> = { kind: 'assistant', model: this.#parts.model.name, parts, usage, isCut };
    this.record(record);
    return { kind: 'said', record, broken };
  }

  async *#ask(
    prompt: LanguageModelV3Prompt,
    tools: readonly LanguageModelV3FunctionTool[],
    usesEffort: boolean,
  ): AsyncGenerator<string, AskEnd> {
    const { model, agentName, patience, signal, makeCallId } = this.#parts;
    const end = yield* askModel({ model, prompt, tools, usesEffort, agentName, patience, signal, makeCallId });
    if (end.kind === 'said') this.#usage = addUsage(this.#usage, end.usage);
    return end;
  }

  #prompt(): LanguageModelV3Prompt {
    const { instructions, model, media } = this.#parts;
    const load = media.load.bind(media);
    return buildPrompt(this.records, { instructions, api: model.api, model: model.name, load });
  }

  #tried(recoveries: ReadonlySet<Recovery>): Tried {
    return { recoveries, hasMedia: this.#shown().length > 0, hasEffort: this.#usesEffort() };
  }

  /** Null: the call may be made again. */
  async *#recover(
    recovery: Recovery,
    failure: Failure,
    tools: readonly LanguageModelV3FunctionTool[],
  ): AsyncGenerator<string, Extract<StepEnd, { kind: 'failed' | 'interrupted' }> | null> {
    switch (recovery) {
      case 'hide_media':
        this.#hideMedia();
        return null;
      case 'no_effort':
        this.#parts.withoutEffort.add(this.#traitsKey());
        return null;
      case 'compact': {
        this.#learnWindow(failure, tools);
        const end = yield* this.compact('refused', tools);
        if (end.kind === 'compacted') return null;
        if (end.kind !== 'nothing') return end;
        const message = `What was asked is more than the model ${this.#parts.model.name} takes, even by itself. Ask for less at once, or send less.`;
        return { kind: 'failed', failure: { kind: 'final', message } };
      }
    }
  }

  /** A server that does not say how much it takes, takes less than what it refused. */
  #learnWindow(failure: Failure, tools: readonly LanguageModelV3FunctionTool[]): void {
    if (failure.kind !== 'too_long') return;
    const counted = Math.floor(countTokens(this.records, this.#fixedTokens(tools)) * 0.9);
    const tokens = Math.max(1, Math.min(failure.windowTokens ?? counted, counted));
    this.record({ kind: 'window', model: this.#parts.model.name, tokens });
  }

  #hideMedia(): void {
    const shown = this.#shown();
    const names = shown.map(({ name }) => name).join(', ');
    this.record({ kind: 'unseen', model: this.#parts.model.name, sha256s: shown.map(({ sha256 }) => sha256) });
    this.record({
      kind: 'note',
      text: `You cannot see these files, because your model did not take them: ${names}. Say so if they matter, or look at them with a program.`,
    });
  }

  #shown() {
    return [...chooseMedia(this.records, this.#parts.model.name)];
  }

  #usesEffort(): boolean {
    return this.#parts.model.effort !== null && !this.#parts.withoutEffort.has(this.#traitsKey());
  }

  #isTooLarge(): boolean {
    return this.#parts.transcript.sizeBytes > MAX_TRANSCRIPT_BYTES;
  }

  #traitsKey(): string {
    const { service, name } = this.#parts.model;
    return `${service} ${name}`;
  }

  #fixedTokens(tools: readonly LanguageModelV3FunctionTool[]): number {
    return Math.ceil((this.#parts.instructions.length + JSON.stringify(tools).length) / CHARS_PER_TOKEN);
  }
}
