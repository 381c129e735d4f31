/** The provider `openai` in this process, against servers that speak the two APIs, with the runner's part played. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeOpenAiProvider } from '../../../container/providers/openai/index.ts';
import { PATIENCE, type Patience } from '../../../container/providers/openai/limits.ts';
import type {
  Prompt,
  PromptAttachment,
  PromptMessage,
  Provider,
  ProviderEvent,
  ProviderTurn,
  QueryInput,
} from '../../../container/providers/provider.ts';
import type { ToolBox, ToolDescription, ToolResult } from '../../../container/tools/tool.ts';
import type { SessionFile } from '../../../shared/protocol.ts';
import type { ModelApi } from '../../../shared/providers.ts';
import type { ModelServer, ServerRules } from '../../support/model-servers/answers.ts';
import { type ModelGateway, startModelGateway } from '../../support/model-servers/gateway.ts';
import { startOpenAiServer } from '../../support/model-servers/openai.ts';
import { sessionFile } from '../session-fixture.ts';

/** Tools as a test wants them. */
export class TestTools implements ToolBox {
  readonly calls: { name: string; input: unknown }[] = [];
  readonly tools: ToolDescription[] = [
    {
      name: 'send_message',
      description: 'Sends a message.',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ];
  /** What a call comes to. */
  run: (name: string, input: unknown) => ToolResult | Promise<ToolResult> = () => ({ ok: true, text: 'Sent.' });

  list(): readonly ToolDescription[] {
    return this.tools;
  }

  async call(name: string, input: unknown): Promise<ToolResult> {
    this.calls.push({ name, input });
    return await this.run(name, input);
  }
}

export interface World {
  server: ModelServer;
  gateway: ModelGateway;
  tools: TestTools;
  session: SessionFile;
  paths: QueryInput['paths'];
  provider: Provider;
  /** The conversation that the last turn left. */
  continuation: string | null;
  input(prompt: Prompt): QueryInput;
  /** Begins a turn; nothing happens before it is read. */
  begin(prompt: Prompt | string): ProviderTurn;
  /** A whole turn. */
  say(prompt: Prompt | string): Promise<ProviderEvent[]>;
  /** Goes on as another process would. */
  restart(): void;
  file(name: string, content: string | Buffer): string;
  transcript(): string;
}

export async function makeWorld(
  options: {
    api?: ModelApi;
    start?: typeof startOpenAiServer;
    rules?: Partial<ServerRules>;
    canSee?: boolean;
    session?: Partial<SessionFile>;
    patience?: Partial<Patience>;
  } = {},
): Promise<World> {
  const { api = 'openai', start = startOpenAiServer, rules, canSee, session, patience } = options;
  const server = await start({ ...(rules ? { rules } : {}), ...(canSee === undefined ? {} : { canSee }) });
  const gateway = await startModelGateway({ models: { server, api } });
  const root = mkdtempSync(join(tmpdir(), 'portolan-openai-'));
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });
  const folder = (name: string) => join(root, name);
  const paths = { in: folder('in'), out: folder('out'), state: folder('state'), agent: folder('agent') };
  for (const path of Object.values(paths)) mkdirSync(path);
  const make = () => makeOpenAiProvider({ ...PATIENCE, ...patience });
  const world: World = {
    server,
    gateway,
    tools: new TestTools(),
    session: { ...sessionFile('openai'), service: 'models', api, model: 'test-model', ...session },
    paths,
    provider: make(),
    continuation: null,
    input: (prompt) => ({
      prompt,
      addendum: 'Write in blocks.',
      continuation: world.continuation,
      session: world.session,
      tools: world.tools,
      paths,
      gateway: { port: gateway.port },
      messageId: prompt.messages[0]?.id ?? null,
    }),
    begin: (prompt) => world.provider.query(world.input(typeof prompt === 'string' ? promptOf(prompt) : prompt)),
    async say(prompt) {
      const events = await collect(world.begin(prompt));
      const init = events.find((event) => event.kind === 'init');
      if (init) world.continuation = init.continuation;
      return events;
    },
    restart() {
      world.provider = make();
    },
    file(name, content) {
      const path = join(paths.agent, name);
      writeFileSync(path, content);
      return path;
    },
    transcript() {
      const names = readdirSync(join(paths.state, 'openai')).filter((name) => name.endsWith('.jsonl'));
      return names.map((name) => readFileSync(join(paths.state, 'openai', name), 'utf8')).join('');
    },
  };
  return world;
}

/** As the runner reads a turn. */
export async function collect(turn: ProviderTurn): Promise<ProviderEvent[]> {
  const events: ProviderEvent[] = [];
  for await (const event of turn) {
    events.push(event);
    if (event.kind === 'result') turn.end();
  }
  return events;
}

let seq = 0;

export function promptOf(text: string, attachments: PromptAttachment[] = [], id = `msg_${++seq}`): Prompt {
  const message: PromptMessage = {
    id,
    seq: 2 * seq,
    kind: 'chat',
    event: null,
    timestamp: Date.UTC(2026, 10, 21, 12),
    from: 'terminal',
    fromType: 'channel',
    sender: 'Anna',
    text,
    attachments,
    task: null,
    check: null,
    isTrigger: true,
    inReplyTo: null,
  };
  return { text: `<message from="terminal">${text}</message>`, messages: [message] };
}

export function resultOf(events: readonly ProviderEvent[]): string | null {
  const result = events.find((event) => event.kind === 'result');
  return result?.text ?? null;
}

export function errorOf(events: readonly ProviderEvent[]): Extract<ProviderEvent, { kind: 'error' }> | null {
  return events.find((event) => event.kind === 'error') ?? null;
}

/** A red square of 2×2. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEklEQVR4nGP8z8DAwMDAxAADAA0GAQH9j1vKAAAAAElFTkSuQmCC',
  'base64',
);

/** One that has ended, and that nobody has waited for yet, is not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
