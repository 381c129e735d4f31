/** `portolan price`: what models cost, in dollars per million tokens. */
import { formatUsdExactly, parseUsd } from '../../../shared/money.ts';
import type { ModelPrice } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { printTable } from './page.ts';

const MILLION = 1_000_000;

export async function listPrices(context: Context): Promise<void> {
  const { style } = context;
  const list = await context.api.listPrices();
  if (context.json) return context.printJson(list);
  const own = new Set(list.items.filter(({ isOwn }) => isOwn).map(({ service, model }) => `${service}/${model}`));
  const items = list.items.filter(({ isOwn, service, model }) => isOwn || !own.has(`${service}/${model}`));
  printTable<ModelPrice>(
    context,
    { items, nextCursor: null },
    [
      { title: 'SERVICE', value: ({ service }) => service, minColumns: 8 },
      { title: 'MODEL', value: ({ model }) => model, paint: () => style.bold },
      { title: 'IN', value: ({ input }) => perMillion(input), align: 'right' },
      { title: 'OUT', value: ({ output }) => perMillion(output), align: 'right' },
      { title: 'CACHED', value: ({ cacheRead }) => perMillion(cacheRead), align: 'right' },
      { title: 'TO CACHE', value: ({ cacheWrite }) => perMillion(cacheWrite), align: 'right' },
      { title: '', value: describeSource, minColumns: 4 },
    ],
    '',
  );
  context.print(
    style.dim(`Dollars per million tokens. List prices as of ${list.asOf}; what you set comes before them.`),
  );
}

export interface PriceOptions {
  input: string;
  output: string;
  cacheRead?: string;
  cacheWrite?: string;
}

/** Throws CliError `bad_price`, and the API's `not_allowed`. */
export async function setPrice(context: Context, service: string, model: string, options: PriceOptions): Promise<void> {
  const input = readPrice(options.input);
  const wanted = {
    ...{ service, model, input, output: readPrice(options.output) },
    cacheRead: options.cacheRead === undefined ? input : readPrice(options.cacheRead),
    cacheWrite: options.cacheWrite === undefined ? input : readPrice(options.cacheWrite),
  };
  const price = await context.api.setPrice(wanted, await findRevision(context, service, model));
  if (context.json) return context.printJson(price);
  const cache = `from the cache ${perMillion(price.cacheRead)}, into it ${perMillion(price.cacheWrite)}`;
  const words = `${perMillion(price.input)} in, ${perMillion(price.output)} out, ${cache}`;
  context.print(
    `${context.style.green('✓')} ${oneLine(service)} ${oneLine(model)} costs, per million tokens: ${words}.`,
  );
}

/** Throws the API's `not_found`, `not_allowed`. */
export async function removePrice(context: Context, service: string, model: string): Promise<void> {
  await context.api.removePrice(service, model, (await findRevision(context, service, model)) ?? undefined);
  if (context.json) return context.printJson({ service, model });
  context.print(
    `${context.style.green('✓')} The price that was set for ${oneLine(service)} ${oneLine(model)} is gone.`,
  );
}

/** Of the price that was set here; null: there is none. */
async function findRevision({ api }: Context, service: string, model: string): Promise<number | null> {
  const { items } = await api.listPrices();
  return items.find((one) => one.isOwn && one.service === service && one.model === model)?.revision ?? null;
}

/** Nano-dollars per token. */
function readPrice(text: string): number {
  const nanousd = parseUsd(text);
  if (nanousd !== null && nanousd % MILLION === 0) return nanousd / MILLION;
  throw new CliError(EXIT.usage, 'bad_price', `“${oneLine(text)}” is no price.`, {
    expected: 'dollars per million tokens, with at most three decimals: 3, 0.25, 0.075',
    next: 'portolan price set anthropic claude-x --input 3 --output 15',
  });
}

function perMillion(nanousd: number): string {
  return formatUsdExactly(nanousd * MILLION);
}

function describeSource({ isOwn, long }: ModelPrice): string {
  if (isOwn) return 'set here';
  return long === null ? '' : `${perMillion(long.input)} and ${perMillion(long.output)} above ${long.above / 1_000}k`;
}
