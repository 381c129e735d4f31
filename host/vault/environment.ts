/** What the environment says of the vault: a key, or where the passphrase is. */
import { Fault } from '../config/errors.ts';
import { vaultLog } from '../observe/logger.ts';
import { parseKey, type VaultKey } from './cipher.ts';
import { readPassphrase } from './passphrase-file.ts';
import { SecretValue } from './secret-value.ts';
import type { Vault } from './vault.ts';

export interface VaultEnvironment {
  /** The key of now, then the one before it; empty: keys lie in the home. */
  keys: readonly VaultKey[];
  /** A file with the passphrase. */
  passphraseFile: string | null;
}

export const NO_VAULT_ENVIRONMENT: VaultEnvironment = { keys: [], passphraseFile: null };

/** Takes the key out of `environment`. Throws Fault `bad_setting`, without the value. */
export function takeVaultEnvironment(environment: NodeJS.ProcessEnv): VaultEnvironment {
  const text = environment.PORTOLAN_VAULT_KEY;
  delete environment.PORTOLAN_VAULT_KEY;
  const passphraseFile = environment.PORTOLAN_VAULT_PASSPHRASE_FILE ?? null;
  if (text === undefined) return { keys: [], passphraseFile };
  const keys = text.split(',').map(parseKey);
  if (keys.length > 2 || keys.includes(null)) {
    throw new Fault('bad_setting', 'PORTOLAN_VAULT_KEY is no key: expected 32 bytes in base64 or hex', {
      hint: 'make one with `head -c 32 /dev/urandom | base64`; to change a key, set <new>,<old>',
    });
  }
  return { keys: keys.filter((key) => key !== null), passphraseFile };
}

/** Opens a locked vault; one that stays locked says why in the log, and the host goes on. */
export async function unlockFromFile(vault: Vault, path: string | null): Promise<void> {
  if (path === null || vault.state.kind !== 'locked') return;
  const file = readPassphrase(path);
  if (file.kind === 'refused') {
    vaultLog.error({ why: file.why, next: file.next }, 'the passphrase of the vault cannot be read');
    return;
  }
  const passphrase = SecretValue.ofPassphrase(file.text);
  const outcome = await vault.unlock(passphrase, null);
  passphrase.destroy();
  if (outcome.kind === 'refused') vaultLog.error({ why: outcome.why }, 'the passphrase of the vault does not open it');
}
