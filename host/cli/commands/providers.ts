/** `portolan provider list`: what agents may think with, and what they do. */
import type { AgentProvider, Providers } from '../client/types.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../output/shell.ts';
import { type Column, formatTable } from '../output/table.ts';

type ProviderKind = Providers['providers'][number];

export async function listProviders(context: Context): Promise<void> {
  const shown = await context.api.listProviders();
  if (context.json) return context.printJson(shown);
  const { style } = context;
  const print = <T>(rows: readonly T[], columns: readonly Column<T>[]) =>
    context.print(formatTable(rows, columns, style, context.tableColumns()));
  print(shown.providers, [
    { title: 'PROVIDER', value: ({ name }: ProviderKind) => name },
    { title: 'THINKS WITH', value: describeKind, minColumns: 20 },
    { title: 'SERVICES', value: ({ services }) => services.join(', ') || '–', minColumns: 16 },
  ]);
  context.print('');
  print(shown.agents, [
    { title: 'AGENT', value: ({ agentName }: AgentProvider) => agentName, minColumns: 8 },
    { title: 'PROVIDER', value: ({ provider }) => provider },
    { title: 'MODEL', value: ({ model }) => model ?? '–', minColumns: 8 },
    { title: 'SERVICE', value: ({ service }) => service ?? '–', minColumns: 8 },
    { title: 'EFFORT', value: ({ effort, service }) => effort ?? (service === null ? '–' : 'default') },
    {
      title: 'KEY',
      value: ({ key }) => KEY_WORDS[key.state],
      paint: ({ key }) => (isMissing(key.state) ? style.yellow : (text) => text),
    },
  ]);
  tellNext(context, shown.agents);
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  demo: 'fixed rules; no model, no key',
  echo: 'nothing: it repeats, for tests',
  claude: 'Claude, by Anthropic’s agent SDK',
  openai: 'any model, by its API',
};

function describeKind({ name, needsModel }: ProviderKind): string {
  return KIND_WORDS[name] ?? (needsModel ? 'a model' : 'no model');
}

const KEY_WORDS: Readonly<Record<AgentProvider['key']['state'], string>> = {
  given: 'yes',
  not_taken: 'none needed',
  not_needed: '–',
  missing: 'missing',
  no_service: 'no such service',
};

function isMissing(state: AgentProvider['key']['state']): boolean {
  return state === 'missing' || state === 'no_service';
}

/** What is missing, once for each thing to type; else how to begin. */
function tellNext({ print, typeable, style }: Context, agents: readonly AgentProvider[]): void {
  const steps = new Set(agents.flatMap(({ key }) => (key.next === null ? [] : [key.next])));
  if (steps.size === 0 && agents.some(({ service }) => service !== null)) return;
  const first = agents[0]?.agentName ?? 'main';
  const wanted =
    steps.size > 0
      ? [...steps]
      : ['portolan secrets set anthropic', `portolan provider set ${shellWord(first)} claude`];
  print('');
  print(style.dim(steps.size > 0 ? 'Next, type:' : 'For a real model, type:'));
  for (const step of wanted) print(`  ${typeable(step)}`);
}
