/** The vault over the API: how it is, opening and locking it. What changes its key is for the machine's owner. */
import { findPassphraseFlaw } from '../../../vault/plan-secret.ts';
import { SecretValue } from '../../../vault/secret-value.ts';
import { describeClosed, type Refused, refuse, type VaultState } from '../../../vault/state.ts';
import { newApi } from '../api.ts';
import type { ApiParts } from '../ports.ts';
import type { VaultStatus } from '../schemas.ts';
import { toProblem } from '../secret-problems.ts';
import * as routes from '../secret-routes.ts';

export function vaultRoutes({ vault }: ApiParts) {
  return newApi()
    .openapi(routes.getVault, (c) => c.json(presentVault(vault.state), 200))
    .openapi(routes.unlockVault, async (c) => {
      const { passphrase } = c.req.valid('json');
      if (passphrase === undefined) return c.json(presentVault(vault.open()), 200);
      const value = SecretValue.ofPassphrase(passphrase);
      await finish(value, vault.unlock(value, c.var.userId));
      return c.json(presentVault(vault.state), 200);
    })
    .openapi(routes.lockVault, async (c) => {
      await finish(null, vault.lock(c.var.userId));
      return c.json(presentVault(vault.state), 200);
    })
    .openapi(routes.setPassphrase, async (c) => {
      const { passphrase } = c.req.valid('json');
      const flaw = findPassphraseFlaw(passphrase);
      if (flaw !== null) throw toProblem(refuse('bad_passphrase', flaw.why, { expected: flaw.expected }));
      const value = SecretValue.ofPassphrase(passphrase);
      await finish(value, vault.setPassphrase(value, c.var.userId));
      return c.json(presentVault(vault.state), 200);
    })
    .openapi(routes.removePassphrase, async (c) => {
      await finish(null, vault.removePassphrase(c.var.userId));
      return c.json(presentVault(vault.state), 200);
    })
    .openapi(routes.rotateVaultKey, async (c) => {
      const { passphrase } = c.req.valid('json');
      const value = passphrase === undefined ? null : SecretValue.ofPassphrase(passphrase);
      await finish(value, vault.rotateKey(value, c.var.userId));
      return c.json(presentVault(vault.state), 200);
    });
}

/** Throws Problem for a refusal. */
async function finish(
  value: SecretValue | null,
  changing: Promise<{ kind: 'open' | 'locked' | 'done' } | Refused>,
): Promise<void> {
  try {
    const outcome = await changing;
    if (outcome.kind === 'refused') throw toProblem(outcome);
  } finally {
    value?.destroy();
  }
}

export function presentVault(state: VaultState): VaultStatus {
  return {
    state: state.kind,
    keyId: state.kind === 'open' || state.kind === 'locked' ? state.keyId : null,
    source: state.kind === 'open' ? state.source : null,
    why: null,
    next: null,
    ...describeClosed(state),
  };
}
