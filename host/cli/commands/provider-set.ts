/** `portolan provider set`: what an agent thinks with, from the choice to the image that it needs. */
import { CLAUDE_NOTICE, EFFORTS, findModelProvider, PROVIDER_NAMES } from '../../../shared/providers.ts';
import type { AgentProvider } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { awaitImage } from './await-image.ts';
import { tellUndo } from './config-change.ts';

export interface ProviderOptions {
  model?: string;
  service?: string;
  effort?: string;
  yes?: boolean;
}

/** Models of a list that a person is shown. Higher: it scrolls the rest away. Lower: theirs is not on it. */
const MAX_SHOWN_MODELS = 20;

/** Throws CliError `not_confirmed`, `build_failed`, those of `findAgent`, and the API's refusals of the choice. */
export async function setProvider(
  context: Context,
  name: string,
  provider: string,
  options: ProviderOptions,
): Promise<void> {
  const { api } = context;
  requireKnown('provider', provider, PROVIDER_NAMES);
  if (options.effort !== undefined) requireKnown('effort', options.effort, [...EFFORTS, 'default']);
  const agent = await findAgent(api, name);
  const seen = await api.readProvider(agent.id);
  const { model, service, effort } = options;
  const choice = { provider, ...withoutDefaults({ model, service, effort }) };
  if (provider === 'claude' && seen.provider !== 'claude') await confirmClaude(context, agent.name, options);
  const set = await setOrHelp(context, seen, choice);
  if (context.json) return context.printJson(set);
  if (set.revision === seen.revision) context.print('It was so already.');
  else {
    context.print(`${context.style.green('✓')} ${describeChoice(set)}; its sessions restart when idle.`);
    tellUndo(context, set.agentName, seen.revision);
  }
  await tellUnknownModel(context, set);
  tellNext(context, await awaitImage(context, agent));
}

function requireKnown(what: string, given: string, known: readonly string[]): void {
  if (known.includes(given)) return;
  throw new CliError(EXIT.usage, `unknown_${what}`, `There is no ${what} “${oneLine(given)}”.`, {
    expected: `one of ${known.join(', ')}`,
    next: 'portolan provider list',
  });
}

/** "default" stands for what the provider takes by itself. */
function withoutDefaults(given: Readonly<Record<string, string | undefined>>): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value === 'default' ? null : value]],
    ),
  );
}

async function confirmClaude(context: Context, agentName: string, options: ProviderOptions): Promise<void> {
  // With --json stdout is one document.
  context.terminal.stderr.write(`${CLAUDE_NOTICE}\n`);
  const words = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [`--${key} ${shellWord(value)}`] : [],
  );
  await confirm(context, {
    question: `Have ${agentName} think with Claude?`,
    yes: options.yes,
    command: ['portolan provider set', shellWord(agentName), 'claude', ...words, '--yes'].join(' '),
    unattended: 'refuse',
  });
}

/** Where a model must be named, with the names that the service has. */
async function setOrHelp(
  context: Context,
  seen: AgentProvider,
  choice: { provider: string } & Record<string, string | null>,
): Promise<AgentProvider> {
  try {
    return await context.api.setProvider(seen.agentId, seen.revision, choice);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'model_needed') throw error;
    const { provider, service } = choice;
    const models = await listModels(context, seen, { provider, ...(service ? { service } : {}) });
    if (models === null || models.length === 0) throw error;
    throw new CliError(error.exitCode, error.code, error.message, {
      expected: `--model with one of: ${showModels(models)}`,
      next: error.next,
      cause: error,
    });
  }
}

/** Null: the service does not say. */
async function listModels(
  { api }: Context,
  { agentId }: AgentProvider,
  query: { provider?: string; service?: string },
): Promise<string[] | null> {
  try {
    return (await api.listModels(agentId, query)).models;
  } catch (error) {
    // It helps to choose, and is asked for at a pace.
    if (error instanceof CliError) return null;
    throw error;
  }
}

function showModels(models: readonly string[]): string {
  const shown = models.slice(0, MAX_SHOWN_MODELS).map(oneLine).join(', ');
  return models.length > MAX_SHOWN_MODELS ? `${shown}, and ${models.length - MAX_SHOWN_MODELS} more` : shown;
}

/** A new model may work before it is listed: it is said, and not refused. */
async function tellUnknownModel(context: Context, set: AgentProvider): Promise<void> {
  const { provider, model, service, key } = set;
  const canAsk = key.state === 'given' || key.state === 'not_taken';
  // Aliases of the SDK are on no list.
  if (model === null || service === null || provider === 'claude' || !canAsk) return;
  const models = await listModels(context, set, {});
  if (models === null || models.includes(model)) return;
  const { style } = context;
  context.print(
    `${style.yellow('!')} ${service} lists no model ${oneLine(model)}; it has: ${showModels(models) || 'none'}`,
  );
}

function describeChoice({ agentName, provider, model, service, effort }: AgentProvider): string {
  const facts = [
    `${oneLine(agentName)} thinks with ${provider}`,
    ...(model === null || service === null ? [] : [`model ${oneLine(model)}`]),
    ...(service === null ? [] : [`through ${service}`]),
    ...(effort === null ? [] : [`effort ${effort}`]),
  ];
  return facts.join(', ');
}

function tellNext(context: Context, { agentName, provider, service, key, isConfined }: AgentProvider): void {
  const { style } = context;
  if (findModelProvider(provider) === null) return;
  if (!isConfined) {
    context.print(
      `${style.yellow('!')} This host runs agents as plain processes: what its tools do, they do as your user.`,
    );
  }
  if (key.why !== null) context.print(`${style.yellow('!')} It cannot answer yet: ${oneLine(key.why)}.`);
  const agent = shellWord(agentName);
  const steps = key.next === null ? [`portolan provider test ${agent}`] : [key.next, `portolan provider test ${agent}`];
  const why =
    key.next === null
      ? `one call to ${service ?? 'it'}, to see that it works`
      : 'the key, then one call to see that it works';
  context.print(style.dim(`Next, type (${why}):`));
  for (const step of steps) context.print(`  ${context.typeable(step)}`);
}
