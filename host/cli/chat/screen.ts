/**
 * The terminal of the interactive chat: what was said scrolls, and below it stay one status line and the line
 * being typed.
 *
 *   …what was said…
 *   main is typing…            the status, only when there is one: the first line of readline's prompt
 *   › hello wor▌
 *
 * I1. The prompt is on the screen whenever `print` is called, so that rows above it can be counted from it.
 * I2. What has scrolled away is never touched: it cannot be rubbed out any more.
 */
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { Style } from '../output/style.ts';
import { displayWidth, oneLine, truncate } from '../output/text.ts';
import type { Terminal } from '../terminal.ts';

const PROMPT = '› ';
/** Lines that come together are one pasted message. Higher: the Enter key feels slow. Lower: pastes are torn. */
const PASTE_GAP_MS = 25;

export interface ScreenListener {
  /** Enter: what was typed, or pasted, in one piece. */
  onText(text: string): void;
  /** Ctrl+D, or Ctrl+C on an empty line. */
  onEnd(): void;
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #style: Style;
  readonly #readline: Interface;
  readonly #listener: ScreenListener;
  #status = '';
  /** The block printed last, when it can still be replaced. */
  #last: { text: string; columns: number } | null = null;
  #lines: string[] = [];
  #paste: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(terminal: Terminal, style: Style, commands: readonly string[], listener: ScreenListener) {
    this.#terminal = terminal;
    this.#style = style;
    this.#listener = listener;
    const completer = (line: string): [string[], string] => {
      const hits = line.startsWith('/') ? commands.filter((command) => command.startsWith(line)) : [];
      return [hits.map((hit) => `${hit} `), line];
    };
    this.#readline = createInterface({ input: terminal.stdin, output: terminal.stdout, terminal: true, completer });
    this.#readline.setPrompt(this.#makePrompt());
    this.#readline.on('line', (line) => this.#takeLine(line));
    this.#readline.on('SIGINT', () => this.#interrupt());
    this.#readline.on('close', () => {
      this.#flushPaste();
      if (!this.#isClosed) listener.onEnd();
    });
    this.#readline.prompt();
  }

  /** Puts text above the line being typed, which stays as it is. */
  print(text: string): void {
    if (this.#isClosed) return;
    const rows = this.#rubOut(0);
    // Readline goes up as many rows as its cursor was below the prompt's first: they are given to it.
    this.#terminal.stdout.write(`${text}\n${'\n'.repeat(rows)}`);
    this.#last = { text, columns: this.#terminal.columns() };
    this.#readline.prompt(true);
  }

  /** Puts text in the place of what was printed last, as when a message changes again and again. */
  replaceLast(text: string): void {
    const columns = this.#terminal.columns();
    const isSameWidth = this.#last?.columns === columns;
    const rowsAbove = this.#last !== null && isSameWidth ? countRows(this.#last.text, columns) : 0;
    // I2, with room for the prompt.
    const fits = rowsAbove + this.#readline.getCursorPos().rows + 1 < this.#terminal.rows();
    if (this.#isClosed || rowsAbove === 0 || !fits) {
      this.print(text);
      return;
    }
    const rows = this.#rubOut(rowsAbove);
    this.#terminal.stdout.write(`${text}\n${'\n'.repeat(rows)}`);
    this.#last = { text, columns };
    this.#readline.prompt(true);
  }

  /** Clears the prompt and so many rows above it; returns how many rows the cursor was below the prompt's first. */
  #rubOut(rowsAbove: number): number {
    const { stdout } = this.#terminal;
    const { rows } = this.#readline.getCursorPos();
    moveCursor(stdout, 0, -rows - rowsAbove);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    return rows;
  }

  /** One line, empty for none. */
  setStatus(status: string): void {
    const line = truncate(oneLine(status), this.#terminal.columns() - 1);
    if (this.#isClosed || line === this.#status) return;
    // Down by the old prompt, up by the new: rubbed out first, because they differ in height.
    this.#terminal.stdout.write('\n'.repeat(this.#rubOut(0)));
    this.#status = line;
    this.#readline.setPrompt(this.#makePrompt());
    this.#readline.prompt(true);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#paste !== null) clearTimeout(this.#paste);
    this.#readline.close();
    this.#terminal.stdout.write('\n');
  }

  #makePrompt(): string {
    const prompt = this.#style.bold(PROMPT);
    return this.#status === '' ? prompt : `${this.#style.dim(this.#status)}\n${prompt}`;
  }

  /** Takes the echo of the typed line away: the message itself will be shown in its place. */
  #takeLine(line: string): void {
    if (this.#isClosed) return;
    const { stdout } = this.#terminal;
    const columns = Math.max(1, this.#terminal.columns());
    const typedRows = Math.max(1, Math.ceil(displayWidth(PROMPT + line) / columns));
    moveCursor(stdout, 0, -(typedRows + (this.#status === '' ? 0 : 1)));
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    this.#readline.prompt(); // I1
    this.#lines.push(line);
    if (this.#paste !== null) clearTimeout(this.#paste);
    this.#paste = setTimeout(() => this.#flushPaste(), PASTE_GAP_MS);
  }

  #flushPaste(): void {
    this.#paste = null;
    const text = this.#lines.join('\n');
    this.#lines = [];
    if (text.trim() !== '') this.#listener.onText(text.trimEnd());
  }

  #interrupt(): void {
    if (this.#readline.line === '') this.#listener.onEnd();
    else {
      // What was typed goes, as in a shell.
      this.#readline.write(null, { ctrl: true, name: 'e' });
      this.#readline.write(null, { ctrl: true, name: 'u' });
    }
  }
}

/** Rows that printed text takes, where long lines wrap. */
function countRows(text: string, columns: number): number {
  return text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(displayWidth(line) / columns)), 0);
}
