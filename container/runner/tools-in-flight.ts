/**
 * Tells the host which tool may take how long, so that a turn that waits is not called stuck. Several may
 * run at once; the one that may take longest is declared.
 */
import { MAX_TOOL_TIMEOUT_MS } from '../../shared/limits.ts';

export interface ToolInFlight {
  tool: string;
  /** Epoch ms. */
  startedAt: number;
  timeoutMs: number;
}

export class ToolsInFlight {
  readonly #running: ToolInFlight[] = [];
  readonly #declare: (tool: ToolInFlight | null) => void;
  #declared: ToolInFlight | null = null;
  #isClosed = false;

  /** `declare` writes what the host reads. */
  constructor(declare: (tool: ToolInFlight | null) => void) {
    this.#declare = declare;
  }

  /** Dispose what it returns when the tool has ended. */
  begin(tool: string, timeoutMs: number): Disposable {
    const entry = { tool, startedAt: Date.now(), timeoutMs: Math.min(timeoutMs, MAX_TOOL_TIMEOUT_MS) };
    this.#running.push(entry);
    this.#update();
    return {
      [Symbol.dispose]: () => {
        const at = this.#running.indexOf(entry);
        if (at !== -1) this.#running.splice(at, 1);
        this.#update();
      },
    };
  }

  /** The turn is over: its end takes the declaration back, and nothing is written after it. */
  close(): void {
    this.#isClosed = true;
  }

  #update(): void {
    if (this.#isClosed) return;
    const deadline = ({ startedAt, timeoutMs }: ToolInFlight) => startedAt + timeoutMs;
    const longest = this.#running.reduce<ToolInFlight | null>(
      (found, each) => (found === null || deadline(each) > deadline(found) ? each : found),
      null,
    );
    if (longest === this.#declared) return;
    this.#declared = longest;
    this.#declare(longest);
  }
}
