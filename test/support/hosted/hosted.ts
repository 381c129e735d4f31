/** The test's side of a hosted process: start, ask, stop, kill. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ReceiveOutcome } from '../../../host/routing/inbound.ts';
import { bundleProgram, nameSources } from './bundle.ts';
import type { Platform } from './platform.ts';
import type { FromHosted, HostedOptions, MemoryUse, Report, ReportedSession, ToHosted, Vitals } from './protocol.ts';

/** Starting on a home with open work takes well under a second; a loaded machine more. */
const READY_MS = 30_000;
/**
 * Twice the time after which the real entry cuts a stop off. Stopping takes some hundred milliseconds. Lower: a busy
 * machine fails here. Higher: a host that does not end is named late.
 */
const STOP_MS = 30_000;

export type Accepted = { kind: 'accepted'; outcome: ReceiveOutcome };
/** `gone`: the process ended before it answered, so the platform still holds the message. */
export type ReceiveAnswer = Accepted | { kind: 'refused'; code: string } | { kind: 'gone' };

type Call =
  | { op: 'receive'; channelType: string; platformId: string; text: string; clientId: string | null }
  | { op: 'report' }
  | { op: 'vitals' }
  | { op: 'sessions' }
  | { op: 'message'; messageId: string }
  | { op: 'memory' }
  | { op: 'census' }
  | { op: 'quarantine'; sessionId: string; reason: string };
type Answer = { kind: 'done'; value: unknown } | { kind: 'refused'; code: string } | { kind: 'gone' };

export class Hosted {
  readonly #child: ChildProcess;
  readonly #platform: Platform;
  readonly #program: string;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #nextCall = 1;
  #output = '';
  #errors = '';
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly ready: Promise<'ready' | 'gone'>;
  hasEnded = false;
  startMs = 0;

  private constructor(child: ChildProcess, platform: Platform, program: string) {
    this.#child = child;
    this.#program = program;
    this.#platform = platform;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
        if (stream === child.stderr) this.#errors += chunk.toString();
      });
    }
    this.ended = once(child, 'exit').then(async ([code, signal]) => {
      // What it printed last is in the pipe, and read in the next turn. Its end may be far: readers inherit the pipe.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.hasEnded = true;
      for (const resolve of this.#open.values()) resolve({ kind: 'gone' });
      this.#open.clear();
      return { code, signal };
    });
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the host was not ready in time:\n${this.output}`)), READY_MS);
      child.on('message', (message) => {
        // Our own program is at the other end.
        const heard = message as FromHosted;
        if (heard.op === 'ready') {
          this.startMs = heard.tookMs;
          clearTimeout(timer);
          resolve('ready');
        } else this.#hear(heard);
      });
      void this.ended.then(() => {
        clearTimeout(timer);
        resolve('gone');
      });
    });
  }

  /** Started, not yet ready. */
  static async start(options: HostedOptions, platform: Platform, env: NodeJS.ProcessEnv = {}): Promise<Hosted> {
    const program = await bundleProgram('test/support/hosted/program.ts');
    const child = fork(program, [], {
      env: { ...process.env, ...env, PORTOLAN_HOSTED: JSON.stringify(options) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--expose-gc'],
    });
    return new Hosted(child, platform, program);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it printed: the boundary of its death, or the error that ended it. */
  get output(): string {
    return nameSources(this.#output, this.#program).trim();
  }

  async receive(
    channelType: string,
    platformId: string,
    text: string,
    clientId: string | null,
  ): Promise<ReceiveAnswer> {
    const answer = await this.#call({ op: 'receive', channelType, platformId, text, clientId });
    return answer.kind === 'done' ? { kind: 'accepted', outcome: answer.value as ReceiveOutcome } : answer;
  }

  /** Null when the process is gone. */
  async report(): Promise<Report | null> {
    const answer = await this.#call({ op: 'report' });
    return answer.kind === 'done' ? (answer.value as Report) : null;
  }

  /** Null when the process is gone. */
  async vitals(): Promise<Vitals | null> {
    const answer = await this.#call({ op: 'vitals' });
    return answer.kind === 'done' ? (answer.value as Vitals) : null;
  }

  /** Null when the process is gone. */
  async sessions(): Promise<ReportedSession[] | null> {
    const answer = await this.#call({ op: 'sessions' });
    return answer.kind === 'done' ? (answer.value as ReportedSession[]) : null;
  }

  /** The state of one message, null when the host does not show it. */
  async stateOf(messageId: string): Promise<string | null> {
    const answer = await this.#call({ op: 'message', messageId });
    return answer.kind === 'done' ? (answer.value as string | null) : null;
  }

  /** What it holds after a garbage collection. Null when the process is gone. */
  async memory(): Promise<MemoryUse | null> {
    const answer = await this.#call({ op: 'memory' });
    return answer.kind === 'done' ? (answer.value as MemoryUse) : null;
  }

  async census(): Promise<Record<string, number>> {
    const answer = await this.#call({ op: 'census' });
    return answer.kind === 'done' ? (answer.value as Record<string, number>) : {};
  }

  /** Sets a session aside as the host itself would: its container ends. */
  async quarantine(sessionId: string, reason: string): Promise<void> {
    await this.#call({ op: 'quarantine', sessionId, reason });
  }

  /** What it printed as an error or a warning. */
  get errors(): string {
    return nameSources(this.#errors, this.#program).trim();
  }

  /** Whether it has asked itself to stop, as its plan says. */
  get isStopping(): boolean {
    return /^SIG(TERM|INT) at /m.test(this.#output);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to stop, unless it asked itself; resolves when it is gone. Throws when it does not end in order. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> {
    if (!this.hasEnded && !this.isStopping) this.#child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), STOP_MS);
    });
    const end = await Promise.race([this.ended, patience]);
    clearTimeout(timer);
    if (end === 'late') {
      await this.kill();
      throw new Error(`a host that was asked to stop still ran after ${STOP_MS} ms:\n${this.output}`);
    }
    if (end.code !== 0)
      throw new Error(`a stopped host ended with ${end.code ?? end.signal} instead of 0:\n${this.output}`);
  }

  #call(call: Call): Promise<Answer> {
    if (this.hasEnded) return Promise.resolve({ kind: 'gone' });
    const number = this.#nextCall++;
    return new Promise((resolve) => {
      this.#open.set(number, resolve);
      this.#tell({ ...call, call: number });
    });
  }

  #hear(heard: Exclude<FromHosted, { op: 'ready' }>): void {
    switch (heard.op) {
      case 'send':
        this.#tell({ op: 'sent', call: heard.call, outcome: this.#platform.send(heard) });
        return;
      case 'probe':
        this.#tell({ op: 'probed', call: heard.call, outcome: this.#platform.probe(heard.channelType, heard.key) });
        return;
      case 'done':
        this.#settle(heard.call, { kind: 'done', value: heard.value });
        return;
      case 'refused':
        this.#settle(heard.call, { kind: 'refused', code: heard.code });
    }
  }

  #settle(call: number, answer: Answer): void {
    this.#open.get(call)?.(answer);
    this.#open.delete(call);
  }

  /** To a process that was killed in the meantime nothing is told. */
  #tell(message: ToHosted): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
