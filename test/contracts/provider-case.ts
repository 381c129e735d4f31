/** What the providers' contract suites stand on: a prompt, folders, recording tools, and a model where one is needed. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Prompt, PromptMessage, ProviderEvent, QueryInput } from '../../container/providers/provider.ts';
import { parseReply } from '../../container/runner/blocks/index.ts';
import type { ToolBox, ToolResult } from '../../container/tools/tool.ts';
import type { SessionFile } from '../../shared/protocol.ts';
import type { WorkspacePaths } from '../../shared/session-files.ts';
import { sessionFile } from '../container/session-fixture.ts';
import type { ModelAnswer, ModelServer, RecordedRequest } from '../support/model-servers/answers.ts';

/** For a provider that thinks with a model: a server that says what the test wants, and the way to it. */
export interface ModelWorld extends AsyncDisposable {
  server: ModelServer;
  /** Where the provider reaches it, as it would the gateway. */
  gateway: { port: number };
  /** What session.json says of provider, service, API and model. */
  session: Partial<SessionFile>;
  /** A call of the provider's own shell, as its model writes it. */
  shell(command: string): { name: string; input: unknown };
  /** What its model calls a tool of the box. */
  toolName(name: string): string;
  /** The name that `tool_start` has for the shell. */
  shellTool: string;
}

/** Records calls; answers as the real tools do when all is well. */
export class RecordingTools implements ToolBox {
  readonly calls: { name: string; input: unknown }[] = [];

  list() {
    const properties = { to: { type: 'string' }, text: { type: 'string' } };
    const inputSchema = { type: 'object' as const, properties, required: ['to', 'text'] };
    return [{ name: 'send_message', description: 'Send a message now.', inputSchema }];
  }

  async call(name: string, input: unknown): Promise<ToolResult> {
    this.calls.push({ name, input });
    const seq = 2 * this.calls.length + 1;
    const data = [{ name: 'terminal', displayName: 'Terminal', type: 'channel', channel: 'terminal' }];
    return { ok: true, text: 'Done.', messageId: `msg_${seq}`, seq, data };
  }
}

/** The folders of one session, and what a turn in it is given. */
export class ProviderCase implements AsyncDisposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'portolan-provider-'));
  readonly #session: Partial<SessionFile>;
  readonly #gateway: { port: number };
  readonly paths: WorkspacePaths;
  readonly tools = new RecordingTools();

  /** Without a model nobody listens at the gateway's port. */
  constructor(name: string, world: ModelWorld | null) {
    this.#session = { ...sessionFile(name), ...(world?.session ?? {}) };
    this.#gateway = world?.gateway ?? { port: 1 };
    const at = (folder: string) => join(this.#root, folder);
    this.paths = { in: at('in'), out: at('out'), state: at('state'), agent: at('agent') };
    for (const path of Object.values(this.paths)) mkdirSync(path);
  }

  input(prompt: Prompt, continuation: string | null = null): QueryInput {
    return {
      ...{ prompt, addendum: '', continuation, tools: this.tools, paths: this.paths, gateway: this.#gateway },
      session: { ...sessionFile(''), ...this.#session },
      messageId: prompt.messages[0]?.id ?? null,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Listens to a turn to its end; says `end` at the first result, as the runner does. */
export async function collect(
  turn: AsyncIterable<ProviderEvent> & { end(): void },
  onEvent: (event: ProviderEvent) => void = () => undefined,
): Promise<ProviderEvent[]> {
  const events: ProviderEvent[] = [];
  for await (const event of turn) {
    events.push(event);
    onEvent(event);
    if (event.kind === 'result') turn.end();
  }
  return events;
}

export function ofKind<Kind extends ProviderEvent['kind']>(events: readonly ProviderEvent[], kind: Kind) {
  return events.filter((event): event is Extract<ProviderEvent, { kind: Kind }> => event.kind === kind);
}

export function blocksOf(events: readonly ProviderEvent[]) {
  return ofKind(events, 'result').flatMap(({ text }) => parseReply(text).blocks);
}

export function promptOf(...messages: PromptMessage[]): Prompt {
  return { text: messages.map(({ text }) => text).join('\n'), messages };
}

export function message(seq: number, text: string): PromptMessage {
  return {
    id: `msg_${String(seq).padStart(20, '0')}`,
    seq,
    kind: 'chat',
    event: null,
    timestamp: Date.UTC(2026, 10, 21, 12),
    from: 'terminal',
    fromType: 'channel',
    sender: 'Anna',
    text,
    attachments: [],
    task: null,
    check: null,
    isTrigger: true,
    inReplyTo: null,
  };
}

/** What a model would write: a block for each of these messages. */
export function says(...seqs: number[]): ModelAnswer {
  const blocks = seqs.map((seq) => `<message to="terminal" reply_to="${seq}">answer to ${seq}</message>`);
  return { kind: 'text', text: blocks.join('\n'), usage: { input: 120, output: 15 } };
}

/** Whether a call of the model carries these words anywhere. */
export function carries(request: RecordedRequest, words: string): boolean {
  return request.text.includes(words);
}

/** Programs that run on this machine with that word among their arguments, those of containers included. */
export function programsWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
          .split('\0')
          .includes(word);
      } catch (error) {
        // It ended meanwhile.
        if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code))) return false;
        throw error;
      }
    });
}
