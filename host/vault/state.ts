/** What the vault is like now, and what it says when something may not be. */
import type { KeySource } from './plan-key.ts';

export type VaultState =
  /** No key yet: the first secret makes one. */
  | { kind: 'empty' }
  | { kind: 'open'; keyId: string; source: KeySource }
  /** A passphrase opens it. */
  | { kind: 'locked'; keyId: string }
  /** Its key is missing, wrong, damaged, or open to others. */
  | { kind: 'unusable'; why: string; next: string };

/** Why something about secrets or services was not done: a word for programs, a sentence, and what to type next. */
export interface Refused {
  kind: 'refused';
  code: string;
  why: string;
  expected?: string;
  next?: string;
  /** With `slow_down`: when it may be tried again, epoch ms. */
  untilMs?: number;
}

export function refuse(
  code: string,
  why: string,
  more: { expected?: string; next?: string; untilMs?: number } = {},
): Refused {
  return { kind: 'refused', code, why, ...more };
}

/** Of a vault that has no key now. */
export function refuseClosed(state: VaultState): Refused {
  const { why, next } = describeClosed(state) ?? { why: 'the vault has no key', next: 'portolan doctor' };
  const code = state.kind === 'locked' ? 'vault_locked' : 'vault_unusable';
  return refuse(code, `${why.charAt(0).toUpperCase()}${why.slice(1)}.`, { next });
}

/** What a person does about a vault that is not open; null: nothing. */
export function describeClosed(state: VaultState): { why: string; next: string } | null {
  switch (state.kind) {
    case 'locked':
      return { why: 'the vault is locked with a passphrase', next: 'portolan secrets unlock' };
    case 'unusable':
      return { why: `the vault cannot be opened: ${state.why}`, next: state.next };
    default:
      return null;
  }
}
