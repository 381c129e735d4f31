/** A provider that answers from a script, and the runner's loop around it in this process. */
import type { Prompt, Provider, ProviderEvent, ProviderTurn, QueryInput } from '../../container/providers/provider.ts';
import { LiveChart } from '../../container/runner/chart.ts';
import { Doorbell } from '../../container/runner/doorbell.ts';
import { HostBell } from '../../container/runner/host-bell.ts';
import { InboxReader } from '../../container/runner/inbox.ts';
import { RunnerLoop } from '../../container/runner/loop.ts';
import { Outbox } from '../../container/runner/outbox.ts';
import { ServerTools } from '../../container/runner/server-tools.ts';
import { readSession } from '../../container/runner/workspace.ts';
import type { SessionFixture } from './session-fixture.ts';

/** Nobody listens there. */
const NO_GATEWAY = { port: 1 };

/** What one query does: yields events; a plain text is a result. */
export type Script = (input: QueryInput, turn: ScriptedTurn) => AsyncIterable<ProviderEvent> | string;

export class ScriptedTurn implements ProviderTurn {
  readonly pushed: Prompt[] = [];
  isInterrupted = false;
  acceptsPush = false;
  readonly #events: (turn: ScriptedTurn) => AsyncIterable<ProviderEvent>;
  #onChange: (() => void) | null = null;

  constructor(events: (turn: ScriptedTurn) => AsyncIterable<ProviderEvent>) {
    this.#events = events;
  }

  /** Resolves at the next push or interrupt. */
  async changed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
  }

  push(prompt: Prompt): boolean {
    if (!this.acceptsPush) return false;
    this.pushed.push(prompt);
    this.#onChange?.();
    return true;
  }

  interrupt(): void {
    this.isInterrupted = true;
    this.#onChange?.();
  }

  end(): void {
    this.acceptsPush = false;
  }

  [Symbol.asyncIterator](): AsyncIterator<ProviderEvent> {
    return this.#events(this)[Symbol.asyncIterator]();
  }
}

export class ScriptedProvider implements Provider {
  readonly name = 'scripted';
  readonly supportsPush = true;
  readonly queries: QueryInput[] = [];
  readonly #scripts: Script[];
  compact?: NonNullable<Provider['compact']>;

  /** One script per query; the last one serves all further queries. */
  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  query(input: QueryInput): ProviderTurn {
    const script = this.#scripts[Math.min(this.queries.length, this.#scripts.length - 1)];
    this.queries.push(input);
    return play(script, input);
  }

  /** Lets it compact; the calls are in what is returned. */
  compactWith(script: Script): QueryInput[] {
    const calls: QueryInput[] = [];
    this.compact = (input) => {
      calls.push(input);
      return play(script, input);
    };
    return calls;
  }
}

function play(script: Script | undefined, input: QueryInput): ScriptedTurn {
  return new ScriptedTurn(async function* (turn) {
    const made = script?.(input, turn) ?? '';
    if (turn.isInterrupted) return;
    if (typeof made === 'string') yield { kind: 'result', text: made };
    else yield* made;
  });
}

export class LoopHarness implements AsyncDisposable {
  readonly #inbox: InboxReader;
  readonly #outbox: Outbox;
  readonly #doorbell: Doorbell;
  readonly #servers: ServerTools;
  readonly #loop: RunnerLoop;
  readonly #ended: Promise<void>;

  constructor(session: SessionFixture, provider: Provider) {
    this.#inbox = new InboxReader(session.files.inboundDb);
    const lastSeq = () => {
      const read = this.#inbox.read((tables) => tables.lastSeq());
      return read.kind === 'read' ? read.value : 0;
    };
    this.#outbox = new Outbox(session.files.outboundDb, lastSeq, new HostBell(session.files.outDoorbell));
    this.#doorbell = new Doorbell(session.files.inDoorbell);
    const file = readSession(session.files.session);
    const place = {
      ...{ agentFolder: session.folders.agent, homeFolder: session.folders.state },
      ...{ timezone: file.timezone, gatewayPort: NO_GATEWAY.port },
    };
    this.#servers = new ServerTools(file.mcpServers, place);
    this.#loop = new RunnerLoop(
      {
        session: file,
        paths: session.folders,
        outFiles: session.files.outFiles,
        provider,
        gateway: NO_GATEWAY,
        chart: new LiveChart(session.files.chart),
        inbox: this.#inbox,
        outbox: this.#outbox,
        servers: this.#servers,
      },
      this.#doorbell,
    );
    this.#ended = this.#loop.run(false);
  }

  /** Resolves when the loop has let go of its work. */
  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#servers[Symbol.asyncDispose]();
    this.#doorbell[Symbol.dispose]();
    this.#outbox[Symbol.dispose]();
    this.#inbox[Symbol.dispose]();
  }
}
