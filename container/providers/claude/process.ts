/** The SDK's program, and all that it starts: none of it outlives the turn. */
import { type ChildProcess, spawn } from 'node:child_process';
import { killGroup } from '../../runner/process-group.ts';
import { TurnMark } from '../../runner/turn-mark.ts';
import { MAX_STDERR_CHARS } from './limits.ts';
import type { SpawnOrder } from './sdk.ts';

export class TurnProcesses {
  readonly #mark = new TurnMark();
  #child: ChildProcess | null = null;
  #stderr = '';

  /** What children inherit, whatever group or session they move to. */
  get mark(): Record<string, string> {
    return this.#mark.environment;
  }

  /** The last that the program printed beside its messages: for the log, and never for people. */
  get lastWords(): string {
    return this.#stderr;
  }

  spawn(order: SpawnOrder): ChildProcess {
    const child = spawn(order.command, order.args, {
      cwd: order.cwd,
      env: order.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    this.#child = child;
    return child;
  }

  /** Ends all of them, by force. Fine when none is left. */
  kill(): void {
    if (this.#child !== null) killGroup(this.#child);
    this.#mark.kill();
  }
}
