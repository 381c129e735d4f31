/** `portolan access`: what agents may reach outside. Each change holds at once. */
import { ACCESS_METHODS } from '../../../shared/access.ts';
import type { AccessRule, Agent } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { isIdPart } from '../match.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { idColumn, printTable } from './page.ts';

/** Agents whose rules are listed together. */
const MAX_AGENTS = 10_000;

type Listed = AccessRule & { agentName: string };

/** Of one agent, or of all. Throws CliError `agent_not_found`, `ambiguous`. */
export async function listAccess(context: Context, name?: string): Promise<void> {
  const { api, style, terminal } = context;
  const agents = name === undefined ? (await api.listAgents(MAX_AGENTS)).items : [await findAgent(api, name)];
  const items: Listed[] = [];
  for (const agent of agents) {
    for (const rule of (await api.listAccess(agent.id)).items) items.push({ ...rule, agentName: agent.name });
  }
  if (context.json) return context.printJson({ items });
  const now = terminal.now();
  const who = name === undefined ? 'No agent' : oneLine(agents[0]?.name ?? name);
  const word = name === undefined ? '<agent>' : shellWord(name);
  printTable(
    context,
    { items, nextCursor: null },
    [
      ...(name === undefined ? [{ title: 'AGENT', value: (rule: Listed) => rule.agentName, minColumns: 6 }] : []),
      { title: 'PLACE', value: ({ place }) => place, paint: () => style.bold, minColumns: 20 },
      { title: 'MAY', value: describeExtent, minColumns: 10 },
      { title: 'BY', value: ({ createdBy }) => createdBy.name, minColumns: 5 },
      { title: 'SINCE', value: ({ createdAt }) => formatAge(createdAt, now) },
      idColumn(items),
    ],
    name === undefined
      ? `${who} may reach anything outside but the model of its config. Let one out: ${context.typeable(`portolan access allow ${word} api.example.com`)}`
      : `${who} may reach nothing outside but the model of its config. Let it out: ${context.typeable(`portolan access allow ${word} api.example.com`)}`,
  );
}

function describeExtent({ methods, path, isPrivate }: AccessRule): string {
  const parts = [methods === null ? 'everything' : methods.join(' '), path === null ? '' : `under ${path}`];
  return [...parts, isPrivate ? '(private)' : ''].filter((part) => part !== '').join(' ');
}

export interface AllowOptions {
  method?: string[];
  path?: string;
  private?: boolean;
  reason?: string;
}

/** Throws CliError `bad_place`, those of `findAgent`, and the API's `allowed_already`, `access_refused`, `not_allowed`. */
export async function allowAccess(
  context: Context,
  agentName: string,
  place: string,
  options: AllowOptions,
): Promise<void> {
  const { api, style } = context;
  const where = readPlace(agentName, place);
  const methods = options.method?.map((one) => readMethod(agentName, place, one));
  const agent = await findAgent(api, agentName);
  const { path, reason } = options;
  const rule = await api.allowAccess(agent.id, {
    ...where,
    ...(methods === undefined ? {} : { methods }),
    ...(path === undefined ? {} : { path }),
    ...(options.private === true ? { private: true } : {}),
    ...(reason === undefined ? {} : { reason }),
  });
  if (context.json) return context.printJson(rule);
  context.print(
    `${style.green('✓')} ${oneLine(agent.name)} may reach ${oneLine(rule.place)}, now: ${describeExtent(rule)}.`,
  );
  for (const line of describeUse(rule)) context.print(`  ${line}`);
  await tellMissingSecret(context, rule);
  tellUndo(context, `portolan access remove ${shellWord(agent.name)} ${rule.id}`);
}

/** It may go there from now on, and is refused all the same while there is nothing to add. */
async function tellMissingSecret(
  { api, style, print, typeable }: Context,
  { service: name }: AccessRule,
): Promise<void> {
  if (name === null) return;
  const service = (await api.listServices()).items.find((one) => one.name === name);
  if (service === undefined || service.header === '' || service.isPrivate || service.secretFor !== 'none') return;
  print(
    `${style.yellow('!')} The service ${name} has no secret yet. Next, type:\n  ${typeable(`portolan secrets set ${name}`)}`,
  );
}

