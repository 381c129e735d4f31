/**
 * Which key opens the vault, from what lies in the home, what the environment says, and what the secrets are
 * sealed with. Pure.
 *
 *   PORTOLAN_VAULT_KEY ─ else ─▶ vault.json (a passphrase) ─ else ─▶ vault.key ─ else ─▶ none yet
 *
 * I1. Where there are secrets, a key that does not open them is never used, and none is made in its place.
 * I2. A change of key writes `<file>.next`, seals all secrets anew in one transaction, then renames. What the
 *     secrets are sealed with says on which side of that transaction a crash was.
 */

export type KeySource = 'environment' | 'passphrase' | 'file';

export type KeyFileFact =
  | { kind: 'absent' }
  /** The fingerprint of what it holds. */
  | { kind: 'key'; id: string }
  | { kind: 'refused'; why: string; next: string };

export interface KeyFiles {
  now: KeyFileFact;
  /** Of a change that did not come to its end. */
  next: KeyFileFact;
}

export interface KeyFacts {
  /** The key of the environment, then the one before it. */
  environment: readonly string[];
  lock: KeyFiles;
  key: KeyFiles;
  /** What the secrets are sealed with; empty: there are none. */
  sealedWith: readonly string[];
  paths: { key: string; lock: string };
}

export type KeyPlan =
  /** `settle`: what to do first with the `.next` of that file. */
  | { kind: 'use'; source: KeySource; id: string; settle: Settle; resealFrom: string | null }
  | { kind: 'ask'; id: string; settle: Settle }
  | { kind: 'none' }
  | { kind: 'unusable'; why: string; next: string };

export type Settle = 'nothing' | 'promote' | 'discard';

type Choice = { kind: 'key'; id: string; settle: Settle } | { kind: 'absent' } | Extract<KeyPlan, { kind: 'unusable' }>;

export function planKey(facts: KeyFacts): KeyPlan {
  const { environment, sealedWith, paths } = facts;
  if (environment.length > 0) return planEnvironment(environment, sealedWith);
  const lock = choose(facts.lock, sealedWith, paths.lock);
  if (lock.kind === 'unusable') return lock;
  if (lock.kind === 'key') return { kind: 'ask', id: lock.id, settle: lock.settle };
  const key = choose(facts.key, sealedWith, paths.key);
  if (key.kind === 'unusable') return key;
  if (key.kind === 'key') return { kind: 'use', source: 'file', id: key.id, settle: key.settle, resealFrom: null };
  // I1
  if (sealedWith.length === 0) return { kind: 'none' };
  return {
    kind: 'unusable',
    why: `the secrets are sealed with the key ${sealedWith.join(' and ')}, and ${paths.key} is not there: put it back from a backup, or remove each secret and set it again`,
    next: `cp <backup> ${paths.key} && portolan secrets unlock`,
  };
}

function planEnvironment(environment: readonly string[], sealedWith: readonly string[]): KeyPlan {
  const [id = '', before = null] = environment;
  const foreign = sealedWith.filter((each) => each !== id);
  const use = { kind: 'use', source: 'environment', id, settle: 'nothing' } as const;
  if (foreign.length === 0) return { ...use, resealFrom: null };
  if (foreign.length === 1 && foreign[0] === before) return { ...use, resealFrom: before };
  return {
    kind: 'unusable',
    why: `the secrets are sealed with the key ${foreign.join(' and ')}, and PORTOLAN_VAULT_KEY is the key ${environment.join(', then ')}`,
    next: 'start the host with that key; or with both to change it: PORTOLAN_VAULT_KEY=<new>,<old>',
  };
}

function choose({ now, next }: KeyFiles, sealedWith: readonly string[], path: string): Choice {
  for (const file of [now, next]) {
    if (file.kind === 'refused') {
      return { kind: 'unusable', why: file.why, next: `${file.next} && portolan secrets unlock` };
    }
  }
  const opens = (id: string) => sealedWith.every((each) => each === id);
  // I2. Without secrets a change of key had nothing to do: what is there stays.
  if (now.kind === 'key' && opens(now.id)) {
    return { kind: 'key', id: now.id, settle: next.kind === 'key' ? 'discard' : 'nothing' };
  }
  if (next.kind === 'key' && sealedWith.length > 0 && opens(next.id)) {
    return { kind: 'key', id: next.id, settle: 'promote' };
  }
  if (now.kind === 'absent') return now;
  return {
    kind: 'unusable',
    why: `the secrets are sealed with the key ${sealedWith.join(' and ')}, and ${path} is the key ${now.kind === 'key' ? now.id : ''}: put the right one back, or remove each secret and set it again`,
    next: `cp <backup> ${path} && portolan secrets unlock`,
  };
}
