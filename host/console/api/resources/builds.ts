/** Agents' own images over the API: which builds there were, their logs while they run, and trying again. */
import { readFile } from 'node:fs/promises';
import type { Context } from 'hono';
import { parseId } from '../../../../shared/ids.ts';
import { sees } from '../../../access/console.ts';
import { errorCode } from '../../../config/errors.ts';
import { commandsFor } from '../../../config/home.ts';
import type { ImageState } from '../../../images/plan.ts';
import type { AgentGroup } from '../../../store/agents.ts';
import type { ImageBuild } from '../../../store/image-builds.ts';
import { newApi, paginate } from '../api.ts';
import * as routes from '../build-routes.ts';
import type { AgentImage, Build } from '../build-schemas.ts';
import type { Env } from '../door.ts';
import { followLog, replayLog } from '../log-stream.ts';
import type { ApiParts } from '../ports.ts';
import { notFound } from '../problem.ts';
import { standingOf } from '../rights.ts';
import { findSubject } from '../subjects.ts';
import { findAgent } from './agents.ts';

export function buildRoutes(parts: ApiParts) {
  const { images } = parts;
  return newApi()
    .openapi(routes.listBuilds, (c) => {
      const { id } = findAgent(parts, c.req.valid('param').id);
      const { cursor, limit } = c.req.valid('query');
      const before = cursor === undefined ? null : parseId('imageBuild', cursor);
      const page = paginate(
        limit,
        (n) => images.list(id, n, before),
        (build) => build.id,
      );
      return c.json({ ...page, items: page.items.map(presentBuild) }, 200);
    })
    .openapi(routes.retryBuild, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      return c.json(presentImage(agent, images.retry(agent), parts), 200);
    })
    .openapi(routes.getBuild, (c) => c.json(presentBuild(findBuild(parts, c.req.valid('param').id)), 200))
    .openapi(routes.getBuildLog, async (c) => {
      const build = findBuild(parts, c.req.valid('param').id);
      const wantsEvents = (c.req.header('accept') ?? '').includes('text/event-stream');
      return wantsEvents ? streamLog(parts, c, build) : sendLog(parts, build);
    });
}

async function sendLog(parts: ApiParts, build: ImageBuild): Promise<Response> {
  const live = parts.images.logOf(build.id)?.live ?? null;
  const text =
    live === null
      ? await readLog(parts, build)
      : `${live
          .read(0, Number.MAX_SAFE_INTEGER)
          .map((line) => line.text)
          .join('\n')}\n`;
  return new Response(text, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
}

async function streamLog(parts: ApiParts, c: Context<Env>, build: ImageBuild): Promise<Response> {
  const last = c.req.header('last-event-id') ?? '';
  const after = /^\d{1,15}$/.test(last) ? Number(last) : 0;
  const end = () => ({ state: parts.images.get(build.id)?.state ?? 'failed' });
  const live = parts.images.logOf(build.id)?.live ?? null;
  const { userId, by, isSignedIn } = c.var;
  const mayRead = () => {
    const subject = findSubject(parts, 'builds', build.id);
    return isSignedIn() && subject !== null && sees(standingOf(parts, userId, by !== 'cookie'), subject);
  };
  const stream =
    live === null
      ? replayLog(await readLog(parts, build), after, end())
      : followLog(live, after, { describeEnd: end, mayRead });
  return new Response(stream, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  });
}

/** One that waits for its turn has none yet; one that found its image built has none at all. */
async function readLog({ images }: ApiParts, build: ImageBuild): Promise<string> {
  const path = images.logOf(build.id)?.path ?? null;
  try {
    return path === null ? '' : await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Throws Problem 404. */
function findBuild({ images }: ApiParts, text: string): ImageBuild {
  const id = parseId('imageBuild', text);
  const build = id === null ? null : images.get(id);
  if (build === null) throw notFound('build');
  return build;
}

function presentBuild({ agentGroupId, ...build }: ImageBuild): Build {
  return { ...build, agentId: agentGroupId };
}

function presentImage({ id }: AgentGroup, state: ImageState, { home }: ApiParts): AgentImage {
  const image = state.kind === 'ready' ? state.image : null;
  const reason = state.kind === 'ready' ? null : commandsFor(home, state.reason);
  return { agentId: id, state: state.kind, image, reason };
}
