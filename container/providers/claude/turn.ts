/**
 * One turn with the SDK: a program of its own, from the first message to the last result.
 *
 *   opening ─▶ running ─result, nothing waits─▶ leaving ─▶ over
 *      │           └─ failed, interrupted ─▶ killed ──────▲
 *      └─ its state cannot be read: less of it, then `continuation_invalid`
 *
 * I1. The conversation's handle is given with a result alone: a turn that fails leaves the one before it.
 * I2. No process outlives the turn.
 * I3. What was pushed and taken is answered before the turn ends, or the turn fails.
 */
import { CLAUDE_FOLDER } from '../../../shared/providers.ts';
import { describeError, log } from '../../runner/log.ts';
import type { Prompt, ProviderEvent, ProviderTurn, QueryInput } from '../provider.ts';
import { toContent } from './content.ts';
import { type Continuation, hasTranscript, parseContinuation } from './continuation.ts';
import { Feed } from './feed.ts';
import { INTERRUPT_MS, LEAVE_MS } from './limits.ts';
import { parseSdkMessage } from './messages.ts';
import { configFolder, makeOptions } from './options.ts';
import { TurnProcesses } from './process.ts';
import { Reader } from './reader.ts';
import { type ContentBlock, loadSdk, type SdkQuery } from './sdk.ts';
import { serveTools } from './tool-server.ts';

type Opened = 'over' | 'unopened';

export class ClaudeTurn implements ProviderTurn {
  readonly #input: QueryInput;
  readonly #first: ContentBlock[];
  readonly #isCommand: boolean;
  readonly #pushed: ContentBlock[][] = [];
  readonly #processes = new TurnProcesses();
  #feed: Feed | null = null;
  #reader: Reader;
  #query: SdkQuery | null = null;
  #isInterrupted = false;
  /** No more is taken: it was said, or the answer to all is there. */
  #isClosed = false;
  #fault: { error: unknown } | null = null;

