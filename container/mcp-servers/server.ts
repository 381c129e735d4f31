/**
 * One MCP server over the life of the runner.
 *
 *   new ─begin→ starting ─up→ up ─gone→ down ─begin or call, after a pause→ starting …
 *                    └─────problem──────↗
 *
 * I1. Nothing starts a server by itself: the next turn does, or the next call. So an idle runner is idle.
 * I2. The tools of a server that went down stay listed: who calls one starts it again, or hears when that will be.
 */
import type { McpServer } from '../../shared/mcp-servers.ts';
import { log } from '../runner/log.ts';
import type { ToolResult } from '../tools/tool.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import type { ServerState } from './contract.ts';
import { MAX_INPUT_BYTES } from './limits.ts';
import { countFailures, planPause } from './plan.ts';
import { ServerGoneError } from './program.ts';
import type { ServerTool } from './tool-list.ts';

type Phase =
  | { kind: 'new' }
  | { kind: 'starting'; started: Promise<void> }
  | { kind: 'up'; connection: Connection; sinceMs: number }
  | { kind: 'down'; problem: string; againAtMs: number }
  | { kind: 'closed' };

export class AgentServer implements AsyncDisposable {
  readonly name: string;
  readonly #spec: McpServer;
  readonly #parts: ConnectionParts;
  #phase: Phase = { kind: 'new' };
  /** In a row. */
  #failures = 0;
  #tools: readonly ServerTool[] = [];

  constructor(spec: McpServer, parts: ConnectionParts) {
    this.name = spec.name;
    this.#spec = spec;
    this.#parts = parts;
  }

  get tools(): readonly ServerTool[] {
    return this.#phase.kind === 'up' ? this.#phase.connection.tools : this.#tools;
  }

  /** Null until its first start is over, and while it is started again. */
  get state(): ServerState | null {
    const { name, tools } = this;
    if (this.#phase.kind === 'up') return { name, problem: null, tools: tools.length };
    return this.#phase.kind === 'down' ? { name, problem: this.#phase.problem, tools: 0 } : null;
  }

  /** A turn begins. Resolves when the first start is over; later ones go on beside the turn. */
  async begin(): Promise<void> {
    switch (this.#phase.kind) {
      case 'new':
        return await this.#start();
      case 'down':
        if (performance.now() >= this.#phase.againAtMs) void this.#start();
        return;
      case 'up':
        return void this.#phase.connection.refresh();
      case 'starting':
      case 'closed':
        return;
    }
  }

  /** By the server's own tool. Rejects with the signal's reason alone. */
  async call(tool: ServerTool, input: unknown, signal: AbortSignal): Promise<ToolResult> {
    const checked = checkInput(tool, input);
    if (!checked.ok) return checked.result;
    if (this.#phase.kind === 'down' && performance.now() >= this.#phase.againAtMs) void this.#start();
    if (this.#phase.kind === 'starting') await this.#phase.started;
    signal.throwIfAborted();
    if (this.#phase.kind === 'up') return await this.#phase.connection.call(tool, checked.input, signal);
    return { ok: false, text: this.#describeDown() };
  }

  /** Never rejects. */
  #start(): Promise<void> {
    const started = this.#open();
    this.#phase = { kind: 'starting', started };
    return started;
  }

  async #open(): Promise<void> {
    const startedAt = performance.now();
    try {
      const connection = await Connection.open(this.#spec, this.#parts);
      // The runner may have ended meanwhile.
      if (this.#phase.kind === 'closed') return await connection.close();
      const sinceMs = performance.now();
      this.#phase = { kind: 'up', connection, sinceMs };
      connection.onGone = (problem) => this.#goDown(problem, performance.now() - sinceMs);
      log.info('an MCP server is up', {
        server: this.name,
        tools: connection.tools.length,
        ms: Math.round(sinceMs - startedAt),
      });
    } catch (error) {
      if (!(error instanceof ServerGoneError)) throw error;
      this.#goDown(error.message, 0);
    }
  }

  #goDown(problem: string, upMs: number): void {
    if (this.#phase.kind === 'closed') return;
    if (this.#phase.kind === 'up') this.#tools = this.#phase.connection.tools;
    this.#failures = countFailures(this.#failures, upMs);
    const pauseMs = planPause(this.#failures);
    this.#phase = { kind: 'down', problem, againAtMs: performance.now() + pauseMs };
    log.warn('an MCP server is down', { server: this.name, problem, failures: this.#failures, pauseMs });
  }

  #describeDown(): string {
    if (this.#phase.kind !== 'down') return `The MCP server ${this.name} has been ended.`;
    const waitS = Math.max(Math.ceil((this.#phase.againAtMs - performance.now()) / 1_000), 1);
    return `The MCP server ${this.name} is down: ${this.#phase.problem}. It can be started again in ${waitS} s; go on without it until then.`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const phase = this.#phase;
    this.#phase = { kind: 'closed' };
    if (phase.kind === 'up') await phase.connection.close();
  }
}

function checkInput(
  tool: ServerTool,
  input: unknown,
): { ok: true; input: Record<string, unknown> } | { ok: false; result: ToolResult } {
  const refuse = (problem: string) =>
    ({ ok: false, result: { ok: false, text: `${tool.name} was not called: ${problem}.` } }) as const;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return refuse('its input is a JSON object');
  const json = toJson(input);
  if (json === null) return refuse('its input cannot be written as JSON');
  if (Buffer.byteLength(json) > MAX_INPUT_BYTES) return refuse(`its input is longer than ${MAX_INPUT_BYTES} bytes`);
  return { ok: true, input: input as Record<string, unknown> };
}

function toJson(value: object): string | null {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A circle, or a big integer.
    if (error instanceof TypeError) return null;
    throw error;
  }
}
