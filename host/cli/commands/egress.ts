/** `portolan egress`: what agents asked of the outside, and what became of it. */
import { followRows } from '../client/egress.ts';
import type { EgressEntry } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findSession } from '../find.ts';
import type { Paint } from '../output/style.ts';
import { displayWidth, oneLine, pad, safeJson, truncate } from '../output/text.ts';
import { formatBytes, formatClockSeconds } from '../output/units.ts';
import { printPage } from './page.ts';

interface FilterOptions {
  agent?: string;
  session?: string;
  refused?: boolean;
  failed?: boolean;
  search?: string;
}

export interface ListOptions extends FilterOptions {
  limit: number;
}

export interface TailOptions extends FilterOptions {
  follow?: boolean;
  lines: number;
}

/** Agents looked at for names to show. */
const MAX_NAMED = 10_000;
/** Columns of a line's fields before the place. */
const AGENT_COLUMNS = 12;
const OUTCOME_COLUMNS = 17;
const BYTES_COLUMNS = 8;

/** Throws CliError `agent_not_found`, `session_not_found`, `ambiguous`, `two_outcomes`. */
export async function listEgress(context: Context, options: ListOptions): Promise<void> {
  const { api, style, terminal } = context;
  const page = await api.listEgress(await readFilter(context, options), options.limit);
  const nameOf = context.json ? () => '' : await readNames(context);
  const now = terminal.now();
  printPage<EgressEntry>(
    context,
    page,
    [
      { title: 'WHEN', value: ({ at }) => formatClockSeconds(at, now) },
      { title: 'AGENT', value: ({ agentId }) => nameOf(agentId), minColumns: 6 },
      { title: 'OUTCOME', value: describeOutcome, paint: (entry) => paintOf(context, entry) },
      { title: 'BYTES', value: describeBytes, align: 'right' },
      { title: 'WHAT', value: describeRequest, minColumns: 20, paint: () => style.bold },
    ],
    describeNothing(context, options),
  );
}

/** Oldest first, then as they come. Throws as `listEgress`. */
export async function tailEgress(context: Context, options: TailOptions): Promise<void> {
  const { api, terminal } = context;
  const filter = await readFilter(context, options);
  // With none to show, the newest row still says where the rest begins.
  const page = await api.listEgress(filter, Math.max(options.lines, 1));
  const nameOf = context.json ? () => '' : await readNames(context);
  const print = (entry: EgressEntry) => printLine(context, entry, nameOf(entry.agentId));
  for (const entry of page.items.slice(0, options.lines).toReversed()) print(entry);
  if (options.follow !== true) {
    if (page.items.length === 0 && !context.json) context.print(describeNothing(context, options));
    return;
  }
  if (page.items.length === 0 && !context.json) context.print(context.style.dim('nothing yet; waiting'));
  const tell = (text: string) => {
    if (!context.json) terminal.stderr.write(`${context.style.dim(text)}\n`);
  };
  for await (const entry of followRows(api, filter, page.items[0]?.id ?? 0, { signal: terminal.interrupted, tell })) {
    print(entry);
  }
}

async function readFilter({ api }: Context, options: FilterOptions) {
  if (options.refused === true && options.failed === true) {
    throw new CliError(EXIT.usage, 'two_outcomes', 'A request was refused, or it failed.', {
      expected: '--refused or --failed',
      next: 'portolan egress list --refused',
    });
  }
  const agent = options.agent === undefined ? undefined : (await findAgent(api, options.agent)).id;
  const session = options.session === undefined ? undefined : (await findSession(api, options.session)).id;
  const outcome = options.refused === true ? 'refused' : options.failed === true ? 'failed' : undefined;
  return { agent, session, outcome, q: options.search };
}

async function readNames({ api }: Context): Promise<(id: string) => string> {
  const names = new Map((await api.listAgents(MAX_NAMED)).items.map(({ id, name }) => [id, name]));
  // Made after the list was read, or gone.
  return (id) => names.get(id) ?? id;
}

function describeNothing(context: Context, { agent, session, refused, failed, search }: FilterOptions): string {
  if (agent !== undefined || session !== undefined || refused === true || failed === true || search !== undefined) {
    return `Nothing such is on record. All of it: ${context.typeable('portolan egress list')}`;
  }
  return `No agent asked anything of the outside. What they may reach: ${context.typeable('portolan access list')}`;
}

/** One line, no wider than the screen. */
function printLine(context: Context, entry: EgressEntry, agentName: string): void {
  const { terminal } = context;
  if (context.json) {
    terminal.stdout.write(`${safeJson(entry, 0)}\n`);
    return;
  }
  const cell = (text: string, columns: number) => pad(truncate(oneLine(text), columns), columns);
  const head = [
    formatClockSeconds(entry.at, terminal.now()),
    cell(agentName, AGENT_COLUMNS),
    paintOf(context, entry)(cell(describeOutcome(entry), OUTCOME_COLUMNS)),
    pad(describeBytes(entry), BYTES_COLUMNS, 'right'),
  ].join(' ');
  const room = (context.tableColumns() ?? Number.POSITIVE_INFINITY) - displayWidth(head) - 1;
  const what = oneLine(describeRequest(entry));
  context.print(`${head} ${Number.isFinite(room) ? truncate(what, Math.max(room, 1)) : what}`);
}

function paintOf({ style }: Context, { outcome, status }: EgressEntry): Paint {
  if (outcome === 'refused') return style.red;
  if (outcome === 'failed' || (status ?? 0) >= 400) return style.yellow;
  return style.green;
}

function describeOutcome({ outcome, status, reason, repeats }: EgressEntry): string {
  const times = repeats > 1 ? ` ×${repeats}` : '';
  if (outcome === 'allowed') return `${status ?? 'ok'}${times}`;
  return `${reason ?? outcome}${times}`;
}

function describeBytes({ bytesIn, bytesOut }: EgressEntry): string {
  return bytesIn + bytesOut === 0 ? '–' : formatBytes(bytesIn + bytesOut);
}

/** As people write it; a row that stands for many names none. */
function describeRequest({ kind, method, host, port, path, rule, reason }: EgressEntry): string {
  if (host === '' && path !== '') return `${method} ${path}`;
  if (host === '') return reason === 'bad_request' ? 'no request that the gateway understands' : 'many places';
  const scheme = schemeOf(kind, port);
  const name = host.includes(':') ? `[${host}]` : host;
  const isPlain = (scheme === 'https://' && port === 443) || (scheme === 'http://' && port === 80);
  const through = (kind === 'model' || kind === 'service') && rule !== null ? ` (${kind} ${rule})` : '';
  return `${method} ${scheme}${name}${isPlain ? '' : `:${port}`}${path}${through}`;
}

/** Of a service the row does not say whether TLS was spoken: where its port does not either, nothing is claimed. */
function schemeOf(kind: EgressEntry['kind'], port: number): string {
  switch (kind) {
    case 'http':
      return 'http://';
    case 'https':
      return 'https://';
    case 'service':
    case 'model':
      return port === 443 ? 'https://' : port === 80 ? 'http://' : '';
    default:
      return '';
  }
}
