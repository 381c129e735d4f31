/** `portolan config show|diff|history`: what agents' containers are made of, now and before. */
import type { AgentConfig, AgentConfigRevision } from '../client/types.ts';
import type { Context } from '../context.ts';
import { findAgent } from '../find.ts';
import { formatFields } from '../output/table.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { type ListOptions, printPage } from './page.ts';

/** Throws CliError `agent_not_found`, `ambiguous`, and the API's `not_found` for a revision that never was. */
export async function showConfig(context: Context, name: string, { revision }: { revision?: number }): Promise<void> {
  const agent = await findAgent(context.api, name);
  if (revision !== undefined) {
    const past = await context.api.readConfigRevision(agent.id, revision);
    if (context.json) return context.printJson(past);
    return context.print(
      formatFields([...describeSettings(context, past, null), ...describeParts(past)], context.style),
    );
  }
  const config = await context.api.readConfig(agent.id);
  if (context.json) return context.printJson(config);
  const fields = [...describeSettings(context, config, config.image), ...describeParts(config)];
  context.print(formatFields(fields, context.style));
  for (const { name: server, problem, tools } of config.mcpReports) {
    const said =
      problem === null
        ? `up, with ${tools === 1 ? '1 tool' : `${tools} tools`}`
        : context.style.red(`did not come up: ${oneLine(problem)}`);
    context.print(`${context.style.dim('MCP server')} ${server} ${said}`);
  }
}

type Field = readonly [label: string, value: string];

function describeSettings(
  { style, terminal }: Context,
  config: AgentConfig | AgentConfigRevision,
  image: AgentConfig['image'] | null,
): Field[] {
  const { resources, changedBy, changedAt, reason } = config;
  const byDefault = style.dim('default');
  const built = image === null ? [] : [['image', describeImage(image)] as const];
  return [
    [
      'revision',
      `${config.revision}, ${formatAge(changedAt, terminal.now())} by ${oneLine(changedBy.name)}: ${oneLine(reason)}`,
    ],
    ['provider', config.provider],
    ['model', config.model ?? byDefault],
    ['service', config.service ?? byDefault],
    ['effort', config.effort ?? byDefault],
    ['timezone', config.timezone],
    ['memory', resources.memoryMb === null ? byDefault : `${resources.memoryMb} MB`],
    ['cpus', resources.cpus?.toString() ?? byDefault],
    ['pids', resources.pids?.toString() ?? byDefault],
    ...built,
  ];
}

function describeImage({ state, reason }: AgentConfig['image']): string {
  return reason === null ? state : `${state}: ${oneLine(reason)}`;
}

function describeParts({ packages, mcpServers, mounts }: AgentConfig | AgentConfigRevision): Field[] {
  return [
    ['apt', packages.apt.join(' ') || '–'],
    ['npm', packages.npm.join(' ') || '–'],
    ...(packages.rebuilds === 0 ? [] : [['rebuilds', String(packages.rebuilds)] as const]),
    ...mcpServers.map(({ name, commandLine }): Field => [`MCP ${name}`, oneLine(commandLine)]),
    ...mounts.map(
      ({ containerPath, path, isReadOnly }): Field => [
        'mount',
        `${containerPath} is ${oneLine(path)}, ${isReadOnly ? 'read-only' : 'writable'}`,
      ],
    ),
  ];
}

/** Throws CliError `agent_not_found`, `ambiguous`, and the API's `not_found`. */
export async function diffConfig(
  context: Context,
  name: string,
  { from, to }: { from?: number; to?: number },
): Promise<void> {
  const agent = await findAgent(context.api, name);
  const diff = await context.api.diffConfig(agent.id, { from, to });
  if (context.json) return context.printJson(diff);
  const { style } = context;
  context.print(style.dim(`revision ${diff.from} → ${diff.to}`));
  for (const { line, before, after } of diff.changes) {
    const paint = before === null ? style.green : after === null ? style.red : (text: string) => text;
    context.print(paint(oneLine(line)));
  }
  if (diff.changes.length === 0) context.print('They are the same.');
}

/** Throws CliError `agent_not_found`, `ambiguous`. */
export async function listHistory(context: Context, name: string, { limit }: ListOptions): Promise<void> {
  const agent = await findAgent(context.api, name);
  const now = context.terminal.now();
  printPage(
    context,
    await context.api.listConfigHistory(agent.id, limit),
    [
      { title: 'REVISION', value: ({ revision }) => String(revision), align: 'right' },
      { title: 'WHEN', value: ({ changedAt }) => formatAge(changedAt, now) },
      { title: 'BY', value: ({ changedBy }) => changedBy.name, minColumns: 6 },
      { title: 'WHY', value: ({ reason }) => reason, minColumns: 10 },
      { title: 'CHANGES', value: ({ changes }) => changes.join('; '), minColumns: 12 },
    ],
    'It has no history.',
  );
}
