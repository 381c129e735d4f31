/**
 * A model service as an owner sets one up: with its key in the vault, a price, and budgets that have room. Each of
 * them is asked at every call.
 */
import { openStores } from '../../host/assembly/stores.ts';
import { Closers } from '../../host/closers.ts';
import { prepareHome } from '../../host/config/home.ts';
import { Services } from '../../host/egress/services.ts';
import { OWNER } from '../../host/first-run.ts';
import { SecretValue } from '../../host/vault/secret-value.ts';
import { Vault } from '../../host/vault/vault.ts';
import { NANOUSD_PER_USD } from '../../shared/money.ts';

export const BENCH_SERVICE = 'bench';
export const BENCH_MODEL = 'bench-model';

/** More than a bench can spend. */
const ROOM_NANOUSD = 1_000_000 * NANOUSD_PER_USD;

/** Before the home's host starts. */
export async function seedModel(home: string, { url, key }: { url: string; key: string }): Promise<void> {
  const paths = prepareHome(home);
  const closers = new Closers();
  const now = () => Date.now();
  try {
    const stores = openStores(paths, closers);
    const vault = closers.use(new Vault({ ...stores, paths, environment: [], now }));
    vault.open();
    const services = new Services({ ...stores, now });
    const service = { name: BENCH_SERVICE, url, api: 'openai', header: null, isPrivate: true } as const;
    mustBe('added', services.add(service, OWNER));
    mustBe('set', vault.set(BENCH_SERVICE, SecretValue.ofText(key), OWNER));
    const use = { service: BENCH_SERVICE, agentGroupId: null, secretName: BENCH_SERVICE };
    stores.secretUses.put({ ...use, createdBy: OWNER, createdAt: now() });
    const price = { input: 2_000, output: 10_000, cacheRead: 200, cacheWrite: 2_500 };
    stores.modelPrices.put({
      service: BENCH_SERVICE,
      model: BENCH_MODEL,
      ...price,
      changedBy: OWNER,
      changedAt: now(),
    });
    for (const period of ['day', 'month'] as const) {
      const budget = { scope: 'host', subject: '', period, unit: 'usd' } as const;
      stores.budgets.put(budget, ROOM_NANOUSD, OWNER, now());
    }
  } finally {
    await closers.closeAll();
  }
}

function mustBe(kind: string, outcome: { kind: string }): void {
  if (outcome.kind !== kind) throw new Error(`the model service could not be made: ${JSON.stringify(outcome)}`);
}
