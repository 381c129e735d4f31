/** `portolan secrets`: what services are given, by name. Values go in at the prompt or on stdin, and never come out. */
import type { Secret } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { readSecretly } from '../prompt-secret.ts';
import { printTable } from './page.ts';

/** As the host takes names of secrets and services. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Names that a sentence lists. */
const MAX_NAMED = 5;

export async function listSecrets(context: Context): Promise<void> {
  const { items } = await context.api.listSecrets();
  if (context.json) return context.printJson({ items });
  const { style, terminal } = context;
  printTable(
    context,
    { items, nextCursor: null },
    [
      { title: 'NAME', value: ({ name }) => name, paint: () => style.bold },
      { title: 'GIVEN TO', value: (secret) => describeUses(secret), minColumns: 16 },
      { title: 'USED BY', value: (secret) => describeThinkers(secret), minColumns: 10 },
      { title: 'CHANGED', value: ({ changedAt }) => formatAge(changedAt, terminal.now()) },
    ],
    `There are no secrets. The first, for example: ${context.typeable('portolan secrets set anthropic')}`,
  );
}

function describeUses({ uses }: Pick<Secret, 'uses'>): string {
  if (uses.length === 0) return 'nothing yet';
  return uses.map(({ service, agent }) => (agent === null ? service : `${service} (${agent.name} alone)`)).join(', ');
}

function describeThinkers({ uses }: Pick<Secret, 'uses'>): string {
  return [...new Set(uses.flatMap(({ thinkers }) => thinkers))].join(', ') || '–';
}

/** `words`: the name, and what should not be there. Throws CliError `value_on_command_line`, `bad_name`, `cancelled`. */
export async function setSecret(context: Context, words: readonly string[]): Promise<void> {
  const [name = ''] = words;
  refuseValue(words);
  await requireOpenVault(context);
  const value = await readSecretly(context, `The value of ${name} (it is not shown):`);
  const set = await context.api.setSecret(name, value);
  if (context.json) return context.printJson(set);
  const { style } = context;
  context.print(`${style.green('✓')} The secret ${name} ${set.isNew ? 'is set' : 'has a new value'}.`);
  if (set.assignedTo !== null)
    context.print(`  Requests of all agents for the service ${set.assignedTo} get it from now on.`);
  else if (set.uses.length > 0) context.print(`  From the next request on: ${describeUses(set)}.`);
  else context.print('  No service gets it yet.');
  if (set.next !== null) context.print(`\nNext, type:\n  ${context.typeable(set.next)}`);
}

/** Before somebody pastes a value that nobody can keep. */
async function requireOpenVault({ api }: Context): Promise<void> {
  const { state, why, next } = await api.readVault();
  if (state !== 'locked') return;
  throw new CliError(EXIT.refused, 'vault_locked', `${oneLine(why ?? 'The vault is locked')}.`, {
    next: next ?? 'portolan secrets unlock',
  });
}

/** What stands in the command's words was seen by others already: it is refused, and not repeated. */
function refuseValue(words: readonly string[]): void {
  const [name = '', ...more] = words;
  const where = { expected: 'the value at the prompt, or on stdin' };
  const isNamed = NAME.test(name);
  if (more.length > 0 || (!isNamed && /[=:]/.test(name))) {
    const word = isNamed ? name : '<name>';
    throw new CliError(
      EXIT.usage,
      'value_on_command_line',
      'A value does not belong on the command line: other users see it in `ps`, and your shell keeps it in its history. Make a new key if this one was real.',
      { ...where, next: `portolan secrets set ${word}` },
    );
  }
  if (!isNamed) {
    throw new CliError(EXIT.usage, 'bad_name', 'That is no name for a secret.', {
      expected: '1 to 63 of a–z, 0–9 and "-", such as anthropic',
      next: 'portolan secrets set anthropic',
    });
  }
}

/** Throws CliError `secret_not_found`, `not_confirmed`. */
export async function removeSecret(context: Context, name: string, { yes }: { yes?: boolean }): Promise<void> {
  const secret = await findSecret(context, name);
  const thinkers = [...new Set(secret.uses.flatMap((use) => use.thinkers))];
  const losers = thinkers.slice(0, MAX_NAMED).join(', ') + (thinkers.length > MAX_NAMED ? ' and others' : '');
  const stops = [
    ...(secret.uses.length > 0 ? [`${describeUses(secret)} will get nothing.`] : []),
    ...(losers === '' ? [] : [`${oneLine(losers)} cannot think without it.`]),
  ];
  await confirm(context, {
    question: `${stops.join(' ')} Remove the secret ${name}?`.trim(),
    yes,
    command: `portolan secrets remove ${name} --yes`,
    unattended: 'refuse',
  });
  await context.api.removeSecret(secret);
  if (context.json) return context.printJson({ removed: name });
  context.print(`${context.style.green('✓')} The secret ${name} is removed.`);
  if (stops.length > 0) context.print(`  Another in its place: ${context.typeable(`portolan secrets set ${name}`)}`);
}

export interface UseOptions {
  service?: string;
  agent?: string;
}

/** Throws CliError `agent_not_found`, `ambiguous`, and the API's refusals. */
export async function assignSecret(context: Context, name: string, { service, agent }: UseOptions): Promise<void> {
  if (service === undefined) {
    throw new CliError(EXIT.usage, 'no_service', 'Which service gets it?', {
      expected: '--service <service>',
      next: 'portolan services list',
    });
  }
  requireNames(name, service);
  const of = agent === undefined ? null : await findAgent(context.api, agent);
  const use = await context.api.assignSecret(name, service, of?.id ?? 'all');
  if (context.json) return context.printJson(use);
  const whose = of === null ? 'of all agents that have none of their own' : `of ${oneLine(of.name)}`;
  context.print(`${context.style.green('✓')} Requests ${whose} for ${service} get ${name} from now on.`);
  const undo = `portolan secrets unassign ${service}${of === null ? '' : ` --agent ${shellWord(of.name)}`}`;
  context.print(context.style.dim(`To undo: ${context.typeable(undo)}`));
}

/** Throws CliError `agent_not_found`, `ambiguous`, `not_found`. */
export async function unassignSecret(context: Context, service: string, { agent }: { agent?: string }): Promise<void> {
  requireNames(service);
  const of = agent === undefined ? null : await findAgent(context.api, agent);
  await context.api.unassignSecret(service, of?.id ?? 'all');
  if (context.json) return context.printJson({ unassigned: service, agentId: of?.id ?? null });
  const whose = of === null ? 'agents that have none of their own' : oneLine(of.name);
  context.print(`${context.style.green('✓')} Requests of ${whose} for ${service} get that secret no more; it is kept.`);
}

async function findSecret(context: Context, name: string): Promise<Secret> {
  const { items } = await context.api.listSecrets();
  const secret = items.find((item) => item.name === name);
  if (secret !== undefined) return secret;
  const known = items.slice(0, 10).map((item) => item.name);
  throw new CliError(EXIT.notFound, 'secret_not_found', 'There is no such secret.', {
    expected: known.length > 0 ? `one of ${known.join(', ')}` : 'a secret; there is none',
    next: 'portolan secrets list',
  });
}

/** They stand in the address of the call. */
function requireNames(...names: string[]): void {
  if (names.every((name) => NAME.test(name))) return;
  throw new CliError(EXIT.usage, 'bad_name', 'That is no name of a secret or service.', {
    expected: '1 to 63 of a–z, 0–9 and "-"',
    next: 'portolan secrets list',
  });
}
