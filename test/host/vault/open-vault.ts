/** A vault on a real home and a real central database. */
import { join } from 'node:path';
import { type HomePaths, prepareHome, projectRoot } from '../../../host/config/home.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { SecretStore } from '../../../host/store/secrets.ts';
import type { VaultKey } from '../../../host/vault/cipher.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { Vault } from '../../../host/vault/vault.ts';

export interface OpenedVault extends Disposable {
  vault: Vault;
  secrets: SecretStore;
  ledger: Ledger;
  clock: { now: number };
}

export function openVault(home: string | HomePaths, environment: readonly VaultKey[] = []): OpenedVault {
  const paths = typeof home === 'string' ? prepareHome(home) : home;
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  const secrets = new SecretStore(db);
  const ledger = new Ledger(db);
  const clock = { now: 1_800_000_000_000 };
  const commit = <T>(work: () => T): T => db.transaction(work)();
  const vault = new Vault({ secrets, ledger, commit, paths, environment, now: () => clock.now });
  vault.open();
  return {
    ...{ vault, secrets, ledger, clock },
    [Symbol.dispose]() {
      vault[Symbol.dispose]();
      db.close();
    },
  };
}

export const PASSPHRASE = 'five words of a passphrase';

export function secret(text: string): SecretValue {
  return SecretValue.ofText(text);
}

/** What the vault gives out for a name; null when it does not. */
export function revealed(vault: Vault, name: string): string | null {
  const outcome = vault.reveal(name);
  return outcome.kind === 'open' ? outcome.value.reveal() : null;
}
