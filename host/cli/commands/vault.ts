/** `portolan secrets unlock|lock|passphrase|rotate-key`: the key that the secrets are sealed with. */
import { readPassphrase } from '../../vault/passphrase-file.ts';
import type { Vault } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { readSecretly } from '../prompt-secret.ts';

/** Throws CliError `wrong_passphrase`, `slow_down`, `vault_unusable`. */
export async function unlockVault(context: Context): Promise<void> {
  // Whatever was wrong with its files may be mended: they are looked at again first.
  const before = await context.api.unlockVault(undefined);
  const vault = before.state === 'locked' ? await context.api.unlockVault(await givePassphrase(context)) : before;
  if (vault.state === 'unusable') {
    throw new CliError(EXIT.refused, 'vault_unusable', `${oneLine(vault.why ?? 'The vault cannot be opened')}.`, {
      next: vault.next ?? undefined,
    });
  }
  if (context.json) return context.printJson(vault);
  const said = vault.state === 'empty' ? 'The vault is empty: there is nothing to open.' : describeOpen(vault);
  context.print(`${context.style.green('✓')} ${said}`);
}

function describeOpen({ keyId }: Vault): string {
  return `The vault is open (key ${keyId}). Agents get their secrets from the next request on.`;
}

/** Throws CliError `no_passphrase`, `no_key`, `key_not_kept`, `key_of_environment`, `vault_unusable`. */
export async function lockVault(context: Context): Promise<void> {
  const vault = await context.api.lockVault();
  if (context.json) return context.printJson(vault);
  context.print(
    `${context.style.green('✓')} The vault is locked: nothing that agents ask for from now on gets a secret.`,
  );
  context.print('  Agents that think with its secrets wait with their messages. To open it again, type:');
  context.print(`  ${context.typeable('portolan secrets unlock')}`);
}

/** Of PORTOLAN_VAULT_PASSPHRASE_FILE, else of the person. */
async function givePassphrase(context: Context): Promise<string> {
  const path = context.terminal.env.PORTOLAN_VAULT_PASSPHRASE_FILE;
  if (path === undefined) return readSecretly(context, 'The passphrase of the vault (it is not shown):');
  const file = readPassphrase(path);
  if (file.kind === 'refused') {
    throw new CliError(EXIT.failed, 'passphrase_file', `The passphrase cannot be read: ${file.why}.`, {
      next: file.next,
    });
  }
  return file.text;
}

/** Throws CliError `not_same`, `bad_passphrase`, `vault_locked`, `key_of_environment`. */
export async function setPassphrase(
  context: Context,
  { remove, yes }: { remove?: boolean; yes?: boolean },
): Promise<void> {
  if (remove === true) return removePassphrase(context, yes);
  const first = await readSecretly(context, 'A passphrase for the vault (it is not shown):');
  if (context.terminal.isStdinInteractive) {
    const second = await readSecretly(context, 'The same once more:');
    if (first !== second) {
      throw new CliError(EXIT.usage, 'not_same', 'That was not the same. Nothing was changed.', {
        next: 'portolan secrets passphrase',
      });
    }
  }
  const vault = await context.api.setPassphrase(first);
  if (context.json) return context.printJson(vault);
  context.print(
    `${context.style.green('✓')} The key of the vault is closed with the passphrase, and lies nowhere else.`,
  );
  context.print('  Without it the secrets are lost. This host goes on; after each start of it, type:');
  context.print(`  ${context.typeable('portolan secrets unlock')}`);
}

async function removePassphrase(context: Context, yes: boolean | undefined): Promise<void> {
  await confirm(context, {
    question: 'Whoever reads the files of this home can then open the secrets. Take the passphrase off?',
    yes,
    command: 'portolan secrets passphrase --remove --yes',
    unattended: 'refuse',
  });
  const vault = await context.api.removePassphrase();
  if (context.json) return context.printJson(vault);
  context.print(`${context.style.green('✓')} The vault opens by itself again, with a key that lies in the home.`);
}

/** Throws CliError `no_key`, `wrong_passphrase`, `key_of_environment`, `secret_damaged`. */
export async function rotateKey(context: Context): Promise<void> {
  const { source } = await context.api.readVault();
  const passphrase = source === 'passphrase' ? await givePassphrase(context) : undefined;
  const vault = await context.api.rotateVaultKey(passphrase);
  if (context.json) return context.printJson(vault);
  context.print(`${context.style.green('✓')} Every secret is sealed with a new key (${vault.keyId}).`);
  context.print('  A backup from before opens with the old key alone: keep the two together, or make a new backup.');
}
