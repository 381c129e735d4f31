/** The commands about what models cost: sums, budgets, prices. */
import { Option } from 'commander';
import { type Add, parseCount } from './add.ts';

export function addUsageCommands(add: Add): void {
  add(
    'usage',
    'what models were asked and cost; days are those of UTC',
    ['usage', 'usage --by agent --days 7', 'usage --agent main --by model', 'usage --session 9z1c4k --json'],
    (command) => async (context) => (await import('./commands/usage.ts')).showUsage(context, command.opts()),
  )
    .option('--agent <agent>', 'of this agent alone')
    .option('--session <session>', 'of this conversation alone; single calls are kept for 90 days')
    .option('--person <person>', 'on behalf of this person alone, by any of their identities')
    .addOption(new Option('--days <n>', 'so many days, today among them').default(30).argParser(parseCount(1, 3_660)))
    .addOption(
      new Option('--by <what>', 'one line for each')
        .choices(['day', 'agent', 'model', 'person', 'session'])
        .default('day'),
    );
  addBudgets(add);
  addPrices(add);
}

function addBudgets(add: Add): void {
  add(
    'budget list',
    'hard caps of what models may cost, and what was used of each',
    ['budget', 'budget list --json'],
    () => async (context) => (await import('./commands/budgets.ts')).listBudgets(context),
    true,
  );
  add(
    'budget set [agent]',
    'cap what an agent, a person or all of this host may use: a call past it is refused, and at 80 % you are asked',
    [
      'budget set main --day 5',
      'budget set main --day 5 --month 50',
      'budget set --host --month 200',
      'budget set --person telegram:123 --day 2M --tokens',
    ],
    (command) => async (context, agent) =>
      (await import('./commands/budgets.ts')).setBudgets(context, agent, command.opts()),
  )
    .option('--host', 'of all agents together')
    .option('--person <person>', 'of a person, with all agents')
    .option('--day <amount>', 'dollars a day, or tokens with --tokens: 5, 0.50, 2M')
    .option('--month <amount>', 'the same a month')
    .option('--tokens', 'amounts are tokens of all sorts, not dollars');
  add(
    'budget remove [agent]',
    'take a cap away; without --day and --month all of them',
    ['budget remove main --day', 'budget remove --host', 'budget remove --person telegram:123'],
    (command) => async (context, agent) =>
      (await import('./commands/budgets.ts')).removeBudgets(context, agent, command.opts()),
  )
    .option('--host', 'of all agents together')
    .option('--person <person>', 'of a person')
    .option('--day', 'those of a day alone')
    .option('--month', 'those of a month alone')
    .option('--tokens', 'those in tokens alone');
}

function addPrices(add: Add): void {
  add(
    'price list',
    'what models cost, in dollars per million tokens: what was set, then the list prices that this version knows',
    ['price', 'price list --json'],
    () => async (context) => (await import('./commands/prices.ts')).listPrices(context),
    true,
  );
  add(
    'price set <service> <model>',
    'say what a model costs, in dollars per million tokens',
    [
      'price set openrouter qwen/qwen3-coder --input 0.22 --output 0.95',
      'price set anthropic claude-x --input 3 --output 15 --cache-read 0.30 --cache-write 3.75',
    ],
    (command) =>
      async (context, service = '', model = '') =>
        (await import('./commands/prices.ts')).setPrice(context, service, model, command.opts()),
  )
    .requiredOption('--input <dollars>', 'what a million tokens read cost')
    .requiredOption('--output <dollars>', 'what a million tokens written cost')
    .option('--cache-read <dollars>', 'what a million tokens read from the cache cost; as --input without it')
    .option('--cache-write <dollars>', 'what a million tokens written to the cache cost; as --input without it');
  add(
    'price remove <service> <model>',
    'forget a price that was set; the list price holds again, where there is one',
    ['price remove openrouter qwen/qwen3-coder'],
    () =>
      async (context, service = '', model = '') =>
        (await import('./commands/prices.ts')).removePrice(context, service, model),
  );
}
