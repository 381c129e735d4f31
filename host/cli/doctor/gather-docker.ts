/** Looks at the Docker Engine through its HTTP API, without the driver: doctor must work when nothing else does. */
import { errorCode } from '../../config/errors.ts';
import { requestOverSocket, type SocketAddress } from '../client/socket.ts';
import { CliError } from '../errors.ts';
import type { AgentImagesFact, DatabaseFact, DockerFact, ImageFact } from './facts.ts';

/** Higher: doctor waits long for a hung engine. Lower: a busy one is called silent. */
const DEADLINE_MS = 5_000;
/** As in the host's own policy. */
const DEFAULT_IMAGE = 'portolan-agent:latest';
const DEFAULT_ENDPOINT = 'unix:///var/run/docker.sock';

type Env = Readonly<Record<string, string | undefined>>;
type Answer = { kind: 'answer'; status: number; body: Record<string, unknown> } | { kind: 'fault'; fact: DockerFact };

export async function gatherDocker(env: Env): Promise<DockerFact> {
  if (env.PORTOLAN_DRIVER === 'process') return { kind: 'not-used' };
  const endpoint = env.DOCKER_HOST || DEFAULT_ENDPOINT;
  const info = await ask(endpoint, '/info');
  if (info.kind === 'fault') return info.fact;
  const { ServerVersion: version, MemoryLimit, PidsLimit, SecurityOptions } = info.body;
  if (info.status !== 200 || typeof version !== 'string') {
    return { kind: 'strange', endpoint, reason: `answered ${info.status}, which is not a Docker Engine's answer` };
  }
  const hasSeccomp = Array.isArray(SecurityOptions) && SecurityOptions.some((option) => /seccomp/.test(String(option)));
  // An engine too old to say whether it limits processes does not.
  return {
    kind: 'answers',
    endpoint,
    version,
    memoryLimit: MemoryLimit === true,
    pidsLimit: PidsLimit === true,
    hasSeccomp,
  };
}

export async function gatherImage(docker: DockerFact, env: Env): Promise<ImageFact> {
  if (docker.kind !== 'answers') return { kind: 'unknown' };
  const name = env.PORTOLAN_IMAGE || DEFAULT_IMAGE;
  const answer = await ask(docker.endpoint, `/images/${encodeURIComponent(name)}/json`);
  if (answer.kind === 'fault') return { kind: 'unknown' };
  if (answer.status !== 200) return { kind: 'missing', name };
  const config = answer.body.Config;
  const labels = isRecord(config) ? config.Labels : null;
  const protocol = isRecord(labels) ? labels[PROTOCOL_LABEL] : null;
  return { kind: 'present', name, protocol: typeof protocol === 'string' ? protocol : null };
}

/** Looks for what was built for agents; nothing of that is there to ask about in an older database. */
export async function gatherAgentImages(
  docker: DockerFact,
  database: DatabaseFact,
  path: string,
): Promise<AgentImagesFact> {
  if (docker.kind !== 'answers' || database.kind !== 'version' || database.version !== database.known) {
    return { kind: 'unknown' };
  }
  const { readAgentImages } = await import('../../store/read-agent-images.ts');
  const recorded = await readAgentImages(path);
  const agents = await Promise.all(
    recorded.map(async ({ agent: name, image, hasFailed }) => {
      const answer = image === null ? null : await ask(docker.endpoint, `/images/${encodeURIComponent(image)}/json`);
      return { name, hasFailed, isThere: answer?.kind === 'answer' && answer.status === 200 };
    }),
  );
  return { kind: 'known', agents };
}

/** The label of the agent image that names the protocol its runner speaks. */
const PROTOCOL_LABEL = 'portolan.protocol';

async function ask(endpoint: string, path: string): Promise<Answer> {
  const address = parseEndpoint(endpoint);
  const fault = (fact: DockerFact): Answer => ({ kind: 'fault', fact });
  if (address === null) {
    return fault({ kind: 'strange', endpoint, reason: 'DOCKER_HOST must look like unix:///path or tcp://host:port' });
  }
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const answer = await requestOverSocket(address, { method: 'GET', path, signal });
    const body: unknown = JSON.parse(answer.body.toString());
    return { kind: 'answer', status: answer.status, body: isRecord(body) ? body : {} };
  } catch (error) {
    const code = errorCode(error instanceof CliError ? error.cause : error);
    if (code === 'ENOENT') return fault({ kind: 'no-socket', endpoint });
    if (code === 'ECONNREFUSED') return fault({ kind: 'refuses-connection', endpoint });
    if (code === 'EACCES' || code === 'EPERM') return fault({ kind: 'no-permission', endpoint });
    if (code === 'ABORT_ERR' || isTimeout(error)) return fault({ kind: 'silent', endpoint, afterMs: DEADLINE_MS });
    if (error instanceof SyntaxError) return fault({ kind: 'strange', endpoint, reason: 'does not answer in JSON' });
    if (code !== '') return fault({ kind: 'strange', endpoint, reason: code });
    throw error;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function parseEndpoint(endpoint: string): SocketAddress | null {
  if (endpoint.startsWith('unix://')) return { socketPath: endpoint.slice('unix://'.length) };
  const tcp = /^(?:tcp|http):\/\/([^/:]+):(\d{1,5})\/?$/.exec(endpoint);
  return tcp === null ? null : { host: tcp[1] ?? '', port: Number(tcp[2]) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
