/** `portolan usage`: what models were asked and cost, in lines and a sum. */
import { formatUsd } from '../../../shared/money.ts';
import type { UsageReport, UsageRow, UsageSum } from '../client/types.ts';
import type { Context } from '../context.ts';
import { findAgent, findSession } from '../find.ts';
import { oneLine } from '../output/text.ts';
import { printTable } from './page.ts';
import { findPerson } from './people.ts';

export interface UsageOptions {
  agent?: string;
  session?: string;
  person?: string;
  days: number;
  by: UsageReport['by'];
}

/** Throws CliError `agent_not_found`, `session_not_found`, `person_not_found`, `ambiguous`. */
export async function showUsage(context: Context, options: UsageOptions): Promise<void> {
  const { api, style } = context;
  const { agent, session, person, days, by } = options;
  const report = await api.readUsage({
    agent: agent === undefined ? undefined : (await findAgent(api, agent)).id,
    session: session === undefined ? undefined : (await findSession(api, session)).id,
    person: person === undefined ? undefined : (await findPerson(context, person)).id,
    ...{ days, by },
  });
  if (context.json) return context.printJson(report);
  if (report.items.length === 0) {
    context.print(`No model calls yet, from ${report.firstDay} to ${report.lastDay} (UTC).`);
    return;
  }
  const sum: UsageRow = { ...report.sum, key: 'sum', name: 'all' };
  printTable(
    context,
    { items: [...report.items, sum], nextCursor: null },
    [
      { title: by.toUpperCase(), value: nameRow, paint: (row) => (row === sum ? style.bold : plain), minColumns: 10 },
      ...SUM_COLUMNS,
    ],
    '',
  );
  if (report.sum.unpricedCalls > 0) {
    const command = context.typeable('portolan price set <service> <model> --input 3 --output 15');
    context.print(style.dim(`*: calls of models without a price are not in it. Set one: ${command}`));
  }
}

const SUM_COLUMNS = [
  { title: 'CALLS', value: ({ calls }: UsageSum) => count(calls), align: 'right' as const },
  { title: 'IN', value: ({ inputTokens }: UsageSum) => count(inputTokens), align: 'right' as const },
  {
    title: 'CACHED',
    value: ({ cacheReadTokens, cacheWriteTokens }: UsageSum) => count(cacheReadTokens + cacheWriteTokens),
    align: 'right' as const,
  },
  { title: 'OUT', value: ({ outputTokens }: UsageSum) => count(outputTokens), align: 'right' as const },
  {
    title: 'COST',
    value: ({ costNanousd, unpricedCalls }: UsageSum) => `${formatUsd(costNanousd)}${unpricedCalls > 0 ? '*' : ''}`,
    align: 'right' as const,
  },
];

function nameRow({ name }: UsageRow): string {
  return oneLine(name === '' ? 'nobody known' : name);
}

function count(tokens: number): string {
  return tokens.toLocaleString('en-US');
}

const plain = (text: string) => text;
