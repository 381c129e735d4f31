/** One call of the model: the request goes out, the stream comes in, and its end is a value. */
import type {
  LanguageModelV3CallOptions,
  LanguageModelV3FunctionTool,
  LanguageModelV3Prompt,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
} from '@ai-sdk/provider';
import { BrokenStreamError, type CallPlace, type Failure, readFailure } from './failures.ts';
import { MAX_ANSWER_BYTES, MAX_CALLS_PER_STEP, type Patience } from './limits.ts';
import { callSettings, keepMetadata, type Model } from './model.ts';
import type { AssistantPart, Metadata, Usage } from './records.ts';

export interface Asked {
  model: Model;
  prompt: LanguageModelV3Prompt;
  tools: readonly LanguageModelV3FunctionTool[];
  usesEffort: boolean;
  agentName: string;
  patience: Patience;
  /** Ends the call: the turn was interrupted. */
  signal: AbortSignal;
  makeCallId(): string;
}

/** What a model wrote as a call's input, when it cannot be read. */
export interface BrokenCall {
  callId: string;
  problem: string;
}

export type AskEnd =
  | { kind: 'said'; parts: AssistantPart[]; broken: BrokenCall[]; usage: Usage; isCut: boolean }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'interrupted' };

/** Yields text as it comes, and an empty one for what else shows that the model works. */
export async function* askModel(asked: Asked): AsyncGenerator<string, AskEnd> {
  const { model, signal } = asked;
  const place: CallPlace = { service: model.service, model: model.name, agentName: asked.agentName };
  using watch = new SilenceWatch(asked);
  const collected = new Collected(asked.makeCallId);
  try {
    const { stream } = await model.language.doStream(callOptions(asked, watch.signal));
    // The SDK's streams are async iterable in Node.
    for await (const part of stream as unknown as AsyncIterable<LanguageModelV3StreamPart>) {
      watch.heard();
      const text = collected.take(part);
      if (text !== null) yield text;
    }
    return collected.end(place);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return { kind: 'failed', failure: readFailure(watch.problem ?? error, place) };
  } finally {
    // A consumer that stops in the middle must not leave the request open.
    watch.stop();
  }
}

function callOptions(asked: Asked, abortSignal: AbortSignal): LanguageModelV3CallOptions {
  const { model, prompt, tools, usesEffort } = asked;
  return {
    prompt,
    ...(tools.length > 0 ? { tools: [...tools] } : {}),
    ...callSettings(model, usesEffort),
    abortSignal,
  };
}

/** Gives a silent server up. */
class SilenceWatch implements Disposable {
  readonly #abort = new AbortController();
  readonly #asked: Asked;
  #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;
  problem: BrokenStreamError | null = null;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.signal = AbortSignal.any([asked.signal, this.#abort.signal]);
    this.#timer = this.#arm(asked.patience.firstByteMs, 'did not begin to answer');
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm(this.#asked.patience.silenceMs, 'fell silent in the middle of its answer');
  }

  stop(): void {
    this.#abort.abort();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number, what: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.problem = new BrokenStreamError(`${this.#asked.model.service} ${what} for ${Math.round(ms / 1_000)} s`);
      this.#abort.abort();
    }, ms);
  }
}

/** The parts of an answer, in the order in which they began. */
class Collected {
  readonly #makeCallId: () => string;
  readonly #parts: AssistantPart[] = [];
  readonly #open = new Map<string, Extract<AssistantPart, { type: 'text' | 'thought' }>>();
  readonly #broken: BrokenCall[] = [];
  #finish: Extract<LanguageModelV3StreamPart, { type: 'finish' }> | null = null;
  #error: { value: unknown } | null = null;
  #chars = 0;

  constructor(makeCallId: () => string) {
    this.#makeCallId = makeCallId;
  }

