/** Which models a service has, asked through a gateway as a container would: what it may reach, no key in sight. */
import { request } from 'node:http';
import { z } from 'zod';
import type { ModelApi } from '../../../shared/providers.ts';
import { ShortPath } from '../../egress/short-path.ts';
import { LIST_DEADLINE_MS, MAX_LIST_BYTES, MAX_LISTED_MODELS } from './limits.ts';

/** Both APIs list them so; what is more is left. */
const listSchema = z.object({ data: z.array(z.object({ id: z.string() })) });
const MODEL_NAME = /^[\x21-\x7e]{1,200}$/;

/** By name. Null: it does not say, not in time, or not before `stop` aborts. */
export async function listModels(
  socket: string,
  service: { name: string; api: ModelApi | null },
  stop: AbortSignal,
): Promise<string[] | null> {
  // The SDKs put the version before paths of the one, and into the base URL of the other.
  const path = `/model/${service.name}${service.api === 'anthropic' ? '/v1' : ''}/models`;
  const text = await get(socket, path, stop);
  if (text === null) return null;
  try {
    const parsed = listSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return null;
    const names = parsed.data.data.map(({ id }) => id).filter((id) => MODEL_NAME.test(id));
    return [...new Set(names)].slice(0, MAX_LISTED_MODELS).sort();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Null: anything but a whole answer 200. */
async function get(socket: string, path: string, stop: AbortSignal): Promise<string | null> {
  using short = new ShortPath(socket);
  const socketPath = short.text;
  // Awaited here: its name is good until this is left.
  return await new Promise<string | null>((resolve) => {
    const signal = AbortSignal.any([AbortSignal.timeout(LIST_DEADLINE_MS), stop]);
    const headers = { host: '127.0.0.1', 'anthropic-version': '2023-06-01' };
    const asked = request({ socketPath, path, headers, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      answer.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > MAX_LIST_BYTES) asked.destroy();
        else chunks.push(chunk);
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? Buffer.concat(chunks).toString('utf8') : null));
      answer.on('close', () => resolve(null));
      answer.on('error', () => resolve(null));
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}
