/**
 * Secrets, sealed in the central database with a key that is not in it.
 *
 * I1. What a secret is leaves here by `reveal` alone, for `Credentials`. Lists, ledger, log and errors have names.
 * I2. A change and its entry in the ledger are one commit.
 * I3. A vault that is not open refuses (I11 of the architecture). Removing needs no key: who lost it begins anew.
 */
import { Fault } from '../config/errors.ts';
import type { HomePaths } from '../config/home.ts';
import { vaultLog } from '../observe/logger.ts';
import type { Ledger, LedgerDetail } from '../store/ledger.ts';
import type { SecretRow, SecretStore } from '../store/secrets.ts';
import { seal, unseal, type VaultKey } from './cipher.ts';
import { KeyKeeper } from './keeper.ts';
import { MAX_SECRETS } from './limits.ts';
import { findSecretFlaw, isSecretName } from './plan-secret.ts';
import type { SecretValue } from './secret-value.ts';
import { describeClosed, type Refused, refuse, refuseClosed, type VaultState } from './state.ts';

export interface VaultParts {
  secrets: SecretStore;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  paths: Pick<HomePaths, 'vaultKey' | 'vaultLock'>;
  /** Of PORTOLAN_VAULT_KEY: the key of now, then the one before it. */
  environment: readonly VaultKey[];
  now: () => number;
}

export type Revealed =
  /** The caller destroys it. */
  { kind: 'open'; value: SecretValue } | { kind: 'locked' | 'missing'; why: string; next: string };

export class Vault implements Disposable {
  readonly #parts: VaultParts;
  readonly #listeners: (() => void)[] = [];
  readonly #keeper: KeyKeeper;

