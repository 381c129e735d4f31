/** `portolan config set|rollback`: changes of a config, each on top of what was seen. */
import type { AgentConfig } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';

export interface SetOptions {
  provider?: string;
  model?: string;
  service?: string;
  effort?: string;
  timezone?: string;
  memory?: number | 'default';
  cpus?: number | 'default';
  pids?: number | 'default';
}

/** Throws CliError `nothing_given`, `agent_not_found`, `ambiguous`, and the API's `bad_input`, `stale`. */
export async function setConfig(context: Context, name: string, options: SetOptions): Promise<void> {
  const { provider, model, service, effort, timezone, memory, cpus, pids } = options;
  const given = { provider, model, service, effort, timezone, cpus, pids, memoryMb: memory };
  const patch = Object.fromEntries(
    Object.entries(given).flatMap(([field, value]) =>
      value === undefined ? [] : [[field, value === 'default' ? null : value]],
    ),
  );
  if (Object.keys(patch).length === 0) {
    throw new CliError(EXIT.usage, 'nothing_given', 'Nothing to change was given.', {
      expected: 'one of --provider, --model, --service, --effort, --timezone, --memory, --cpus, --pids',
      next: 'portolan config set --help',
    });
  }
  const agent = await findAgent(context.api, name);
  const seen = await context.api.readConfig(agent.id);
  const config = await context.api.changeConfig(agent.id, seen.revision, patch);
  if (context.json) return context.printJson(config);
  if (config.revision === seen.revision) return context.print('It was so already.');
  await tellChange(context, config, seen.revision);
}

/** Throws CliError `bad_revision`, `not_confirmed`, those of `findAgent`, and the API's `not_possible_now`, `build_failed`. */
export async function rollBackConfig(
  context: Context,
  name: string,
  text: string,
  { yes }: { yes?: boolean },
): Promise<void> {
  const revision = parseRevision(text);
  const agent = await findAgent(context.api, name);
  const seen = await context.api.readConfig(agent.id);
  const word = shellWord(agent.name);
  const diff = await context.api.diffConfig(agent.id, { from: seen.revision, to: revision });
  if (diff.changes.length === 0) {
    if (context.json) return context.printJson(seen);
    return context.print(`It is as in revision ${revision} already.`);
  }
  if (!context.json) for (const { line } of diff.changes) context.print(oneLine(line));
  await confirm(context, {
    question: `Roll ${oneLine(agent.name)} back to revision ${revision}? Its sessions restart when idle.`,
    yes,
    command: `portolan config rollback ${word} ${revision} --yes`,
    unattended: 'refuse',
  });
  const config = await context.api.rollBackConfig(agent.id, seen.revision, revision);
  if (context.json) return context.printJson(config);
  context.print(
    `${context.style.green('✓')} ${oneLine(agent.name)} is as in revision ${revision}, which is revision ${config.revision} now.`,
  );
  tellUndo(context, agent.name, seen.revision);
}

async function tellChange(context: Context, config: AgentConfig, before: number): Promise<void> {
  const diff = await context.api.diffConfig(config.agentId, { from: before, to: config.revision });
  context.print(
    `${context.style.green('✓')} ${oneLine(config.agentName)} is at revision ${config.revision}; its sessions restart when idle.`,
  );
  for (const { line } of diff.changes) context.print(`  ${oneLine(line)}`);
  tellUndo(context, config.agentName, before);
}

/** How a change of a config is taken back. */
export function tellUndo(context: Context, agentName: string, revision: number): void {
  const undo = `portolan config rollback ${shellWord(agentName)} ${revision}`;
  context.print(context.style.dim(`To undo: ${context.typeable(undo)}`));
}

function parseRevision(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new CliError(EXIT.usage, 'bad_revision', `"${oneLine(text)}" is no revision.`, {
    expected: 'a whole number, as the history shows it',
    next: 'portolan config history <agent>',
  });
}
