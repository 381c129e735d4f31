/** How the SDK is called for a turn: which model, which tools, which instructions, and an environment that is complete. */
import { join } from 'node:path';
import { gatewayUrl, PLACEHOLDER_KEY } from '../../../shared/gateway.ts';
import { MAX_INSTRUCTIONS_BYTES } from '../../../shared/limits.ts';
import { cleanEnvironment } from '../../runner/process-group.ts';
import { readBeginning } from '../given-file.ts';
import { describeSelf, formatInstructions, readInstructions } from '../instructions.ts';
import type { QueryInput } from '../provider.ts';
import type { Continuation } from './continuation.ts';
import { BASH_TIMEOUT_MS, MAX_BASH_TIMEOUT_MS, MAX_RETRIES, OWN_TOOL_TIMEOUT_MS } from './limits.ts';
import type { McpEndpoint, SdkOptions } from './sdk.ts';

/** Whose own web search runs at the API: no other server has it. */
const SEARCHING_SERVICE = 'anthropic';
const PROCESSES_END = 'Processes that you start end with your turn.';
const TOOLS = [
  'Bash',
  'Read',
  'Write',
  'Edit',
  'NotebookEdit',
  'Glob',
  'Grep',
  'WebFetch',
  'Agent',
  'Skill',
  'TodoWrite',
];

type OptionInput = Pick<QueryInput, 'session' | 'paths' | 'gateway' | 'messageId' | 'addendum'>;

export interface OptionParts {
  input: OptionInput;
  /** Null in a fresh conversation. */
  resume: Continuation | null;
  servers: Readonly<Record<string, McpEndpoint>>;
  /** In the environment of all that the turn starts: by it they are found when it ends. */
  mark: Readonly<Record<string, string>>;
  spawn: SdkOptions['spawnClaudeCodeProcess'];
}

export function makeOptions({ input, resume, servers, mark, spawn }: OptionParts): SdkOptions {
  const { session, paths, addendum } = input;
  const named = Object.entries(servers).map(([name, instance]) => [name, { type: 'sdk' as const, name, instance }]);
  return {
    cwd: paths.agent,
    env: { ...makeEnvironment(input), ...mark },
    ...(session.model === null ? {} : { model: session.model }),
    ...(session.effort === null ? {} : { effort: session.effort }),
    systemPrompt: {
      ...{ type: 'preset', preset: 'claude_code' },
      append: [`${describeSelf(input)} ${PROCESSES_END}`, findInstructions(paths.agent), addendum]
        .filter(Boolean)
        .join('\n\n'),
      // Destinations change in the middle of a conversation.
      snapshot: false,
    },
    // CLAUDE.md of the agent's folder, or AGENTS.md where there is none; what the agent configures there for itself.
    settingSources: ['project'],
    settings: {
      // It would ask Anthropic about each host first; here the gateway decides.
      skipWebFetchPreflight: true,
    },
    tools: [...TOOLS, ...(session.service === SEARCHING_SERVICE ? ['WebSearch'] : [])],
    mcpServers: Object.fromEntries(named),
    strictMcpConfig: true,
    // The container is the wall: nobody is there to be asked.
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    includePartialMessages: true,
    ...(resume === null ? {} : { resume: resume.sessionId }),
    ...(resume?.lastId ? { resumeSessionAt: resume.lastId } : {}),
    spawnClaudeCodeProcess: spawn,
  };
}

/** The SDK's own folder, kept with the session: transcripts. */
export function configFolder(paths: QueryInput['paths']): string {
  return join(paths.state, 'claude');
}

/** All of it: nothing of the runner's own is passed on (I7). */
function makeEnvironment({ session, paths, gateway, messageId }: OptionInput): Record<string, string> {
  const place = { homeFolder: paths.state, timezone: session.timezone, gatewayPort: gateway.port };
  return {
    ...cleanEnvironment(place),
    CLAUDE_CONFIG_DIR: configFolder(paths),
    ANTHROPIC_BASE_URL: gatewayUrl(gateway.port, 'model', session.service, messageId),
    ANTHROPIC_API_KEY: PLACEHOLDER_KEY,
    ...otherModels(session),
    // Nothing leaves but calls of the model.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    // All tools are shown at once: those of MCP would hide.
    ENABLE_TOOL_SEARCH: 'false',
    // A turn ends, and everything with it: the host wakes an agent, not the agent itself.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_DISABLE_CRON: '1',
    CLAUDE_CODE_DISABLE_WORKFLOWS: '1',
    CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: '0',
    // What an agent keeps belongs in its folder; /clear empties this one.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // The answer to a stream that broke is another stream: one call at a time is counted.
    CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1',
    CLAUDE_CODE_MAX_RETRIES: String(MAX_RETRIES),
    BASH_DEFAULT_TIMEOUT_MS: String(BASH_TIMEOUT_MS),
    BASH_MAX_TIMEOUT_MS: String(MAX_BASH_TIMEOUT_MS),
    MCP_TOOL_TIMEOUT: String(OWN_TOOL_TIMEOUT_MS),
    CLAUDE_CODE_SDK_MCP_TOOL_IDLE_TIMEOUT: String(OWN_TOOL_TIMEOUT_MS),
  };
}

/** It calls a small model for small things, and agents below it may ask for others: elsewhere there is the one. */
function otherModels({ service, model }: QueryInput['session']): Record<string, string> {
  if (service === SEARCHING_SERVICE || model === null) return {};
  return {
    ANTHROPIC_DEFAULT_OPUS_MODEL: model,
    ANTHROPIC_DEFAULT_SONNET_MODEL: model,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
    CLAUDE_CODE_SUBAGENT_MODEL: model,
  };
}

/** The SDK reads CLAUDE.md and what that imports; AGENTS.md by itself only where there is no CLAUDE.md. */
function findInstructions(folder: string): string {
  const memory = readBeginning(join(folder, 'CLAUDE.md'), MAX_INSTRUCTIONS_BYTES)?.text ?? '';
  if (memory === '' || /@(?:\.\/)?AGENTS\.md/.test(memory)) return '';
  const text = readInstructions(folder, 'AGENTS.md');
  return text === null ? '' : formatInstructions('AGENTS.md', text);
}
