/**
 * One server as a child process, and the MCP transport over its pipes: one message a line.
 *
 * I1. No shell, a clean environment, and a process group of its own, which dies with the server, with the
 *     runner, and when the connection is closed.
 * I2. What it prints is bounded, in size and over time; what it does not read is bounded too. A server that
 *     breaks a bound is ended, and what waited for it hears why.
 * I3. A line that is no message is passed over: programs print greetings. An answer that cannot be read is an
 *     error to whoever waits for it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { McpServer } from '../../shared/mcp-servers.ts';
import { nestingExceeds } from '../../shared/messages.ts';
import { LineReader } from '../mcp/line-reader.ts';
import { cleanEnvironment, killGroup } from '../runner/process-group.ts';
import type { ServerPlace } from './contract.ts';
import { FloodGauge } from './flood.ts';
import {
  DRAIN_MS,
  END_GRACE_MS,
  EXIT_WAIT_MS,
  LOG_TAIL_BYTES,
  MAX_LINE_BYTES,
  MAX_LOG_BYTES,
  MAX_MESSAGE_DEPTH,
  MAX_OUTPUT_BYTES,
  MAX_OUTPUT_MESSAGES,
  MAX_UNREAD_BYTES,
} from './limits.ts';
import { firstWords, outerWords } from './words.ts';

/** The server cannot be talked to; the message says why, for people. */
export class ServerGoneError extends Error {
  override readonly name = 'ServerGoneError';
  readonly retryable = true;
}

