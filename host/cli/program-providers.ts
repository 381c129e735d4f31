/** The commands about what agents think with. */
import type { Add } from './add.ts';

export function addProviderCommands(add: Add): void {
  add(
    'provider list',
    'what agents may think with, what yours do, and whether there is a key',
    ['provider', 'provider list --json'],
    () => async (context) => (await import('./commands/providers.ts')).listProviders(context),
    true,
  );
  add(
    'provider set <agent> <provider>',
    'have an agent think with demo, claude or openai; what is not named is the provider’s own',
    [
      'provider set main claude',
      'provider set main claude --model opus --effort high',
      'provider set main openai --service ollama --model llama3.2',
      'provider set main demo',
    ],
    (command) =>
      async (context, agent = '', provider = '') =>
        (await import('./commands/provider-set.ts')).setProvider(context, agent, provider, command.opts()),
  )
    .option('--model <model>', 'which of its models')
    .option('--service <service>', 'through which service: see portolan services list')
    .option('--effort <effort>', 'how hard it thinks: low, medium, high, max')
    .option('--yes', 'do not ask');
  add(
    'provider test <agent>',
    'one real call to its model through the whole path, and what is wrong in plain words; costs a few tokens',
    ['provider test main', 'provider test main --json'],
    () =>
      async (context, agent = '') =>
        (await import('./commands/provider-test.ts')).testProvider(context, agent),
  );
}
