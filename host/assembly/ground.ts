/** What every part stands on: the locked home, the stores, secrets and the services they are for, and what is built later. */
import { epochMs } from '../../shared/ids.ts';
import type { Closers } from '../closers.ts';
import { prepareHome, projectRoot } from '../config/home.ts';
import { lockHome } from '../config/lock.ts';
import type { Policy } from '../config/policy.ts';
import { Services } from '../egress/services.ts';
import { ensureFirstRun } from '../first-run.ts';
import { Metrics } from '../observe/metrics.ts';
import { NO_VAULT_ENVIRONMENT, type VaultEnvironment } from '../vault/environment.ts';
import { Vault } from '../vault/vault.ts';
import { Later } from './later.ts';
import { openStores } from './stores.ts';

export type Ground = ReturnType<typeof layGround>;

/** Throws Fault `home_unusable`, `home_in_use`, `database_newer`, `database_unusable`. */
export function layGround(policy: Policy, closers: Closers, vaultEnvironment: VaultEnvironment = NO_VAULT_ENVIRONMENT) {
  const now = () => epochMs();
  const startedAt = now();
  const paths = prepareHome(policy.home);
  closers.use(lockHome(paths.lock));
  const stores = openStores(paths, closers);
  const firstRun = ensureFirstRun(stores, now());
  const installId = stores.settings.installId();
  const vault = closers.use(new Vault({ ...stores, paths, environment: vaultEnvironment.keys, now }));
  vault.open();
  const metrics = new Metrics();
  return {
    policy,
    closers,
    paths,
    /** The folder of this program. */
    root: projectRoot(),
    stores,
    vault,
    services: new Services({ ...stores, now }),
    later: new Later(),
    installId,
    metrics,
    firstRun,
    startedAt,
    now,
  };
}
