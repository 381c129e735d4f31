/** A model server on this machine as an owner's own service of a host, and what is asked of the host around it. */
import { z } from 'zod';
import type { ModelAnswer, ModelServer, ModelUsage } from '../support/model-servers/answers.ts';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';

/** The name of the service, and of its secret. */
export const SERVICE = 'lab';
export const MODEL = 'test-model';

const listSchema = z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) });
const configSchema = z.object({ revision: z.number() });

/** The agent that every host has. */
export async function findMain(host: BuiltHost): Promise<string> {
  const { items } = listSchema.parse(await askHost(host, '/agents', 'GET'));
  return items[0]?.id ?? '';
}

/** Has the agent think with that server, as an owner does it on the command line. */
export async function thinkWith(host: BuiltHost, server: ModelServer, agentId: string): Promise<void> {
  await askHost(host, '/services', 'POST', { name: SERVICE, url: `${server.url}/v1`, api: 'openai', private: true });
  await askHost(host, `/secrets/${SERVICE}`, 'PUT', { value: server.key });
  const { revision } = configSchema.parse(await askHost(host, `/agents/${agentId}/config`, 'GET'));
  const choice = { provider: 'openai', service: SERVICE, model: MODEL };
  await askHost(host, `/agents/${agentId}/provider`, 'PUT', choice, revision);
}

/** An answer of the model's to the agent's only chat. */
export async function sayTo(
  host: BuiltHost,
  agentId: string,
): Promise<(text: string, usage: ModelUsage) => ModelAnswer> {
  const { items } = listSchema.parse(await askHost(host, `/agents/${agentId}/destinations`, 'GET'));
  const name = items[0]?.name ?? '';
  return (text, usage) => ({ kind: 'text', text: `<message to="${name}">${text}</message>`, usage });
}
