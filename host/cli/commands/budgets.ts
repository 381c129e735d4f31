/** `portolan budget`: hard caps of what models may cost, and what was used of each. */
import { formatUsd, formatUsdExactly, parseUsd } from '../../../shared/money.ts';
import type { Budget, BudgetKey } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import { oneLine } from '../output/text.ts';
import { formatAge } from '../output/units.ts';
import { printTable } from './page.ts';
import { findPerson } from './people.ts';

/** Of a bar. */
const BAR_COLUMNS = 10;

export async function listBudgets(context: Context): Promise<void> {
  const { api, style, terminal } = context;
  const { items } = await api.listBudgets();
  if (context.json) return context.printJson({ items });
  const now = terminal.now();
  printTable<Budget>(
    context,
    { items, nextCursor: null },
    [
      { title: 'OF', value: ({ name }) => name, minColumns: 8 },
      { title: 'CAP', value: describeCap },
      { title: 'USED', value: ({ spent, unit }) => describeAmount(spent, unit), align: 'right' },
      { title: '', value: drawShare, paint: (budget) => (isReached(budget) ? style.red : style.green) },
      { title: 'STARTS ANEW', value: ({ resetsAt }) => formatAge(resetsAt, now) },
    ],
    `There is no budget: agents may use as much as their services let them. Set one: ${context.typeable('portolan budget set main --day 5')}`,
  );
}

export interface WhoseOptions {
  host?: boolean;
  person?: string;
  tokens?: boolean;
}

/** Throws CliError `bad_budget`, `agent_not_found`, `person_not_found`, `ambiguous`, and the API's `not_allowed`. */
export async function setBudgets(
  context: Context,
  agentName: string | undefined,
  options: WhoseOptions & { day?: string; month?: string },
): Promise<void> {
  const unit = options.tokens === true ? 'tokens' : 'usd';
  const amounts = (['day', 'month'] as const).flatMap((period) => {
    const text = options[period];
    return text === undefined ? [] : [{ period, unit, amount: readAmount(text, unit) } as const];
  });
  if (amounts.length === 0) throw badBudget('It says no amount.', 'portolan budget set main --day 5');
  const whose = await findWhose(context, agentName, options);
  const { items } = await context.api.listBudgets();
  const made: Budget[] = [];
  for (const amount of amounts) {
    const key = { ...whose, ...amount };
    const known = items.find((one) => isSame(one, key));
    made.push(await context.api.setBudget(key, known?.revision ?? null));
  }
  if (context.json) return context.printJson({ items: made });
  for (const budget of made) {
    const { style } = context;
    const used = describeAmount(budget.spent, budget.unit);
    context.print(`${style.green('✓')} ${oneLine(budget.name)} may use ${describeCap(budget)}, used so far: ${used}.`);
    if (isReached(budget)) context.print(style.yellow('  It is used up already: calls of models are refused.'));
  }
}

/** Throws CliError `bad_budget`, `no_budget`, and those of `setBudgets`. */
export async function removeBudgets(
  context: Context,
  agentName: string | undefined,
  options: WhoseOptions & { day?: boolean; month?: boolean },
): Promise<void> {
  const { api, style } = context;
  const { day = false, month = false, tokens = false } = options;
  const whose = await findWhose(context, agentName, options);
  const found = (await api.listBudgets()).items.filter(
    (one) =>
      one.scope === whose.scope &&
      one.subject === whose.subject &&
      (!(day || month) || (one.period === 'day' ? day : month)) &&
      (!tokens || one.unit === 'tokens'),
  );
  if (found.length === 0) {
    throw new CliError(EXIT.notFound, 'no_budget', 'There is no such budget.', { next: 'portolan budget list' });
  }
  for (const budget of found) await api.removeBudget(budget);
  if (context.json) return context.printJson({ items: found });
  for (const budget of found) {
    context.print(`${style.green('✓')} ${oneLine(budget.name)} has no cap of ${describeCap(budget)} any more.`);
  }
}

function isSame(one: BudgetKey, other: BudgetKey): boolean {
  const { scope, subject, period, unit } = other;
  return one.scope === scope && one.subject === subject && one.period === period && one.unit === unit;
}

async function findWhose(
  context: Context,
  agentName: string | undefined,
  { host = false, person }: WhoseOptions,
): Promise<Pick<BudgetKey, 'scope' | 'subject'>> {
  const named = [agentName !== undefined, host, person !== undefined].filter(Boolean).length;
  if (named !== 1) {
    const words = named === 0 ? 'It does not say of whom.' : 'It names more than one.';
    throw badBudget(words, 'portolan budget list', 'an agent, or --host, or --person <person>');
  }
  if (person !== undefined) return { scope: 'person', subject: (await findPerson(context, person)).id };
  if (agentName === undefined) return { scope: 'host', subject: '' };
  return { scope: 'agent', subject: (await findAgent(context.api, agentName)).id };
}

function readAmount(text: string, unit: Budget['unit']): number {
  const amount = unit === 'usd' ? parseUsd(text) : parseTokens(text);
  if (amount !== null) return amount;
  const expected = unit === 'usd' ? 'dollars: 5, 0.50' : 'a whole number of tokens: 500000, 500k, 2M';
  throw badBudget(`“${oneLine(text)}” is no amount.`, 'portolan budget set main --day 5', expected);
}

/** "500k", "2M"; null when it is no number of tokens. */
function parseTokens(text: string): number | null {
  const match = /^(\d{1,12})(k|M)?$/.exec(text.trim());
  if (match === null) return null;
  return Number(match[1]) * { '': 1, k: 1_000, M: 1_000_000 }[(match[2] ?? '') as '' | 'k' | 'M'];
}

function badBudget(message: string, next: string, expected = 'an amount: --day 5, --month 50'): CliError {
  return new CliError(EXIT.usage, 'bad_budget', message, { expected, next });
}

function describeCap({ amount, unit, period }: Pick<Budget, 'amount' | 'unit' | 'period'>): string {
  const much = unit === 'usd' ? formatUsdExactly(amount) : describeAmount(amount, unit);
  return `${much} a ${period}`;
}

function describeAmount(amount: number, unit: Budget['unit']): string {
  return unit === 'usd' ? formatUsd(amount) : `${amount.toLocaleString('en-US')} tokens`;
}

function isReached({ spent, amount }: Budget): boolean {
  return spent >= amount;
}

function drawShare({ spent, amount }: Budget): string {
  const share = amount === 0 ? 1 : Math.min(1, spent / amount);
  const full = Math.floor(share * BAR_COLUMNS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_COLUMNS - full)} ${Math.floor(share * 100)} %`;
}
