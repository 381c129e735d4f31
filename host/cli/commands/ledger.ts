/** `portolan ledger` and `ledger why`: what was decided, and what a message's way stood on. */
import { isId } from '../../../shared/ids.ts';
import type { LedgerEntry, Why } from '../client/types.ts';
import type { Context } from '../context.ts';
import { parseLength } from '../durations.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent, findMessage, findSession } from '../find.ts';
import { oneLine } from '../output/text.ts';
import { formatZoned } from '../output/units.ts';
import { type ListOptions, printPage } from './page.ts';

interface LedgerOptions extends ListOptions {
  kind?: string;
  agent?: string;
  session?: string;
  actor?: string;
  about?: string;
  since?: string;
  until?: string;
  search?: string;
}

export async function listLedger(context: Context, options: LedgerOptions): Promise<void> {
  const { api, terminal } = context;
  const now = terminal.now();
  const { kind, actor, about, search } = options;
  const query = {
    ...{ kind, actor, subject: about, q: search },
    agent: options.agent === undefined ? undefined : (await findAgent(api, options.agent)).id,
    session: options.session === undefined ? undefined : (await findSession(api, options.session)).id,
    since: readTime('--since', options.since, now),
    until: readTime('--until', options.until, now),
  };
  const page = await api.listLedger(query, options.limit);
  printPage<LedgerEntry>(
    context,
    page,
    [
      { title: '#', value: ({ position }) => String(position), align: 'right' },
      { title: `WHEN (${zone()})`, value: ({ at }) => formatZoned(at, zone()) },
      { title: 'KIND', value: (entry) => entry.kind },
      { title: 'WHAT', value: (entry) => entry.words, minColumns: 20 },
    ],
    'The ledger has no such entry.',
  );
}

export async function showWhy(context: Context, text: string): Promise<void> {
  const { api } = context;
  // A request is no message of a chat: it is named by its whole id.
  const id = isId('message', text) ? text : (await findMessage(api, text)).id;
  const why = await api.readWhy(id);
  if (context.json) context.printJson(why);
  else printWhy(context, why);
}

function printWhy({ style, print, typeable }: Context, why: Why): void {
  print(`${style.bold(why.id)}${why.state === null ? '' : `  ${style.dim(why.state)}`}`);
  print(oneLine(why.answer));
  if (why.steps.length > 0) print(style.dim(`\nTimes in ${zone()}; # is the place in the ledger`));
  for (const { position, at, text, sort } of why.steps) {
    const line = `${formatZoned(at, zone())}  #${position}  ${oneLine(text)}`;
    print(sort === 'decision' ? `${style.green('●')} ${line}` : `${style.dim('○')} ${line}`);
  }
  if (why.unknown.length > 0) print('');
  for (const gap of why.unknown) print(`${style.yellow('?')} ${oneLine(gap)}`);
  if (why.next.length > 0) print('\nTo change it, type:');
  for (const command of why.next) print(`  ${typeable(oneLine(command))}`);
}

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Epoch ms: so long ago, a day, or a day and a time in the zone of the terminal. */
function readTime(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseLength(text);
  if (ago !== null) return Math.max(0, Math.floor(now - ago));
  const isDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$/.test(text);
  // A day alone would be read as one of UTC.
  const at = isDate ? new Date(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T')).getTime() : Number.NaN;
  if (Number.isFinite(at) && at >= 0) return at;
  throw new CliError(EXIT.usage, 'bad_time', `${option} "${oneLine(text)}" is no time.`, {
    expected: '90m, 2h, 7d, 2026-11-21 or 2026-11-21T14:00',
  });
}
