/**
 * The terminal of the interactive chat: what was said scrolls, and below it stay one status line and the line
 * being typed.
 *
 *   …what was said…
 *   main is typing…            the status, only when there is one: the first line of readline's prompt
 *   › hello wor▌
 *
 * I1. The prompt is on the screen whenever `print` is called, so that rows above it can be counted from it.
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
    const { stdout } = this.#terminal;
    const { rows } = this.#readline.getCursorPos();
    moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    // Readline goes up as many rows as its cursor was below the prompt's first: they are given to it.
    stdout.write(`${text}\n${'\n'.repeat(rows)}`);
    this.#readline.prompt(true);
  }

  /** One line, empty for none. */
  setStatus(status: string): void {
    const line = truncate(oneLine(status), this.#terminal.columns() - 1);
    if (this.#isClosed || line === this.#status) return;
    // Down by the old prompt, up by the new: rubbed out first, because they differ in height.
    const { stdout } = this.#terminal;
    const { rows } = this.#readline.getCursorPos();
    moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    stdout.write('\n'.repeat(rows));
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