  constructor(parts: VaultParts) {
    this.#parts = parts;
    const { secrets, paths, environment, now } = parts;
    this.#keeper = new KeyKeeper({
      ...{ paths, environment, now },
      sealedWith: () => secrets.keyIds(),
      reseal: (from, to, by) => this.#reseal(from, to, by),
    });
  }

  get state(): VaultState {
    return this.#keeper.state;
  }

  /** Opens what opens without a person; says in the log what does not. Again after the key's file was mended. */
  open(): VaultState {
    const state = this.#keeper.look();
    if (state.kind === 'locked') vaultLog.warn({ keyId: state.keyId }, 'the vault is locked');
    else if (state.kind === 'unusable') vaultLog.error({ why: state.why }, 'the vault cannot be opened');
    return state;
  }

  get(name: string): SecretRow | null {
    return this.#parts.secrets.get(name);
  }

  /** By name. */
  list(): SecretRow[] {
    return this.#parts.secrets.list();
  }

  /** A new secret, or a new value, which holds from the next request on. Throws toDiskFault's faults. */
  set(name: string, value: SecretValue, by: string): { kind: 'set'; secret: SecretRow; isNew: boolean } | Refused {
    const { secrets, commit, now } = this.#parts;
    if (!isSecretName(name)) {
      return refuse('bad_name', 'That is no name for a secret.', {
        expected: '1 to 63 of a–z, 0–9 and "-", such as anthropic',
      });
    }
    const flaw = findSecretFlaw(value);
    if (flaw !== null) return refuse('bad_secret', flaw.why, { expected: flaw.expected });
    const state = this.#keeper.ensureKey();
    const { key } = this.#keeper;
    if (key === null) return refuseClosed(state);
    return commit(() => {
      const isNew = secrets.get(name) === null;
      if (isNew && secrets.list().length >= MAX_SECRETS) {
        return refuse('too_many', `A host has at most ${MAX_SECRETS} secrets.`, { next: 'portolan secrets list' });
      }
      secrets.put({ name, ...seal(key, name, value) }, by, now());
      this.#record('secret.set', name, by, { isNew });
      const secret = secrets.get(name);
      if (secret === null) throw new Error('a secret that was set is gone');
      return { kind: 'set', secret, isNew };
    });
  }

  /** I3. Whether the revision still held. */
  remove(name: string, revision: number, by: string): boolean {
    const { secrets, commit } = this.#parts;
    const isRemoved = commit(() => {
      if (!secrets.remove(name, revision)) return false;
      this.#record('secret.removed', name, by, {});
      return true;
    });
    // The last one of a lost key makes way for a new one.
    if (isRemoved && this.#keeper.state.kind === 'unusable') this.#keeper.look();
    return isRemoved;
  }

  /** For `Credentials` alone (I1). */
  reveal(name: string): Revealed {
    const { secrets } = this.#parts;
    const closed = describeClosed(this.#keeper.state);
    if (closed !== null) return { kind: 'locked', ...closed };
    const sealed = secrets.sealed(name);
    const { key } = this.#keeper;
    const next = `portolan secrets set ${name}`;
    if (sealed === null || key === null) return { kind: 'missing', why: `there is no secret "${name}"`, next };
    const value = unseal(key, name, sealed);
    if (value !== null) return { kind: 'open', value };
    vaultLog.error({ name, keyId: sealed.keyId }, 'a secret cannot be opened');
    return { kind: 'missing', why: `the secret "${name}" is damaged, or of another key`, next };
  }

  /** Called when a person has unlocked or locked it, for as long as the vault is in use. */
  onChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async unlock(passphrase: SecretValue, by: string | null): Promise<{ kind: 'open' } | Refused> {
    const before = this.#keeper.state.kind;
    const outcome = await this.#keeper.unlock(passphrase);
    if (outcome.kind === 'open' && before !== 'open') {
      this.#record('vault.unlocked', 'vault', by, {});
      vaultLog.info({}, 'the vault was unlocked');
      for (const listener of this.#listeners) listener();
    } else if (outcome.kind === 'refused' && outcome.code === 'wrong_passphrase') {
      this.#record('vault.unlock_refused', 'vault', by, {});
    }
    return outcome;
  }

  /** Until somebody gives the passphrase. What has its credential already goes on; nothing else gets one. */
  async lock(by: string): Promise<{ kind: 'locked' } | Refused> {
    const before = this.#keeper.state.kind;
    const outcome = await this.#keeper.lock();
    if (outcome.kind === 'locked' && before !== 'locked') {
      vaultLog.info({}, 'the vault was locked');
      // It is, also where the disk takes no entry.
      for (const listener of this.#listeners) listener();
      this.#record('vault.locked', 'vault', by, {});
    }
    return outcome;
  }

  async setPassphrase(passphrase: SecretValue, by: string): Promise<{ kind: 'done' } | Refused> {
    const outcome = await this.#keeper.setPassphrase(passphrase);
    if (outcome.kind === 'done') this.#record('vault.passphrase_set', 'vault', by, {});
    return outcome;
  }

  async removePassphrase(by: string): Promise<{ kind: 'done' } | Refused> {
    const outcome = await this.#keeper.removePassphrase();
    if (outcome.kind === 'done') this.#record('vault.passphrase_removed', 'vault', by, {});
    return outcome;
  }

  /** Throws Fault `secret_damaged`. */
  rotateKey(passphrase: SecretValue | null, by: string): Promise<{ kind: 'done'; keyId: string } | Refused> {
    return this.#keeper.rotate(passphrase, by);
  }

  #reseal(from: VaultKey, to: VaultKey, by: string | null): void {
    const { secrets, commit } = this.#parts;
    commit(() => {
      const rows = secrets.listSealed();
      for (const row of rows) {
        const value = unseal(from, row.name, row);
        if (value === null) {
          throw new Fault('secret_damaged', `the secret "${row.name}" cannot be opened with the key of now`, {
            hint: `portolan secrets remove ${row.name}`,
          });
        }
        secrets.reseal({ name: row.name, ...seal(to, row.name, value) });
        value.destroy();
      }
      this.#record('vault.key_rotated', 'vault', by, { from: from.id, to: to.id, secrets: rows.length });
    });
  }

  #record(kind: string, messageId: string, actor: string | null, detail: LedgerDetail): void {
    this.#parts.ledger.append({ kind, sessionId: null, messageId, actor, detail }, this.#parts.now());
  }

  [Symbol.dispose](): void {
    this.#keeper[Symbol.dispose]();
  }
}
