/** The doctor's judgement of the vault. Pure. */
import { assertNever } from '../../config/errors.ts';
import { oneLine } from '../output/text.ts';
import type { VaultFact } from './facts.ts';
import type { Finding } from './plan.ts';

const CHECK = 'vault';
const TITLE = 'Secrets';

/** Nothing is said where nothing is known. */
export function planVault(fact: VaultFact): Finding[] {
  switch (fact.kind) {
    case 'unknown':
      return [];
    case 'said':
      return [planSaid(fact)];
    case 'found':
      return [planFound(fact)];
    default:
      return assertNever(fact);
  }
}

function planSaid({ vault }: Extract<VaultFact, { kind: 'said' }>): Finding {
  const why = oneLine(vault.why ?? '');
  switch (vault.state) {
    case 'empty':
      return ok('none yet');
    case 'open':
      return ok(`the vault is open, with the key ${vault.keyId}`);
    case 'locked':
      return finding('warning', `${why}: agents that need a secret cannot go on`, vault.next);
    case 'unusable':
      return finding('failed', why, vault.next);
    default:
      return assertNever(vault.state);
  }
}

/** `mayBeElsewhere`: who starts the host may give it a key in its environment, which nobody else sees. */
function planFound({ plan, mayBeElsewhere }: Extract<VaultFact, { kind: 'found' }>): Finding {
  switch (plan.kind) {
    case 'none':
      return ok('none yet');
    case 'use':
      return ok('the vault opens when the host starts');
    case 'ask':
      return ok('the vault asks for its passphrase when the host starts');
    case 'unusable': {
      const where = mayBeElsewhere ? ' (unless the host is given PORTOLAN_VAULT_KEY)' : '';
      return finding(mayBeElsewhere ? 'warning' : 'failed', `${oneLine(plan.why)}${where}`, plan.next);
    }
    default:
      return assertNever(plan);
  }
}

function ok(detail: string): Finding {
  return { check: CHECK, title: TITLE, verdict: 'ok', detail, fix: null };
}

function finding(verdict: Finding['verdict'], detail: string, fix: string | null): Finding {
  return { check: CHECK, title: TITLE, verdict, detail, fix };
}
