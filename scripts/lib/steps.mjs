/**
 * Progress of a command that takes several steps: one line per step, a live timer on a terminal,
 * plain lines elsewhere.
 *
 * I1. A failure always names what failed, why, and what to type next (StepFailure); anything else
 *     that escapes a step is a bug and keeps its stack.
 */

/** How often the live line is redrawn. Lower costs cursor flicker, higher looks stuck. */
const REDRAW_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** What failed, why, and the next command to type. */
export class StepFailure extends Error {
  /**
   * @param {string} what
   * @param {{ why?: string, next?: string[], log?: string, cause?: unknown }} [details]
   */
  constructor(what, details = {}) {
    super(what, { cause: details.cause });
    this.name = 'StepFailure';
    this.why = details.why ?? '';
    this.next = details.next ?? [];
    this.log = details.log ?? '';
  }
}

/**
 * @typedef {object} Progress
 * @property {(text: string) => void} phase a part of the step that takes seconds: printed everywhere
 * @property {(text: string) => void} detail what happens right now: shown on a terminal only
 */

export class Steps {
  /** @param {{ out?: NodeJS.WriteStream, total: number }} options */
  constructor({ out = process.stdout, total }) {
    this.out = out;
    this.total = total;
    this.done = 0;
    this.startedAt = Date.now();
    this.live = out.isTTY === true && process.env.TERM !== 'dumb';
    this.colour = this.live && !process.env.NO_COLOR;
  }

  /**
   * Runs one step; the text it returns is its outcome, in a few words.
   * @param {string} name
   * @param {(progress: Progress) => Promise<string> | string} work
   */
  async run(name, work) {
    const startedAt = Date.now();
    const label = `${this.dim(`${++this.done}/${this.total}`)} ${name.padEnd(14)}`;
    let now = '';
    let frame = 0;
    const draw = () => this.redraw(`${this.paint(36, FRAMES[frame++ % FRAMES.length] ?? '')} ${label}`, now, startedAt);
    const timer = this.live ? setInterval(draw, REDRAW_MS) : undefined;
    /** @type {Progress} */
    const progress = {
      phase: (text) => {
        now = text;
        if (!this.live) this.out.write(`  ${label} ${text} …\n`);
      },
      detail: (text) => {
        now = text;
      },
    };
    try {
      const outcome = await work(progress);
      this.finish(`${this.paint(32, '✓')} ${label} ${outcome} ${this.dim(elapsed(startedAt))}`, timer);
    } catch (error) {
      this.finish(`${this.paint(31, '✗')} ${label} failed ${this.dim(elapsed(startedAt))}`, timer);
      throw error;
    }
  }

  /**
   * @param {string} head
   * @param {string} now
   * @param {number} startedAt
   */
  redraw(head, now, startedAt) {
    // The head carries invisible colour codes: leave it whole, shorten only the changing part.
    const room = Math.max(10, (this.out.columns ?? 80) - 34);
    const text = now.length > room ? `${now.slice(0, room - 1)}…` : now;
    this.out.write(`\r\x1b[2K${head} ${text} ${this.dim(elapsed(startedAt))}`);
  }

  /**
   * @param {string} line
   * @param {NodeJS.Timeout | undefined} timer
   */
  finish(line, timer) {
    clearInterval(timer);
    this.out.write(this.live ? `\r\x1b[2K${line}\n` : `${line}\n`);
  }

  /** @param {string} text */
  dim(text) {
    return this.paint(2, text);
  }

  /**
   * @param {number} code
   * @param {string} text
   */
  paint(code, text) {
    return this.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

/** @param {number} startedAt epoch ms */
function elapsed(startedAt) {
  const seconds = (Date.now() - startedAt) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/**
 * Prints a failure the way a person can act on it.
 * @param {unknown} error
 * @param {NodeJS.WritableStream} [out]
 */
export function printFailure(error, out = process.stderr) {
  if (!(error instanceof StepFailure)) {
    out.write(`\nThis is a bug in Portolan's scripts:\n${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  out.write(`\n${error.message}\n`);
  if (error.why) out.write(`\n${error.why.trimEnd().replace(/^/gm, '  ')}\n`);
  if (error.log) out.write(`\nThe whole log: ${error.log}\n`);
  if (error.next.length > 0) out.write(`\nNext, type:\n${error.next.map((line) => `  ${line}\n`).join('')}`);
}

/**
 * Runs a script's main function; a failure is printed and becomes exit code 1.
 * @param {() => Promise<number | undefined>} main
 */
export async function runScript(main) {
  try {
    const code = await main();
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
