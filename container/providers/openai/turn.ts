/**
 * One turn: the model is asked, its tools are run, and it is asked again, until it has nothing more to call.
 *
 *   prompt ─▶ ask ─calls─▶ tools ─▶ (what came meanwhile) ─▶ ask … ─no calls─▶ result
 *
 * I1. Each answer and each result is in the transcript before the next step begins: a turn that was cut off goes on.
 * I2. What a model does wrong is told to it, a bounded number of times; what the world does wrong ends the turn.
 * I3. Only an answer that came to its end is a result.
 */
import type { Prompt, ProviderEvent, QueryInput } from '../provider.ts';
import type { BrokenCall } from './ask.ts';
import type { Control } from './control.ts';
import { Conversation, type StepEnd } from './conversation.ts';
import type { Failure } from './failures.ts';
import { MAX_BROKEN_CALLS, MAX_CONTINUATIONS, MAX_STEPS } from './limits.ts';
import { type Opened, openTurn, type TurnParts } from './open.ts';
import { type CallPart, callsOf, type RecordOf, type Usage } from './records.ts';
import type { ProviderSettings } from './settings.ts';
import { planStart } from './start.ts';
import { Toolbelt } from './toolbelt.ts';
import { Shell } from './tools/shell.ts';

type Said = Extract<StepEnd, { kind: 'said' }>;

export async function* converse(
  input: QueryInput,
  settings: ProviderSettings,
  control: Control,
): AsyncGenerator<ProviderEvent> {
  const opened: Opened = openTurn(input, settings, control.signal);
  if (opened.kind === 'failed') yield failed({ kind: 'final', message: opened.message });
  if (opened.kind === 'invalid') yield { kind: 'continuation_invalid' };
  if (opened.kind !== 'open') return;
  const { parts } = opened;
  yield { kind: 'init', continuation: parts.transcript.id };
  const conversation = new Conversation(parts);
  const start = planStart(
    conversation.records,
    input.prompt.messages.map(({ id }) => id),
  );
  if (start.kind === 'answered') {
    control.close();
    yield { kind: 'result', text: start.text, usage: toUsage(conversation.usage) };
    return;
  }
  if (start.kind === 'goes_on') {
    // A try that came to nothing left nothing to go on from.
    if (start.hasSaid) conversation.record({ kind: 'note', text: GOES_ON });
  } else {
    if (start.isAfterCut) conversation.record({ kind: 'end', isAnswered: false });
    recordPrompt(input.prompt, conversation, parts);
  }
  yield* new Steps(input, parts, conversation, control).run();
}

const GOES_ON =
  'You were cut off in the middle of this, and go on now. What your tools did before stands; nothing that you wrote was sent yet, but for what your tools sent.';
const CONTINUE = 'Your answer reached the limit of one answer. Go on exactly where it stopped, and repeat nothing.';
const LAST_STEP =
  'This is your last step in this turn: call no more tools. Say what you found, what is done, and what is left.';

class Steps {
  readonly #parts: TurnParts;
  readonly #conversation: Conversation;
  readonly #control: Control;
  readonly #shell: Shell;
  readonly #belt: Toolbelt;
  #continuations = 0;
  #brokenInARow = 0;

  constructor(input: QueryInput, parts: TurnParts, conversation: Conversation, control: Control) {
    const { session, paths, gateway, tools } = input;
    const place = { homeFolder: paths.state, timezone: session.timezone, gatewayPort: gateway.port };
    this.#parts = parts;
    this.#conversation = conversation;
    this.#control = control;
    this.#shell = new Shell(place, paths.agent, lastCwd(conversation));
    const { media, signal, model } = parts;
    this.#belt = new Toolbelt(tools, { agentFolder: paths.agent, media, shell: this.#shell, signal }, model.api);
  }

  async *run(): AsyncGenerator<ProviderEvent> {
    try {
      for (let step = 1; step <= MAX_STEPS; step++) {
        if (step === MAX_STEPS) this.#note(LAST_STEP);
        const end = yield* this.#ask();
        if (end.kind === 'interrupted') return;
        if (end.kind === 'failed') {
          yield* this.#fail(end.failure);
          return;
        }
        yield* this.#callTools(end);
        if (this.#control.signal.aborted) return;
        const next = this.#planNext(end.record);
        if (next.kind === 'failed') yield* this.#fail(next.failure);
        else if (next.kind === 'over') yield* this.#finish();
        if (next.kind !== 'goes_on') return;
      }
      yield* this.#fail({ kind: 'final', message: `The agent did not come to an end in ${MAX_STEPS} steps.` });
    } finally {
      this.#shell[Symbol.dispose]();
    }
  }

  async *#ask(): AsyncGenerator<ProviderEvent, StepEnd> {
    const asking = this.#conversation.step(this.#belt.list());
    for (;;) {
      const next = await asking.next();
      if (next.done) return next.value;
      yield next.value === '' ? { kind: 'progress' } : { kind: 'text', text: next.value };
    }
  }

