/**
 * Holds the vault's key: finds it when the host starts, makes it with the first secret, changes it.
 *
 * I1. What closes secrets is on the disk, under its name, before a secret is sealed with it, and the old is gone
 *     only when nothing is sealed with it: after a crash between any two steps one of both opens everything.
 * I2. `vault.json` decides: where it lies, a `vault.key` beside it is not used, and goes when the passphrase has
 *     proved that it holds the same key. Who lost the passphrase of a change that crashed takes vault.json away.
 * I3. One change at a time: scrypt takes its time, and what it closes must be the key of now.
 */
import { existsSync } from 'node:fs';
import { assertNever } from '../config/errors.ts';
import type { HomePaths } from '../config/home.ts';
import { failpoint } from '../observe/failpoint.ts';
import { formatKey, makeKey, type VaultKey } from './cipher.ts';
import { NEXT, readKey, readKeyFacts } from './key-facts.ts';
import { closeWithPassphrase, formatLock, openWithPassphrase, parseLock } from './passphrase.ts';
import { Patience } from './patience.ts';
import { type KeyPlan, planKey, type Settle } from './plan-key.ts';
import {
  createPrivateFile,
  movePrivateFile,
  readPrivateFile,
  removePrivateFile,
  replacePrivateFile,
} from './private-file.ts';
import type { SecretValue } from './secret-value.ts';
import { describeClosed, type Refused, refuse, refuseClosed, type VaultState } from './state.ts';

interface KeeperParts {
  paths: Pick<HomePaths, 'vaultKey' | 'vaultLock'>;
  /** Of the environment: the key of now, then the one before it. */
  environment: readonly VaultKey[];
  /** What the secrets are sealed with. */
  sealedWith: () => string[];
  /** Seals every secret anew, in one transaction. Throws Fault `secret_damaged`. */
  reseal: (from: VaultKey, to: VaultKey, by: string | null) => void;
  now: () => number;
}

