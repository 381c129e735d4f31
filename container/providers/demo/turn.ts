/**
 * One turn of the demo provider: messages are answered in order; while the slow task runs, messages
 * that are pushed are answered at once.
 */
import { formatBlock } from '../../runner/blocks/index.ts';
import type { Prompt, PromptMessage, ProviderEvent, ProviderTurn, QueryInput } from '../provider.ts';
import { Assistant } from './assistant.ts';
import { SlowTask } from './slow-task.ts';

/** What is waited for wakes the turn; this is only how often it shows that it lives. */
const LOOK_AGAIN_MS = 5_000;
const BUSY =
  'One thing at a time, and one still runs: a slow task, a program, or a question that waits for its answer. `stop` ends it.';

export class DemoTurn implements ProviderTurn {
  readonly #input: QueryInput;
  readonly #assistant: Assistant;
  readonly #queue: PromptMessage[];
  #messageCount: number;
  #isOpen = true;
  #isInterrupted = false;
  #onChange: (() => void) | null = null;

  constructor(input: QueryInput) {
    this.#input = input;
    this.#messageCount = Number(/^demo:(\d{1,9})$/.exec(input.continuation ?? '')?.[1] ?? 0);
    this.#assistant = new Assistant(input);
    this.#queue = [...input.prompt.messages];
  }

  push(prompt: Prompt): boolean {
    if (!this.#isOpen || this.#isInterrupted) return false;
    this.#queue.push(...prompt.messages);
    this.#onChange?.();
    return true;
  }

  interrupt(): void {
    this.#isInterrupted = true;
    this.#onChange?.();
  }

  end(): void {
    this.#isOpen = false;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProviderEvent> {
    const blocks: string[] = [];
    for (let message = this.#queue.shift(); message && !this.#isInterrupted; message = this.#queue.shift()) {
      this.#messageCount++;
      const answer = await this.#assistant.answer(message, this.#messageCount);
      if (answer.kind === 'slow-task') yield* this.#runSlowTask(message, answer.seconds, blocks);
      else if (answer.kind === 'wait') yield* this.#waitFor(message, answer.work, blocks);
      else if (answer.kind === 'text') blocks.push(blockFor(message, answer));
    }
    this.#isOpen = false;
    if (this.#isInterrupted) return;
    yield { kind: 'init', continuation: `demo:${this.#messageCount}` };
    yield { kind: 'result', text: blocks.join('\n\n') };
  }

  async *#runSlowTask(message: PromptMessage, seconds: number, blocks: string[]): AsyncGenerator<ProviderEvent> {
    if (message.from === null) return;
    const task = new SlowTask(this.#input.tools, message.from, message.seq, seconds);
    yield { kind: 'tool_start', tool: 'slow_task', timeoutMs: seconds * 1_000 + 10_000 };
    let isStopped = false;
    await task.begin();
    while (!task.isDone && !isStopped && !this.#isInterrupted) {
      if (await this.#sleep(task.nextTickMs())) await task.showProgress();
      yield { kind: 'progress' };
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        this.#messageCount++;
        isStopped = (await this.#answerMeanwhile(next)) === 'stop' || isStopped;
      }
    }
    yield { kind: 'tool_end', tool: 'slow_task' };
    if (this.#isInterrupted) return;
    blocks.push(blockFor(message, { to: message.from, text: await task.finish(isStopped) }));
  }

  /** Others are answered meanwhile. */
  async *#waitFor(
    message: PromptMessage,
    work: (signal: AbortSignal) => Promise<string>,
    blocks: string[],
  ): AsyncGenerator<ProviderEvent> {
    if (message.from === null) return;
    let text: string | null = null;
    let failure: unknown = null;
    const over = new AbortController();
    work(over.signal)
      .then(
        (answer) => {
          text = answer;
        },
        (error: unknown) => {
          failure = error;
        },
      )
      .finally(() => this.#onChange?.());
    let isStopped = false;
    while (text === null && failure === null && !isStopped && !this.#isInterrupted) {
      if (this.#queue.length === 0) await this.#sleep(LOOK_AGAIN_MS);
      yield { kind: 'progress' };
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        this.#messageCount++;
        isStopped = (await this.#answerMeanwhile(next)) === 'stop' || isStopped;
      }
    }
    over.abort();
    if (failure !== null) throw failure;
    if (text === null) return;
    blocks.push(blockFor(message, { to: message.from, text }));
  }

  async #answerMeanwhile(message: PromptMessage): Promise<'stop' | 'go on'> {
    const answer = await this.#assistant.answer(message, this.#messageCount);
    if (answer.kind === 'nothing' || message.from === null) return 'go on';
    if (answer.kind === 'text' && !answer.isStop) {
      const { to, text, replyTo } = answer;
      await this.#input.tools.call('send_message', { to, text, reply_to: replyTo ?? message.seq });
      return 'go on';
    }
    const text = answer.kind === 'text' ? 'Stopping it.' : BUSY;
    await this.#input.tools.call('send_message', { to: message.from, text, reply_to: message.seq });
    return answer.kind === 'text' ? 'stop' : 'go on';
  }

  /** True when the time is over, false when something else happened first. */
  async #sleep(ms: number): Promise<boolean> {
    if (this.#queue.length > 0 || this.#isInterrupted) return false;
    return await new Promise<boolean>((resolve) => {
      const settle = (isOver: boolean) => {
        clearTimeout(timer);
        this.#onChange = null;
        resolve(isOver);
      };
      const timer = setTimeout(() => settle(true), ms);
      this.#onChange = () => settle(false);
    });
  }
}

function blockFor(
  message: PromptMessage,
  { to, text, replyTo }: { to: string; text: string; replyTo?: number },
): string {
  const seq = replyTo ?? (message.kind === 'chat' && to === message.from ? message.seq : null);
  return formatBlock({ to, replyTo: seq === null ? null : String(seq), text });
}