  /** `command` is one of the SDK's own, instead of the prompt. */
  constructor(input: QueryInput, command: string | null = null) {
    this.#input = input;
    this.#isCommand = command !== null;
    this.#first = command === null ? toContent(input.prompt) : [{ type: 'text', text: command }];
    this.#reader = this.#makeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProviderEvent> {
    if (this.#isInterrupted) return;
    const plans = planOpenings(this.#input);
    if (plans === null) {
      this.#isClosed = true;
      yield { kind: 'continuation_invalid' };
      return;
    }
    try {
      for (const resume of plans) {
        if ((yield* this.#run(resume)) === 'over') return;
      }
      yield this.#input.continuation === null ? CANNOT_BEGIN : { kind: 'continuation_invalid' };
    } finally {
      this.#isClosed = true;
      this.#processes.kill(); // I2
    }
  }

  push(prompt: Prompt): boolean {
    if (this.#isClosed || this.#isInterrupted || this.#isCommand) return false;
    const content = toContent(prompt);
    this.#pushed.push(content);
    this.#say(content);
    return true;
  }

  interrupt(): void {
    if (this.#isInterrupted) return;
    this.#isInterrupted = true;
    this.#isClosed = true;
    // In good order first: it ends its tools, and its calls of the model.
    this.#query?.interrupt().catch((error: unknown) => log.info('no good end', { error: describeError(error) }));
    this.#feed?.end();
    setTimeout(() => this.#processes.kill(), INTERRUPT_MS).unref();
  }

  end(): void {
    this.#isClosed = true;
    if (this.#reader.isAnswered) this.#feed?.end();
  }

  async *#run(resume: Continuation | null): AsyncGenerator<ProviderEvent, Opened> {
    const sdk = await loadSdk();
    if (sdk === null) {
      yield NOT_INSTALLED;
      return 'over';
    }
    if (this.#isInterrupted) return 'over';
    this.#begin();
    const options = makeOptions({
      ...{ input: this.#input, resume, servers: this.#serve(), mark: this.#processes.mark },
      spawn: (order) => this.#processes.spawn(order),
    });
    const feed = this.#feed ?? new Feed();
    const query = sdk.query({ prompt: feed, options });
    this.#query = query;
    try {
      return yield* this.#listen(query);
    } finally {
      feed.end();
      query.close();
      this.#query = null;
    }
  }

  async *#listen(query: SdkQuery): AsyncGenerator<ProviderEvent, Opened> {
    let isAnswered = false;
    let leaving: NodeJS.Timeout | null = null;
    try {
      for await (const raw of query) {
        if (this.#isInterrupted || isAnswered) continue;
        if (this.#fault !== null) throw this.#fault.error;
        const message = parseSdkMessage(raw);
        const { events, end } = this.#reader.read(message);
        if (end === 'unopened') return 'unopened';
        yield* events;
        if (end === 'failed') {
          // Nothing of it is kept, so it need not leave in good order, which takes seconds.
          this.#processes.kill();
          return 'over';
        }
        // I3.
        if (message.kind !== 'result' || !this.#reader.isAnswered) continue;
        isAnswered = true;
        this.#isClosed = true;
        this.#feed?.end();
        leaving = setTimeout(() => this.#processes.kill(), LEAVE_MS).unref();
      }
    } catch (error) {
      if (this.#fault !== null) throw this.#fault.error;
      // After its answer, how it leaves is its own affair; and whoever is interrupted has no end to tell.
      if (isAnswered || this.#isInterrupted) return 'over';
      log.error('the SDK broke off', { error: describeError(error), stderr: this.#processes.lastWords });
      yield* this.#reader.closeAll();
      yield BROKE_OFF;
      return 'over';
    } finally {
      if (leaving !== null) clearTimeout(leaving);
    }
    if (isAnswered || this.#isInterrupted) return 'over';
    yield* this.#reader.closeAll();
    yield BROKE_OFF;
    return 'over';
  }

  /** Says all that was said so far: for the second opening, too. */
  #begin(): void {
    this.#feed = new Feed();
    this.#reader = this.#makeReader();
    this.#reader.expect(this.#feed.add(this.#first, this.#isCommand));
    for (const content of this.#pushed) this.#say(content);
  }

  #say(content: ContentBlock[]): void {
    const id = this.#feed?.add(content);
    if (id !== undefined) this.#reader.expect(id);
  }

  #serve() {
    const { tools, session } = this.#input;
    return serveTools({
      tools,
      serverNames: session.mcpServers.map(({ name }) => name),
      onFault: (error) => {
        this.#fault ??= { error };
        this.#processes.kill();
      },
    });
  }

  #makeReader(): Reader {
    const { service, model, agentName } = this.#input.session;
    return new Reader({ service, model, agentName });
  }

  /** What the SDK made of its own command, in numbers. */
  get compacted() {
    return this.#reader.compacted;
  }
}

/** From which states to begin, one after the other; null: from none. */
function planOpenings({ continuation, paths }: QueryInput): (Continuation | null)[] | null {
  if (continuation === null) return [null];
  const known = parseContinuation(continuation);
  if (known === null || !hasTranscript(configFolder(paths), known)) return null;
  // A turn that was cut off may have compacted what lies before it: then its entry is not found, but the whole is.
  return known.lastId === null ? [known] : [known, { ...known, lastId: null }];
}

const NOT_INSTALLED: ProviderEvent = {
  kind: 'error',
  retryable: false,
  message: `The Claude Agent SDK is not here (${CLAUDE_FOLDER}): agents on the provider claude run in an image of their own, so PORTOLAN_DRIVER must be docker.`,
};
const CANNOT_BEGIN: ProviderEvent = {
  kind: 'error',
  retryable: true,
  message: 'Claude did not start.',
};
const BROKE_OFF: ProviderEvent = {
  kind: 'error',
  retryable: true,
  message: 'Claude ended in the middle of its work.',
};
