/** What `in/session.json` says: who a runner is. Pure. */
import { MAX_BATCH, MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE, MAX_TEXT_BYTES } from '../../shared/limits.ts';
import { PROTOCOL_VERSION, type SessionFile } from '../../shared/protocol.ts';
import { type ModelApi, modelServiceOf } from '../../shared/providers.ts';
import type { AgentGroup } from '../store/agents.ts';

/** `apiOf`: what a model service speaks; null where there is none of that name. */
export function describeRunner(
  agent: AgentGroup,
  sessionId: string,
  apiOf: (service: string) => ModelApi | null,
): SessionFile {
  const { config } = agent;
  const service = modelServiceOf(config);
  return {
    protocolVersion: PROTOCOL_VERSION,
    sessionId,
    agentGroupId: agent.id,
    agentName: agent.name,
    isAdmin: agent.isAdmin,
    provider: config.provider,
    model: config.model,
    service: service ?? '',
    api: service === null ? null : apiOf(service),
    effort: config.effort,
    timezone: config.timezone,
    mcpServers: config.mcpServers,
    packages: { apt: config.packages.apt, npm: config.packages.npm },
    limits: {
      maxTextBytes: MAX_TEXT_BYTES,
      maxFileBytes: MAX_FILE_BYTES,
      maxFilesPerMessage: MAX_FILES_PER_MESSAGE,
      maxBatch: MAX_BATCH,
    },
  };
}
