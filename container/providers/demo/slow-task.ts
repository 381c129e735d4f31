/** Work that takes its time and shows it by editing one message. */
import type { ToolBox } from '../../tools/tool.ts';
import { formatProgress } from './answers.ts';

export class SlowTask {
  readonly #tools: ToolBox;
  readonly #to: string;
  readonly #replyTo: number;
  readonly #totalS: number;
  readonly #startedAt = performance.now();
  #messageSeq: number | null = null;
  #canEdit = true;
  #shownTenths = 0;

  constructor(tools: ToolBox, to: string, replyTo: number, totalS: number) {
    this.#tools = tools;
    this.#to = to;
    this.#replyTo = replyTo;
    this.#totalS = totalS;
  }

  get isDone(): boolean {
    return this.#elapsedS() >= this.#totalS;
  }

  /** Ten steps, and not more than one a second. */
  nextTickMs(): number {
    const stepS = Math.max(this.#totalS / 10, 1);
    const next = Math.min((Math.floor(this.#elapsedS() / stepS) + 1) * stepS, this.#totalS);
    return Math.max((next - this.#elapsedS()) * 1_000, 0) + 1;
  }

  async begin(): Promise<void> {
    const text = formatProgress(0, this.#totalS);
    const sent = await this.#tools.call('send_message', { to: this.#to, text, reply_to: this.#replyTo });
    if (sent.ok) this.#messageSeq = sent.seq ?? null;
  }

  async showProgress(): Promise<void> {
    const doneS = Math.min(this.#elapsedS(), this.#totalS);
    const tenths = Math.floor((doneS / this.#totalS) * 10);
    if (tenths <= this.#shownTenths) return;
    this.#shownTenths = tenths;
    await this.#edit(formatProgress(doneS, this.#totalS));
  }

  /** The words for the final answer. */
  async finish(isStopped: boolean): Promise<string> {
    const elapsedS = Math.round(this.#elapsedS());
    if (!isStopped) {
      // Its time was over while another message was answered.
      await this.showProgress();
      return `The slow task is done. It took ${elapsedS} s, and you could write to me all the while.`;
    }
    await this.#edit(`⏹ **Slow task** stopped after ${elapsedS} s`);
    return `I stopped the slow task after ${elapsedS} of ${this.#totalS} s.`;
  }

  /** Where messages cannot be edited, the final answer alone must do. */
  async #edit(text: string): Promise<void> {
    if (this.#messageSeq === null || !this.#canEdit) return;
    const edited = await this.#tools.call('edit_message', { message_id: this.#messageSeq, text });
    this.#canEdit = edited.ok;
  }

  #elapsedS(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }
}
