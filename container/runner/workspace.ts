/** Where the runner's folders are, and who it is: the part of the contract that is read once at start. */
import { readFileSync } from 'node:fs';
import { GATEWAY_PORT } from '../../shared/gateway.ts';
import { PROTOCOL_VERSION, type SessionFile, sessionFileSchema } from '../../shared/protocol.ts';
import { CONTAINER_PATHS, RUNNER_ENV, type WorkspacePaths, workspaceFiles } from '../../shared/session-files.ts';

export type Workspace = ReturnType<typeof locateWorkspace>;

export function locateWorkspace(env: NodeJS.ProcessEnv) {
  const folders: WorkspacePaths = {
    in: env[RUNNER_ENV.in] ?? CONTAINER_PATHS.in,
    out: env[RUNNER_ENV.out] ?? CONTAINER_PATHS.out,
    state: env[RUNNER_ENV.state] ?? CONTAINER_PATHS.state,
    agent: env[RUNNER_ENV.agent] ?? CONTAINER_PATHS.agent,
  };
  // With real paths it shares the machine's ports with others of its kind: any free one will do.
  const gatewayPort = env[RUNNER_ENV.in] === undefined ? GATEWAY_PORT : 0;
  return { folders, files: workspaceFiles(folders.in, folders.out), gatewayPort };
}

/** The host and this runner do not speak the same contract; nothing here can mend it. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
  readonly retryable = false;
}

/** Throws ContractError when session.json is missing, no JSON, of another version, or incomplete. */
export function readSession(path: string): SessionFile {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ContractError(`session.json cannot be read`, { cause });
  }
  const version = typeof raw === 'object' && raw !== null && 'protocolVersion' in raw ? raw.protocolVersion : undefined;
  if (version !== PROTOCOL_VERSION) {
    throw new ContractError(
      `session.json speaks protocol ${String(version)}, this runner speaks ${PROTOCOL_VERSION}: rebuild the agent image`,
    );
  }
  const parsed = sessionFileSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ContractError(`session.json: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  return parsed.data;
}
