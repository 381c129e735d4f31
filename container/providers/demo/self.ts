/** What the demo provider does with its own container: asks for programs and servers, and runs what is there. */
import { runBounded } from '../../runner/bounded-run.ts';
import { cleanEnvironment } from '../../runner/process-group.ts';
import type { PromptMessage, QueryInput } from '../provider.ts';
import type { Answer } from './answer.ts';
import * as answers from './self-answers.ts';
import type { SelfIntent } from './self-intents.ts';

/** How long a program may run. Higher: people wait for one that hangs. Lower: real work is cut off. */
const RUN_TIMEOUT_MS = 20_000;
/** What a program may print. Higher: memory. Lower: a listing is ended in the middle. */
const MAX_OUTPUT_BYTES = 64 * 1024;

export class Self {
  readonly #input: QueryInput;

  constructor(input: QueryInput) {
    this.#input = input;
  }

  async act(intent: SelfIntent, message: PromptMessage, from: string): Promise<string | Answer> {
    const because = (reason: string | null) => ({ reason: reason ?? answers.describeCause(message, from) });
    switch (intent.kind) {
      case 'install-unclear':
        return answers.INSTALL_UNCLEAR;
      case 'install': {
        const { apt, npm, reason } = intent;
        return await this.#ask('install_packages', { apt, npm, ...because(reason) });
      }
      case 'run':
        return { kind: 'wait', work: async (signal) => await this.#run(intent.program, intent.args, signal) };
      case 'add-server-unclear':
        return answers.ADD_SERVER_UNCLEAR;
      case 'add-server':
        return await this.#ask('add_mcp_server', { ...intent.server, ...because(intent.reason) });
      case 'remove-server':
        return await this.#ask('remove_mcp_server', { name: intent.name, ...because(intent.reason) });
      case 'server-tools': {
        const names = this.#input.session.mcpServers.map((server) => server.name);
        return answers.formatServerTools(names, this.#input.tools.list());
      }
      case 'use-tool':
        return this.#useTool(intent);
      case 'rebuild':
        return await this.#ask('request_rebuild', because(intent.reason));
      case 'restart':
        return await this.#restart(message, from);
    }
  }

  async #ask(tool: string, input: Record<string, unknown>): Promise<string> {
    return answers.formatAsked(await this.#input.tools.call(tool, input));
  }

  async #restart(message: PromptMessage, from: string): Promise<string> {
    const asked = await this.#input.tools.call('restart', { note: answers.describeCause(message, from) });
    if (!asked.ok) return `I could not: ${asked.text}`;
    return '🔄 My container starts afresh now. I keep my notes and files; give me a moment.';
  }

  async #run(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
    const { paths, session, gateway } = this.#input;
    const env = cleanEnvironment({
      homeFolder: paths.state,
      timezone: session.timezone,
      gatewayPort: gateway.port,
    });
    try {
      const { ended, output } = await runBounded({
        command: program,
        args,
        cwd: paths.agent,
        env,
        timeoutMs: RUN_TIMEOUT_MS,
        maxOutputBytes: MAX_OUTPUT_BYTES,
        signal,
      });
      return answers.formatRun(program, ended, output, RUN_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'ENOENT') return answers.formatNoProgram(program);
      return `I could not run \`${program}\` (${String(error.code)}).`;
    }
  }

  #useTool({ server, tool, json }: { server: string; tool: string; json: string }): string | Answer {
    const input = parseJson(json);
    if (input === null) return 'What stands after the tool is no JSON. For example `use notes add {"text": "milk"}`.';
    const name = `mcp__${server.toLowerCase()}__${tool}`;
    const { tools } = this.#input;
    return {
      kind: 'wait',
      work: async () => answers.formatToolUsed(tool, await tools.call(name, input.value)),
    };
  }
}

function parseJson(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
