/** Waits for the image of an agent's next container, and shows how that goes. */
import { parseEventStream } from '../client/event-stream.ts';
import { pause } from '../client/reconnect.ts';
import type { Agent, AgentProvider, Build } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine, plainText } from '../output/text.ts';

/** Between two looks whether a build began, or the image is there. Higher: its first lines come late. Lower: calls. */
const LOOK_MS = 300;

/** With the provider as it is then. Ctrl+C ends the waiting, not the build. Throws CliError `build_failed`. */
export async function awaitImage(context: Context, agent: Agent): Promise<AgentProvider> {
  const { api, style, terminal } = context;
  let shown = await api.readProvider(agent.id);
  let followed: string | null = null;
  let isTold = false;
  while (shown.image.state === 'waiting' && !terminal.interrupted.aborted) {
    const build = await findOpenBuild(context, agent);
    if (build !== null && build.id !== followed) {
      if (!isTold)
        context.print(style.dim('Its image is being made, once on this machine; Ctrl+C leaves that to go on.'));
      isTold = true;
      followed = build.id;
      await followBuild(context, build);
    } else await pause(LOOK_MS, terminal.interrupted);
    shown = await api.readProvider(agent.id);
  }
  if (shown.image.state === 'failed') {
    throw new CliError(
      EXIT.checkFailed,
      'build_failed',
      oneLine(shown.image.reason ?? 'Its image could not be made.'),
      {
        expected: 'the rest is set: only the image is missing',
        next: `portolan builds retry ${shellWord(agent.name)}`,
      },
    );
  }
  if (isTold && shown.image.state === 'ready') context.print(`${style.green('✓')} its image is ready`);
  return shown;
}

async function findOpenBuild({ api }: Context, agent: Agent): Promise<Build | null> {
  const [newest] = (await api.listBuilds(agent.id, 1)).items;
  return newest !== undefined && (newest.state === 'queued' || newest.state === 'building') ? newest : null;
}

async function followBuild({ api, style, print, terminal }: Context, { id }: Build): Promise<void> {
  const stream = await api.openBuildLog(id, terminal.interrupted);
  try {
    for await (const event of parseEventStream(stream)) {
      if (event === 'alive') continue;
      if (event.event === 'end') return;
      const line: unknown = JSON.parse(event.data);
      if (typeof line === 'object' && line !== null && 'text' in line)
        print(style.dim(`  ${plainText(String(line.text))}`));
    }
  } catch (error) {
    if (!terminal.interrupted.aborted) throw error;
  }
}
