/** `portolan builds`: how agents' own images were built, what that printed, and trying again. */
import { isId } from '../../../shared/ids.ts';
import { parseEventStream } from '../client/event-stream.ts';
import type { Build } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { oneLine, plainText, safeJson } from '../output/text.ts';
import { formatAge, formatDuration } from '../output/units.ts';
import { type ListOptions, printPage } from './page.ts';

export async function listBuilds(context: Context, text: string, options: ListOptions): Promise<void> {
  const { api, style, terminal } = context;
  const agent = await findAgent(api, text);
  const page = await api.listBuilds(agent.id, options.limit);
  const now = terminal.now();
  printPage<Build>(
    context,
    page,
    [
      { title: 'BUILD', value: ({ id }) => id },
      {
        title: 'STATE',
        value: ({ state }) => state,
        paint: ({ state }) => (state === 'built' ? style.green : state === 'failed' ? style.red : style.yellow),
      },
      { title: 'PACKAGES', value: describePackages, minColumns: 16 },
      { title: 'TOOK', value: (build) => describeLength(build, now) },
      { title: 'WHEN', value: ({ createdAt }) => formatAge(createdAt, now) },
    ],
    `${oneLine(agent.name)} has no image of its own: it runs on the one of all agents. It asks for packages itself, when it needs one.`,
  );
}

export async function showBuildLog(context: Context, text: string, options: { follow?: boolean }): Promise<void> {
  const { api, terminal } = context;
  const build = await findBuild(context, text);
  if (options.follow !== true) {
    const log = await api.readBuildLog(build.id);
    if (context.json) context.printJson({ build, log });
    else terminal.stdout.write(plainText(log));
    return;
  }
  const stream = await api.openBuildLog(build.id, terminal.interrupted);
  for await (const event of parseEventStream(stream)) {
    if (event === 'alive') continue;
    if (event.event === 'end') return tellEnd(context, await api.readBuild(build.id));
    const line = readLine(event.data);
    terminal.stdout.write(context.json ? `${safeJson({ line }, 0)}\n` : `${plainText(line)}\n`);
  }
  throw new CliError(EXIT.failed, 'log_cut', 'The host broke the log off.', {
    expected: 'a host that goes on running; it takes the build up again when it starts',
    next: `portolan builds log ${build.id} --follow`,
  });
}

export async function retryBuild(context: Context, text: string): Promise<void> {
  const { api } = context;
  const agent = await findAgent(api, text);
  const image = await api.retryBuild(agent.id);
  if (context.json) return context.printJson(image);
  const name = oneLine(agent.name);
  if (image.state === 'ready') context.print(`${name} runs on ${image.image ?? ''}; there is nothing to build.`);
  else context.print(`${name}: ${oneLine(image.reason ?? '')}\nFollow it: portolan builds log ${name} --follow`);
}

/** A build that failed is a failed check: scripts see it. */
function tellEnd({ print, style, json }: Context, { state }: Build): void {
  if (!json) print(state === 'built' ? style.green('built') : style.red(state));
  if (state !== 'built') throw new CliError(EXIT.checkFailed, 'build_failed', 'The image was not built.');
}

function readLine(data: string): string {
  const value: unknown = JSON.parse(data);
  return typeof value === 'object' && value !== null && 'text' in value ? String(value.text) : '';
}

/** By its id, or the newest of an agent. */
async function findBuild({ api }: Context, text: string): Promise<Build> {
  if (isId('imageBuild', text)) return api.readBuild(text);
  const agent = await findAgent(api, text);
  const [newest] = (await api.listBuilds(agent.id, 1)).items;
  if (newest !== undefined) return newest;
  throw new CliError(EXIT.notFound, 'no_build', `No image was ever built for ${oneLine(agent.name)}.`, {
    expected: 'an agent with packages, or the id of a build',
  });
}

function describePackages({ packages: { apt, npm } }: Build): string {
  return [...apt, ...npm.map((name) => `npm:${name}`)].join(' ');
}

function describeLength({ startedAt, endedAt }: Build, now: number): string {
  return startedAt === null ? '–' : formatDuration((endedAt ?? now) - startedAt);
}