/** How a program in the container gets there, where that is not by itself. */
function describeUse({ service, host, port, methods, path }: AccessRule): string[] {
  if (service !== null) return [`Its programs call $HTTP_PROXY/service/${service}/…; the gateway adds the credential.`];
  if (port === 80 || (methods === null && path === null)) return [];
  const place = port === 443 ? host : `${host}:${port}`;
  return [
    `Methods and paths cannot be seen in a tunnel: its programs call $HTTP_PROXY/https/${oneLine(place ?? '')}/…`,
  ];
}

function readMethod(agentName: string, place: string, text: string): string {
  const method = text.toUpperCase();
  if (ACCESS_METHODS.some((one) => one === method)) return method;
  throw new CliError(EXIT.usage, 'bad_method', `“${oneLine(text)}” is no method.`, {
    expected: `of ${ACCESS_METHODS.join(', ')}; all without --method`,
    next: `portolan access allow ${shellWord(agentName)} ${shellWord(place)} --method GET`,
  });
}

/** A word without a dot and a port is a service. */
function readPlace(agentName: string, text: string): { host: string; port?: number } | { service: string } {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(text) && text !== 'localhost') return { service: text };
  const match = /^(\[[^\]]+\]|[^:/]+)(?::(\d{1,5}))?$/.exec(text);
  if (match?.[1] !== undefined) {
    return { host: match[1], ...(match[2] === undefined ? {} : { port: Number(match[2]) }) };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  const path = url === null || url.pathname === '/' ? '' : ` --path ${shellWord(url.pathname)}`;
  const next = `portolan access allow ${shellWord(agentName)} ${url === null || url.host === '' ? 'api.example.com' : shellWord(url.host)}${path}`;
  throw new CliError(EXIT.usage, 'bad_place', `“${oneLine(text)}” is no host and no service.`, {
    expected: 'a host such as api.example.com or nas:8080, or a service such as github',
    next,
  });
}

/** Throws CliError `rule_not_found`, `ambiguous`, those of `findAgent`. */
export async function removeAccess(context: Context, agentName: string, text: string): Promise<void> {
  const { api, style } = context;
  const agent = await findAgent(api, agentName);
  const rule = findRule((await api.listAccess(agent.id)).items, agent, text);
  await api.removeAccess(agent.id, rule.id);
  if (context.json) return context.printJson(rule);
  context.print(
    `${style.green('✓')} ${oneLine(agent.name)} may not reach ${oneLine(rule.place)} by that rule any more; what it had opened is closed.`,
  );
  tellUndo(context, formatAllow(agent, rule));
}

function findRule(rules: readonly AccessRule[], agent: Agent, text: string): AccessRule {
  const matches = rules.filter((rule) => isNamed(rule, text));
  const [first] = matches;
  const next = `portolan access list ${shellWord(agent.name)}`;
  if (first === undefined) {
    throw new CliError(EXIT.notFound, 'rule_not_found', `${oneLine(agent.name)} has no rule for “${oneLine(text)}”.`, {
      expected: 'the place of a rule, or its id',
      next,
    });
  }
  if (matches.length === 1) return first;
  const shown = matches.slice(0, 5).map((rule) => `${rule.id} (${describeExtent(rule)})`);
  throw new CliError(EXIT.usage, 'ambiguous', `“${oneLine(text)}” has ${matches.length} rules: ${shown.join(', ')}.`, {
    expected: 'the id of one',
    next,
  });
}

function isNamed({ id, place, host, port, service }: AccessRule, text: string): boolean {
  return [id, place, host, `${host}:${port}`, service].includes(text.toLowerCase()) || isIdPart(id, text);
}

/** The command that makes this rule. */
function formatAllow(agent: Agent, { host, port, service, methods, path, isPrivate }: AccessRule): string {
  const name = host?.includes(':') === true ? `[${host}]` : host;
  const place = service ?? (port === 443 && name?.includes('.') === true ? name : `${name}:${port}`);
  return [
    `portolan access allow ${shellWord(agent.name)} ${shellWord(place)}`,
    ...(methods === null ? [] : [`--method ${methods.join(' ')}`]),
    ...(path === null ? [] : [`--path ${shellWord(path)}`]),
    ...(isPrivate ? ['--private'] : []),
  ].join(' ');
}

function tellUndo(context: Context, command: string): void {
  context.print(context.style.dim(`To undo: ${context.typeable(command)}`));
}
