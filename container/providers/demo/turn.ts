/**
 * One turn of the demo provider: messages are answered in order; while the slow task runs, messages
 * that are pushed are answered at once.
 */
import { formatBlock } from '../../runner/blocks/index.ts';
import type { Prompt, PromptMessage, ProviderEvent, ProviderTurn, QueryInput } from '../provider.ts';
import { Assistant } from './assistant.ts';
import { SlowTask } from './slow-task.ts';

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
      else if (answer.kind === 'text') blocks.push(blockFor(message, answer.to, answer.text));
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
    blocks.push(blockFor(message, message.from, await task.finish(isStopped)));
  }

  async #answerMeanwhile(message: PromptMessage): Promise<'stop' | 'go on'> {
    const answer = await this.#assistant.answer(message, this.#messageCount);
    if (answer.kind === 'nothing' || message.from === null) return 'go on';
    if (answer.kind === 'text' && !answer.isStop) {
      await this.#input.tools.call('send_message', { to: answer.to, text: answer.text, reply_to: message.seq });
      return 'go on';
    }
    const text = answer.kind === 'text' ? 'Stopping it.' : 'One slow task at a time: `stop` ends the one that runs.';
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

function blockFor(message: PromptMessage, to: string, text: string): string {
  const isReply = message.kind === 'chat' && to === message.from;
  return formatBlock({ to, replyTo: isReply ? String(message.seq) : null, text });
}
