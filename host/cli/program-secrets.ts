/** The commands about secrets, the vault that seals them, and the services that get them. */
import type { Add } from './add.ts';

export function addSecretCommands(add: Add): void {
  add(
    'secrets list',
    'their names, which services get them, and who uses them; never a value',
    ['secrets', 'secrets list --json'],
    () => async (context) => (await import('./commands/secrets.ts')).listSecrets(context),
    true,
  );
  add(
    'secrets set <name>',
    'set a secret, or give it a new value: typed without echo, or on stdin',
    ['secrets set anthropic', 'secrets set github < token.txt'],
    () =>
      async (context, ...words) =>
        (await import('./commands/secrets.ts')).setSecret(context, words),
  )
    // What stands behind the name is refused by the command itself, which does not repeat it.
    .allowExcessArguments()
    .allowUnknownOption();
  add(
    'secrets remove <name>',
    'remove a secret; says what stops working',
    ['secrets remove anthropic'],
    (command) =>
      async (context, name = '') =>
        (await import('./commands/secrets.ts')).removeSecret(context, name, command.opts()),
  ).option('--yes', 'do not ask');
  add(
    'secrets assign <name>',
    'which service gets a secret: for all agents, or for one',
    ['secrets assign team-key --service anthropic', 'secrets assign annas-key --service anthropic --agent anna'],
    (command) =>
      async (context, name = '') =>
        (await import('./commands/secrets.ts')).assignSecret(context, name, command.opts()),
  )
    .option('--service <service>', 'a name of `portolan services`')
    .option('--agent <agent>', 'for this agent alone');
  add(
    'secrets unassign <service>',
    'a service gets its secret no more; the secret is kept',
    ['secrets unassign github', 'secrets unassign anthropic --agent anna'],
    (command) =>
      async (context, service = '') =>
        (await import('./commands/secrets.ts')).unassignSecret(context, service, command.opts()),
  ).option('--agent <agent>', 'of this agent alone');
  addVaultCommands(add);
  addServiceCommands(add);
}

function addVaultCommands(add: Add): void {
  add(
    'secrets unlock',
    'open the vault: with its passphrase (PORTOLAN_VAULT_PASSPHRASE_FILE names a file with it), or after its key was mended',
    ['secrets unlock'],
    () => async (context) => (await import('./commands/vault.ts')).unlockVault(context),
  );
  add(
    'secrets lock',
    'close the vault until its passphrase is given again; agents that think with its secrets wait',
    ['secrets lock'],
    () => async (context) => (await import('./commands/vault.ts')).lockVault(context),
  );
  add(
    'secrets passphrase',
    'close the vault with a passphrase, which is then asked for after each start; or take it off',
    ['secrets passphrase', 'secrets passphrase --remove'],
    (command) => async (context) => (await import('./commands/vault.ts')).setPassphrase(context, command.opts()),
  )
    .option('--remove', 'back to a key in a file, which opens by itself')
    .option('--yes', 'do not ask');
  add(
    'secrets rotate-key',
    'seal every secret with a new key',
    ['secrets rotate-key'],
    () => async (context) => (await import('./commands/vault.ts')).rotateKey(context),
  );
}

function addServiceCommands(add: Add): void {
  add(
    'services list',
    'places outside to which a secret is added, and those that models are reached through',
    ['services', 'services list --json'],
    () => async (context) => (await import('./commands/services.ts')).listServices(context),
    true,
  );
  add(
    'services add <name>',
    'a service of your own; to change one, remove it and add it again',
    [
      'services add ollama --url http://127.0.0.1:11434/v1 --api openai --private',
      'services add tracker --url https://tracker.example.com/api --header "X-Api-Key: {}"',
    ],
    (command) =>
      async (context, name = '') =>
        (await import('./commands/services.ts')).addService(context, name, command.opts()),
  )
    .option('--url <address>', 'where it is, with its path')
    .option('--api <api>', 'the model API that it speaks: anthropic or openai')
    .option('--header <header>', '"Name: value" with {} where the secret goes; none for none')
    .option('--private', 'it is on this machine or network');
  add(
    'services remove <name>',
    'remove a service of your own; refused while an agent uses it',
    ['services remove ollama'],
    (command) =>
      async (context, name = '') =>
        (await import('./commands/services.ts')).removeService(context, name, command.opts()),
  ).option('--yes', 'do not ask');
}
