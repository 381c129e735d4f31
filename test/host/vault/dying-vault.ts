/** A process of its own that changes the vault of a home, and is killed at a failpoint: `<home> <what> <failpoint>`. */
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { openVault, PASSPHRASE, secret } from './open-vault.ts';

async function change(home: string, what: string, at: string): Promise<void> {
  const { vault } = openVault(home);
  const passphrase = SecretValue.ofPassphrase(PASSPHRASE);
  if (vault.state.kind === 'locked') await vault.unlock(passphrase, 'web:owner');
  installFailpointHook((name) => {
    if (name === at) process.kill(process.pid, 'SIGKILL');
  });
  const changes: Record<string, () => Promise<unknown>> = {
    set: async () => vault.set('github', secret('key-of-github'), 'web:owner'),
    rotate: () => vault.rotateKey(passphrase, 'web:owner'),
    close: () => vault.setPassphrase(passphrase, 'web:owner'),
    unclose: () => vault.removePassphrase('web:owner'),
  };
  console.log(JSON.stringify(await changes[what]?.()));
}

const [home, what, at] = process.argv.slice(2);
if (home !== undefined && what !== undefined && at !== undefined) await change(home, what, at);