/** The first that the kernel ends when the container's memory is full: better a server than the runner. */
const OOM_SCORE = '1000';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class ServerProgram implements Transport {
  readonly #spec: McpServer;
  readonly #place: ServerPlace;
  readonly #living: Set<ServerProgram>;
  readonly #outputBytes = new FloodGauge(MAX_OUTPUT_BYTES);
  readonly #outputMessages = new FloodGauge(MAX_OUTPUT_MESSAGES);
  readonly #logBytes = new FloodGauge(MAX_LOG_BYTES);
  #child: Child | null = null;
  /** The first reason for which it cannot be talked to any longer. */
  #problem: string | null = null;
  #isClosed = false;
  #logTail = Buffer.alloc(0);
  /** Something that it printed and that is no message, to show why it is not understood. */
  #oddLine: string | null = null;
  #ended = Promise.resolve();
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  /** As long as it runs it is among the `living`, so that whoever ends the runner finds it. */
  constructor(spec: McpServer, place: ServerPlace, living: Set<ServerProgram>) {
    this.#spec = spec;
    this.#place = place;
    this.#living = living;
  }

  /** Over, and not because it was closed from here. */
  get isBroken(): boolean {
    return this.#problem !== null && !this.#isClosed;
  }

  /** Throws ServerGoneError when there is no such program, or it cannot be run. */
  async start(): Promise<void> {
    const child = this.#spawn();
    this.#child = child;
    this.#living.add(this);
    this.#ended = this.#watchEnd(child);
    this.#listen(child);
    if (child.pid !== undefined) return dieFirst(child.pid);
    await this.#ended;
    throw new ServerGoneError(this.describe());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === null || this.#problem !== null) throw new ServerGoneError(this.describe());
    if (child.stdin.writableLength > MAX_UNREAD_BYTES) {
      this.#fail('it does not read what it is told');
      throw new ServerGoneError(this.describe());
    }
    child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Asks it to end, and makes it. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#isClosed ||= this.#problem === null;
    this.#fail('it was closed');
    await this.#ended;
  }

  /** Ends it now: for a runner that ends itself. */
  kill(): void {
    if (this.#child !== null && isRunning(this.#child)) killGroup(this.#child);
  }

  /** Why it cannot be talked to, with its own last words; `reason` when it is not over, or not for its own reason. */
  describe(reason: string | null = null): string {
    const said = outerWords(this.#logTail.toString('utf8'));
    const odd = this.#oddLine === null ? '' : `; it printed what is no MCP message: ${this.#oddLine}`;
    return `${reason ?? this.#problem ?? 'it does not answer'}${odd}${said === '' ? '' : `; it says: ${said}`}`;
  }

  #spawn(): Child {
    const { command, args, env } = this.#spec;
    try {
      return spawn(command, args, {
        cwd: this.#place.agentFolder,
        env: { ...cleanEnvironment(this.#place), ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
    } catch (error) {
      // What the system refuses before anything is started: a name that is too long, no more processes.
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#problem = describeStart(command, String(error.code));
      throw new ServerGoneError(this.describe(), { cause: error });
    }
  }

  /** Resolves when it is gone, or could not be started. */
  async #watchEnd(child: Child): Promise<void> {
    const end = await new Promise<string>((resolve) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        if (child.pid === undefined) resolve(describeStart(this.#spec.command, error.code));
      });
      child.once('exit', (code, signal) => {
        killGroup(child);
        // Its last words may still lie in the pipe; one that left the group keeps the pipe open.
        const words = code === null ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
        const timer = setTimeout(() => resolve(words), DRAIN_MS);
        child.once('close', () => {
          clearTimeout(timer);
          resolve(words);
        });
      });
    });
    this.#fail(end);
    this.#living.delete(this);
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
  }

  #listen(child: Child): void {
    const reader = new LineReader(MAX_LINE_BYTES, {
      onLine: (line) => this.#receive(line),
      onTooLong: () => this.#fail(`it printed a line of more than ${MAX_LINE_BYTES} bytes`),
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#problem !== null) return;
      if (this.#outputBytes.add(chunk.length, performance.now())) reader.add(chunk);
      else this.#fail('it floods its output');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#logTail = Buffer.concat([this.#logTail, chunk.subarray(-LOG_TAIL_BYTES)]).subarray(-LOG_TAIL_BYTES);
      if (!this.#logBytes.add(chunk.length, performance.now())) this.#fail('it floods its log');
    });
    for (const pipe of [child.stdout, child.stderr]) pipe.on('error', () => this.#fail('it cannot be read any longer'));
    // A program that ends closes both a moment earlier, and its exit code says more.
    child.stdout.once('end', () => setTimeout(() => this.#fail('it closed its output'), EXIT_WAIT_MS));
    child.stdin.on('error', () => setTimeout(() => this.#fail('it does not listen any longer'), EXIT_WAIT_MS));
  }

  #receive(line: string): void {
    if (this.#problem !== null) return;
    if (!this.#outputMessages.add(1, performance.now())) {
      this.#fail('it floods its output');
      return;
    }
    const message = parseMessage(line);
    if (message === null) this.#oddLine ??= firstWords(line, 100);
    else this.onmessage?.(message);
  }

  /** The first reason counts. Whatever it was, the program ends. */
  #fail(problem: string): void {
    if (this.#problem !== null) return;
    this.#problem = problem;
    this.onclose?.();
    const child = this.#child;
    if (child === null || !isRunning(child)) return;
    child.stdin.end();
    killGroup(child, 'SIGTERM');
    setTimeout(() => this.kill(), END_GRACE_MS);
  }
}

function isRunning(child: Child): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function describeStart(command: string, code: string | undefined): string {
  if (code === 'ENOENT') return `there is no program "${command}" in the container`;
  if (code === 'EACCES') return `"${command}" may not be run`;
  return `"${command}" cannot be started (${code ?? 'unknown'})`;
}

const answerSchema = z.looseObject({ id: z.union([z.number(), z.string()]), method: z.undefined().optional() });

/** Null when it is none (I3). */
function parseMessage(line: string): JSONRPCMessage | null {
  if (nestingExceeds(line, MAX_MESSAGE_DEPTH)) return null;
  try {
    const raw: unknown = JSON.parse(line);
    const parsed = JSONRPCMessageSchema.safeParse(raw);
    if (parsed.success) return parsed.data;
    const answer = answerSchema.safeParse(raw);
    if (!answer.success) return null;
    const error = { code: ErrorCode.InvalidRequest, message: 'its answer does not follow the protocol' };
    return { jsonrpc: '2.0', id: answer.data.id, error };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function dieFirst(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch (error) {
    // It is gone already, or this system has no such thing: then the kernel chooses by itself.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
