/** The vault: its key and its passphrase. */
import type { Requests } from '../requests.ts';
import type { Vault } from '../types.ts';

export function vaultCalls(requests: Requests) {
  return {
    readVault(): Promise<Vault> {
      return requests.get('/vault');
    },

    /** Without a passphrase the host looks at the vault's files again. */
    unlockVault(passphrase: string | undefined): Promise<Vault> {
      return requests.post('/vault/unlock', passphrase === undefined ? {} : { passphrase });
    },

    lockVault(): Promise<Vault> {
      return requests.post('/vault/lock', null);
    },

    setPassphrase(passphrase: string): Promise<Vault> {
      return requests.put('/vault/passphrase', null, { passphrase });
    },

    removePassphrase(): Promise<Vault> {
      return requests.delete('/vault/passphrase');
    },

    rotateVaultKey(passphrase: string | undefined): Promise<Vault> {
      return requests.post('/vault/rotate-key', passphrase === undefined ? {} : { passphrase });
    },
  };
}