  /** Text to show now; null: nothing that shows progress. Throws BrokenStreamError when the answer has no end. */
  take(part: LanguageModelV3StreamPart): string | null {
    switch (part.type) {
      case 'text-start':
        this.#begin(`text ${part.id}`, { type: 'text', text: '' });
        return null;
      case 'text-delta':
        this.#add(`text ${part.id}`, part.delta);
        return part.delta;
      case 'reasoning-start':
        this.#begin(`thought ${part.id}`, { type: 'thought', text: '', metadata: keepMetadata(part.providerMetadata) });
        return '';
      case 'reasoning-delta':
        this.#add(`thought ${part.id}`, part.delta, part.providerMetadata);
        return '';
      case 'reasoning-end':
        this.#add(`thought ${part.id}`, '', part.providerMetadata);
        return '';
      case 'tool-input-delta':
        this.#count(part.delta);
        return '';
      case 'tool-call':
        if (part.providerExecuted !== true) this.#call(part);
        return '';
      case 'finish':
        this.#finish = part;
        return null;
      case 'error':
        this.#error ??= { value: part.error };
        return null;
      default:
        return null;
    }
  }

  /** An answer without its end is none, however much of it came. */
  end(place: CallPlace): AskEnd {
    const failed = (error: unknown): AskEnd => ({ kind: 'failed', failure: readFailure(error, place) });
    if (this.#error !== null) return failed(this.#error.value);
    const reason = this.#finish?.finishReason;
    if (this.#finish === null || reason === undefined) {
      return failed(new BrokenStreamError(`The answer of ${place.service} broke off in the middle`));
    }
    if (reason.unified === 'content-filter') {
      const message = `${place.service} held the answer back: its filter of contents (${reason.raw}). Put it in other words.`;
      return { kind: 'failed', failure: { kind: 'final', message } };
    }
    const usage = readUsage(this.#finish.usage);
    return { kind: 'said', parts: this.#parts, broken: this.#broken, usage, isCut: reason.unified === 'length' };
  }

  #begin(id: string, part: Extract<AssistantPart, { type: 'text' | 'thought' }>): void {
    this.#open.set(id, part);
    this.#parts.push(part);
  }

  #add(id: string, delta: string, metadata?: Metadata): void {
    this.#count(delta);
    const part = this.#open.get(id);
    if (part === undefined) return;
    part.text += delta;
    if (part.type !== 'thought' || metadata === undefined) return;
    // Signatures come at the end.
    part.metadata = { ...part.metadata, ...keepMetadata(metadata) };
  }

  #call(part: Extract<LanguageModelV3StreamPart, { type: 'tool-call' }>): void {
    if (this.#parts.filter(({ type }) => type === 'call').length >= MAX_CALLS_PER_STEP) return;
    // Ids of our own: some servers give none, the same one twice, or one that another API does not take.
    const id = this.#makeCallId();
    const input = parseInput(part.input);
    if (input === null) this.#broken.push({ callId: id, problem: describeBroken(part.input) });
    const metadata = keepMetadata(part.providerMetadata);
    this.#parts.push({ type: 'call', id, name: plainName(part.toolName), input: input ?? {}, metadata });
  }

  #count(delta: string): void {
    this.#chars += delta.length;
    if (this.#chars > MAX_ANSWER_BYTES) throw new BrokenStreamError('The model wrote without an end');
  }
}

/** A name that no tool has would be sent back as it is, and refused. */
function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unnamed';
}

/** Null: no JSON object. Nothing at all stands for a call without input. */
function parseInput(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Of what cannot be read: enough to see the mistake. */
const MAX_SHOWN_CHARS = 200;

function describeBroken(text: string): string {
  const shown = text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
  return `The input was no JSON object, so nothing was called: ${shown}\nCall again with an object.`;
}

function readUsage({ inputTokens, outputTokens }: LanguageModelV3Usage): Usage {
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    cacheReadTokens: inputTokens.cacheRead ?? 0,
    cacheWriteTokens: inputTokens.cacheWrite ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
}
