/** What the SDK's messages come to, as events of a turn. Pure but for what it remembers of the turn. */
import type { ProviderEvent } from '../provider.ts';
import { type Continuation, formatContinuation } from './continuation.ts';
import { type CallPlace, describeFailure, isFinal } from './failures.ts';
import {
  BASH_TIMEOUT_MS,
  MAX_BASH_TIMEOUT_MS,
  MAX_RETRY_WAIT_MS,
  SUBAGENT_TIMEOUT_MS,
  TOOL_TIMEOUT_MS,
} from './limits.ts';
import type { SdkMessage, SdkResult, ToolCall } from './messages.ts';

export interface Reading {
  events: ProviderEvent[];
  /** `failed`: nothing more is to come. `unopened`: it ended before it began, for its state cannot be read. */
  end: 'failed' | 'unopened' | null;
}

/** Its own tools declare how long they take where they are called. */
const OWN_TOOL = /^mcp__/;

export class Reader {
  readonly #place: CallPlace;
  /** Ids of what was said to it and not taken yet. */
  readonly #waiting = new Set<string>();
  /** Labels of the tools that run, by call. */
  readonly #open = new Map<string, string>();
  readonly #texts: string[] = [];
  #lastId: string | null = null;
  #problem: string | null = null;
  #hasStarted = false;
  #compacted: Extract<SdkMessage, { kind: 'compacted' }> | null = null;

  constructor(place: CallPlace) {
    this.#place = place;
  }

  expect(id: string): void {
    this.#waiting.add(id);
  }

  /** Whether all that was said to it has its answer. */
  get isAnswered(): boolean {
    return this.#waiting.size === 0;
  }

  get compacted(): Extract<SdkMessage, { kind: 'compacted' }> | null {
    return this.#compacted;
  }

  read(message: SdkMessage): Reading {
    switch (message.kind) {
      case 'started':
        this.#hasStarted = true;
        return go();
      case 'text':
        return go({ kind: 'text', text: message.text });
      case 'said':
        return this.#readSaid(message);
      case 'tool_results':
        return go(...message.callIds.flatMap((id) => this.#close(id)));
      case 'retry':
        return this.#readRetry(message);
      case 'compacted':
        this.#compacted = message;
        return go();
      case 'result':
        return this.#readResult(message);
      case 'other':
        return go();
    }
  }

  /** Of tools that were running when the turn ended. */
  closeAll(): ProviderEvent[] {
    return [...this.#open.keys()].flatMap((id) => this.#close(id));
  }

  #readSaid({ id, isMain, texts, calls, problem }: Extract<SdkMessage, { kind: 'said' }>): Reading {
    if (!isMain) return go();
    // Its own words about a failure are no answer.
    if (problem !== null) this.#problem = problem;
    else {
      this.#lastId = id;
      this.#texts.push(...texts);
    }
    return go(...calls.filter(({ name }) => !OWN_TOOL.test(name)).map((call) => this.#begin(call)));
  }

  #begin(call: ToolCall): ProviderEvent {
    const labels = [...this.#open.values()];
    let label = call.name;
    for (let count = 2; labels.includes(label); count++) label = `${call.name} ${count}`;
    this.#open.set(call.id, label);
    return { kind: 'tool_start', tool: label, timeoutMs: timeoutOf(call) };
  }

  #close(callId: string): ProviderEvent[] {
    const tool = this.#open.get(callId);
    if (tool === undefined) return [];
    this.#open.delete(callId);
    return [{ kind: 'tool_end', tool }];
  }

  /** It would try in vain, or wait for longer than anybody should. */
  #readRetry({ status, problem, delayMs }: Extract<SdkMessage, { kind: 'retry' }>): Reading {
    if (!isFinal({ status, problem }) && delayMs <= MAX_RETRY_WAIT_MS) return go();
    return this.#fail({ status, problem, words: '' }, delayMs);
  }

  #readResult(result: SdkResult): Reading {
    const { isError, status, text, errors } = result;
    if (isError) {
      if (!this.#hasStarted && status === null && this.#problem === null) return { events: [], end: 'unopened' };
      return this.#fail({ status, problem: this.#problem, words: text || errors.join(' ') });
    }
    for (const id of result.takenIds) this.#waiting.delete(id);
    const said = this.#texts.splice(0).join('\n\n');
    const continuation: Continuation = { sessionId: result.sessionId, lastId: this.#lastId };
    return go(
      ...this.closeAll(),
      { kind: 'init', continuation: formatContinuation(continuation) },
      { kind: 'result', text: said === '' ? text : said, usage: result.usage },
    );
  }

  #fail(call: { status: number | null; problem: string | null; words: string }, retryAfterMs = 0): Reading {
    const { retryable, message } = describeFailure(call, this.#place);
    const wait = retryable && retryAfterMs > 0 ? { retryAfterMs } : {};
    return { events: [...this.closeAll(), { kind: 'error', retryable, message, ...wait }], end: 'failed' };
  }
}

function timeoutOf({ name, input }: ToolCall): number {
  if (name === 'Agent' || name === 'Task') return SUBAGENT_TIMEOUT_MS;
  if (name !== 'Bash') return TOOL_TIMEOUT_MS;
  return typeof input.timeout === 'number'
    ? Math.min(Math.max(input.timeout, 0), MAX_BASH_TIMEOUT_MS)
    : BASH_TIMEOUT_MS;
}

/** All that comes shows that it is at work. */
function go(...events: ProviderEvent[]): Reading {
  return { events: events.length === 0 ? [{ kind: 'progress' }] : events, end: null };
}