export class KeyKeeper implements Disposable {
  readonly #parts: KeeperParts;
  readonly #patience = new Patience();
  #state: VaultState = { kind: 'empty' };
  #key: VaultKey | null = null;
  #isChanging = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  get state(): VaultState {
    return this.#state;
  }

  /** The key of an open vault; null in every other state. */
  get key(): VaultKey | null {
    return this.#key;
  }

  /** Looks at what lies in the home, and opens what opens without a person. Stays open when it was. */
  look(): VaultState {
    const { environment, sealedWith, paths } = this.#parts;
    const plan = planKey(readKeyFacts(paths, environment, sealedWith()));
    this.#state = this.#follow(plan);
    return this.#state;
  }

  #follow(plan: KeyPlan): VaultState {
    const { environment, reseal, paths } = this.#parts;
    switch (plan.kind) {
      case 'use': {
        settle(paths.vaultKey, plan.settle);
        const [now, before] = environment;
        const key = plan.source === 'environment' ? now : readKey(paths.vaultKey);
        if (key === undefined || key === null || key.id !== plan.id) throw new Error('a key changed while it was read');
        if (plan.resealFrom !== null && before?.id === plan.resealFrom) reseal(before, key, null);
        this.#key = key;
        return { kind: 'open', keyId: key.id, source: plan.source };
      }
      case 'ask':
        settle(paths.vaultLock, plan.settle);
        if (this.#key?.id === plan.id) return { kind: 'open', keyId: plan.id, source: 'passphrase' };
        this.#forget();
        return { kind: 'locked', keyId: plan.id };
      case 'none':
        this.#forget();
        return { kind: 'empty' };
      case 'unusable':
        this.#forget();
        return plan;
      default:
        return assertNever(plan);
    }
  }

  /** For the first secret (I1). What another process made meanwhile is used instead. */
  ensureKey(): VaultState {
    if (this.#state.kind !== 'empty') return this.#state;
    const key = makeKey();
    createPrivateFile(this.#parts.paths.vaultKey, `${formatKey(key)}\n`);
    return this.look();
  }

  /** Tries a passphrase. */
  async unlock(passphrase: SecretValue): Promise<{ kind: 'open' } | Refused> {
    if (this.#state.kind === 'open') return { kind: 'open' };
    const opened = await this.#tryPassphrase(passphrase);
    if (opened.kind === 'refused') return opened;
    // Whether it is the key of the secrets too, by what lies in the home by now.
    const state = this.look();
    if (state.kind === 'open') return { kind: 'open' };
    if (state.kind !== 'locked') return refuseClosed(state);
    if (state.keyId !== opened.key.id) return refuseChanged();
    this.#key = opened.key;
    this.#state = { kind: 'open', keyId: opened.key.id, source: 'passphrase' };
    this.#removeCopy(opened.key);
    return { kind: 'open' };
  }

  /** Forgets the key until somebody gives the passphrase. Refused where no passphrase would open the vault again. */
  lock(): Promise<{ kind: 'locked' } | Refused> {
    if (this.#parts.environment.length > 0) {
      const why = 'The key comes from PORTOLAN_VAULT_KEY: this host has it for as long as it runs.';
      return Promise.resolve(refuse('key_of_environment', why, { next: 'portolan stop' }));
    }
    // I3: what closes the key with another passphrase, or seals with another key, must have it to its end.
    return this.#change(() => Promise.resolve(this.#lockNow()));
  }

  #lockNow(): { kind: 'locked' } | Refused {
    const state = this.#state;
    if (state.kind === 'locked') return { kind: 'locked' };
    const next = 'portolan secrets passphrase';
    if (state.kind === 'empty')
      return refuse('no_key', 'The vault has no key yet: there is nothing to lock.', { next });
    if (state.kind === 'unusable') return refuseClosed(state);
    if (state.source !== 'passphrase') {
      return refuse('no_passphrase', 'The vault has no passphrase: its key lies in a file, which opens it by itself.', {
        next,
      });
    }
    const { paths, environment, sealedWith } = this.#parts;
    const plan = planKey(readKeyFacts(paths, environment, sealedWith()));
    // Taken away or damaged meanwhile: the only key there is would be gone.
    if (plan.kind !== 'ask' || plan.id !== state.keyId) {
      const why = `${paths.vaultLock} does not hold the key of now: once locked, nobody could open the vault.`;
      return refuse('key_not_kept', why, { next });
    }
    this.#forget();
    this.#state = { kind: 'locked', keyId: state.keyId };
    return { kind: 'locked' };
  }

  /** The key is closed with this passphrase from now on, and lies nowhere else. */
  setPassphrase(passphrase: SecretValue): Promise<{ kind: 'done' } | Refused> {
    return this.#change(async () => {
      const before = this.#key;
      const key = this.#state.kind === 'empty' ? makeKey() : before;
      if (key === null) return refuseClosed(this.#state);
      const lock = await closeWithPassphrase(key, passphrase);
      if (!this.#isStill(before)) return refuseChanged();
      // The one step that counts (I2).
      replacePrivateFile(this.#parts.paths.vaultLock, formatLock(lock));
      failpoint('vault.passphrase.written');
      this.#key = key;
      this.#state = { kind: 'open', keyId: key.id, source: 'passphrase' };
      this.#removeCopy(key);
      return { kind: 'done' };
    });
  }

  /** Back to a key file, which opens without a person. */
  removePassphrase(): Promise<{ kind: 'done' } | Refused> {
    return this.#change(async () => {
      const { vaultKey, vaultLock } = this.#parts.paths;
      const key = this.#key;
      if (key === null) return refuseClosed(this.#state);
      if (this.#state.kind !== 'open' || this.#state.source !== 'passphrase') {
        return refuse('no_passphrase', 'The vault has no passphrase.', { next: 'portolan secrets passphrase' });
      }
      if (!createPrivateFile(vaultKey, `${formatKey(key)}\n`) && readKey(vaultKey)?.id !== key.id) {
        return refuse('key_in_the_way', `Another key lies at ${vaultKey}.`, { next: `mv ${vaultKey} ${vaultKey}.old` });
      }
      failpoint('vault.passphrase.unwrapped');
      removePrivateFile(vaultLock);
      this.#state = { kind: 'open', keyId: key.id, source: 'file' };
      return { kind: 'done' };
    });
  }

  /** Another key, and every secret sealed with it. `passphrase` where there is one. */
  rotate(passphrase: SecretValue | null, by: string): Promise<{ kind: 'done'; keyId: string } | Refused> {
    return this.#change(async () => {
      const before = this.#key;
      if (this.#state.kind === 'empty') {
        return refuse('no_key', 'The vault has no key yet: the first secret makes one.', {
          next: 'portolan secrets set anthropic',
        });
      }
      if (before === null || this.#state.kind !== 'open') return refuseClosed(this.#state);
      const { source } = this.#state;
      const next = makeKey();
      const made = await this.#describeNext(next, source === 'passphrase', passphrase);
      if (made.kind === 'refused') return made;
      if (!this.#isStill(before)) return refuseChanged();
      // I1
      replacePrivateFile(made.path + NEXT, made.text);
      failpoint('vault.rotate.written');
      this.#parts.reseal(before, next, by);
      this.#key = next;
      this.#state = { kind: 'open', keyId: next.id, source };
      failpoint('vault.rotate.sealed');
      movePrivateFile(made.path + NEXT, made.path);
      failpoint('vault.rotate.moved');
      before.bytes.fill(0);
      return { kind: 'done', keyId: next.id };
    });
  }

  /** What a new key is kept as, and where. */
  async #describeNext(
    next: VaultKey,
    hasPassphrase: boolean,
    passphrase: SecretValue | null,
  ): Promise<{ kind: 'file'; path: string; text: string } | Refused> {
    const { vaultKey, vaultLock } = this.#parts.paths;
    if (!hasPassphrase) return { kind: 'file', path: vaultKey, text: `${formatKey(next)}\n` };
    if (passphrase === null)
      return refuse('passphrase_needed', 'The new key is closed with the passphrase: it is needed.');
    const opened = await this.#tryPassphrase(passphrase);
    if (opened.kind === 'refused') return opened;
    return { kind: 'file', path: vaultLock, text: formatLock(await closeWithPassphrase(next, passphrase)) };
  }

  async #tryPassphrase(passphrase: SecretValue): Promise<{ kind: 'key'; key: VaultKey } | Refused> {
    const { now, paths } = this.#parts;
    const file = readPrivateFile(paths.vaultLock);
    const lock = file.kind === 'text' ? parseLock(file.text) : null;
    if (lock === null) {
      return describeClosed(this.look()) === null
        ? refuse('not_locked', 'The vault is not locked.')
        : refuseClosed(this.#state);
    }
    const untilMs = this.#patience.begin(now());
    if (untilMs !== null) return refuse('slow_down', 'Too many wrong passphrases.', { untilMs });
    let key: VaultKey | null;
    try {
      key = await openWithPassphrase(lock, passphrase);
    } catch (error) {
      this.#patience.abandon();
      throw error;
    }
    this.#patience.end(key !== null, now());
    if (key !== null) return { kind: 'key', key };
    return refuse('wrong_passphrase', 'That is not the passphrase.', { untilMs: this.#patience.untilMs });
  }

  /**
   * I3: whether that is the key of now, after scrypt took its time. The first secret may have made one meanwhile, the
   * files may say another, or the host ends: then what was closed is a key that opens nothing, or zeros.
   */
  #isStill(key: VaultKey | null): boolean {
    return this.#key?.id === key?.id;
  }

  /** I2: `vault.key`, when it holds this very key. */
  #removeCopy(key: VaultKey): void {
    const { vaultKey } = this.#parts.paths;
    if (existsSync(vaultKey) && readKey(vaultKey)?.id === key.id) removePrivateFile(vaultKey);
  }

  /** I3 */
  async #change<T>(work: () => Promise<T | Refused>): Promise<T | Refused> {
    if (this.#parts.environment.length > 0) {
      return refuse('key_of_environment', 'The key comes from PORTOLAN_VAULT_KEY, which the host cannot change.', {
        next: 'to change it, start the host with PORTOLAN_VAULT_KEY=<new>,<old>',
      });
    }
    if (this.#isChanging) return refuse('busy', 'The key is being changed already.', { next: 'try again in a moment' });
    this.#isChanging = true;
    try {
      return await work();
    } finally {
      this.#isChanging = false;
    }
  }

  #forget(): void {
    this.#key?.bytes.fill(0);
    this.#key = null;
  }

  /** Zeros in the place of the key. */
  [Symbol.dispose](): void {
    this.#forget();
    for (const key of this.#parts.environment) key.bytes.fill(0);
  }
}

function refuseChanged(): Refused {
  return refuse('busy', 'The key of the vault changed meanwhile.', { next: 'try again in a moment' });
}

function settle(path: string, how: Settle): void {
  if (how === 'promote') movePrivateFile(path + NEXT, path);
  else if (how === 'discard') removePrivateFile(path + NEXT);
}
