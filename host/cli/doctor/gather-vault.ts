/** What the doctor sees of the vault: what the host says of it, or what lies in the home of one that does not run. */

import { errorCode } from '../../config/errors.ts';
import type { HomePaths } from '../../config/home.ts';
import type { VaultKey } from '../../vault/cipher.ts';
import type { Vault } from '../client/types.ts';
import type { DatabaseFact, VaultFact } from './facts.ts';

/** `said`: by the host; null when it does not run. */
export async function gatherVault(
  paths: HomePaths,
  env: Readonly<Record<string, string | undefined>>,
  database: DatabaseFact,
  said: Vault | null,
): Promise<VaultFact> {
  if (said !== null) return { kind: 'said', vault: said };
  if (database.kind !== 'version' || database.version !== database.known) return { kind: 'unknown' };
  // Loaded here: most commands need none of it.
  const { readSecretKeys } = await import('../../store/read-secret-keys.ts');
  const { readKeyFacts } = await import('../../vault/key-facts.ts');
  const { parseKey } = await import('../../vault/cipher.ts');
  const { planKey } = await import('../../vault/plan-key.ts');
  let sealedWith: string[];
  try {
    sealedWith = await readSecretKeys(paths.centralDb);
  } catch (error) {
    // The finding of the database says it.
    if (!errorCode(error).startsWith('SQLITE_')) throw error;
    return { kind: 'unknown' };
  }
  const keys = (env.PORTOLAN_VAULT_KEY ?? '').split(',').map(parseKey);
  const environment = keys.filter((key): key is VaultKey => key !== null);
  const facts = readKeyFacts(paths, environment, sealedWith);
  const hasNoFile = facts.key.now.kind === 'absent' && facts.lock.now.kind === 'absent';
  return { kind: 'found', plan: planKey(facts), mayBeElsewhere: hasNoFile && environment.length === 0 };
}