  async *#callTools({ record, broken }: Said): AsyncGenerator<ProviderEvent> {
    const calls = callsOf(record);
    this.#brokenInARow = calls.length > 0 && broken.length === calls.length ? this.#brokenInARow + 1 : 0;
    for (const call of calls) {
      if (this.#control.signal.aborted) return;
      yield* this.#callTool(call, broken);
    }
  }

  async *#callTool(call: CallPart, broken: readonly BrokenCall[]): AsyncGenerator<ProviderEvent> {
    const { id: callId, name } = call;
    const problem = broken.find((each) => each.callId === callId)?.problem;
    if (problem !== undefined) {
      this.#conversation.record({ kind: 'result', callId, name, isOk: false, text: problem, media: [] });
      return;
    }
    const timeoutMs = this.#belt.timeoutMs(call);
    yield timeoutMs === null ? { kind: 'progress' } : { kind: 'tool_start', tool: name, timeoutMs };
    const result = await this.#belt.call(call);
    // Of a turn that was interrupted, nothing more is said: its calls are closed when it goes on.
    if (!this.#control.signal.aborted) {
      const { isOk, text, media = [] } = result;
      this.#conversation.record({ kind: 'result', callId, name, isOk, text, media, cwd: this.#shell.cwd }); // I1
    }
    if (timeoutMs !== null) yield { kind: 'tool_end', tool: name };
  }

  #planNext(record: RecordOf<'assistant'>): { kind: 'goes_on' | 'over' } | { kind: 'failed'; failure: Failure } {
    if (this.#brokenInARow >= MAX_BROKEN_CALLS) {
      const { name } = this.#parts.model;
      const message = `The model ${name} called tools in a way that cannot be read, ${MAX_BROKEN_CALLS} times in a row. Perhaps it was not made for tools.`;
      return { kind: 'failed', failure: { kind: 'final', message } };
    }
    const pushed = this.#control.take();
    for (const prompt of pushed) recordPrompt(prompt, this.#conversation, this.#parts);
    if (pushed.length > 0 || callsOf(record).length > 0) return { kind: 'goes_on' };
    if (record.isCut && this.#continuations++ < MAX_CONTINUATIONS) {
      this.#note(CONTINUE);
      return { kind: 'goes_on' };
    }
    this.#control.close();
    return { kind: 'over' };
  }

  *#finish(): Generator<ProviderEvent> {
    const text = this.#conversation.answer();
    this.#conversation.record({ kind: 'end', isAnswered: true });
    yield { kind: 'result', text, usage: toUsage(this.#conversation.usage) }; // I3
  }

  /** What may succeed later is left open, so that the next try goes on there. */
  *#fail(failure: Failure): Generator<ProviderEvent> {
    if (failure.kind !== 'retryable') this.#conversation.record({ kind: 'end', isAnswered: false });
    yield failed(failure);
  }

  #note(text: string): void {
    this.#conversation.record({ kind: 'note', text });
  }
}

export function failed(failure: Failure): ProviderEvent {
  const { kind, message } = failure;
  if (kind !== 'retryable' || failure.retryAfterMs === null) {
    return { kind: 'error', retryable: kind === 'retryable', message };
  }
  return { kind: 'error', retryable: true, message, retryAfterMs: failure.retryAfterMs };
}

export function toUsage(usage: Usage): Record<string, number> {
  return { ...usage };
}

function recordPrompt(prompt: Prompt, conversation: Conversation, { media }: TurnParts): void {
  const notes: string[] = [];
  const shown = prompt.messages
    .flatMap(({ attachments }) => attachments)
    .flatMap(({ path, name }) => {
      const taken = media.take(path, name);
      if (taken.kind === 'refused') notes.push(taken.why);
      return taken.kind === 'media' ? [taken.media] : [];
    });
  const text = [prompt.text, ...notes.map((why) => `(${why}.)`)].join('\n');
  conversation.record({ kind: 'user', text, media: shown, messageIds: prompt.messages.map(({ id }) => id) });
}

function lastCwd({ records }: Conversation): string | null {
  const last = records.findLast((record) => record.kind === 'result' && record.cwd !== undefined);
  return last?.kind === 'result' ? (last.cwd ?? null) : null;
}
