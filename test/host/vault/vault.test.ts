import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { formatKey, makeKey, parseKey } from '../../../host/vault/cipher.ts';
import { takeVaultEnvironment, unlockFromFile } from '../../../host/vault/environment.ts';
import { MAX_SECRET_BYTES } from '../../../host/vault/limits.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { openVault, PASSPHRASE, revealed, secret } from './open-vault.ts';

const OWNER = 'web:owner';
const phrase = (text: string) => SecretValue.ofPassphrase(text);

describe('a secret', () => {
  it('comes back as it was set, from a database that holds nothing of it', () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      expect(opened.vault.set('anthropic', secret('sk-very-secret-1'), OWNER)).toMatchObject({
        kind: 'set',
        isNew: true,
      });
      expect(opened.vault.set('anthropic', secret('sk-very-secret-2'), OWNER)).toMatchObject({
        kind: 'set',
        isNew: false,
      });
    }
    expect(readFileSync(home.centralDb).includes('sk-very-secret')).toBe(false);
    using again = openVault(home);
    expect(again.vault.state).toMatchObject({ kind: 'open', source: 'file' });
    expect(revealed(again.vault, 'anthropic')).toBe('sk-very-secret-2');
    expect(again.vault.list()).toMatchObject([{ name: 'anthropic', revision: 2 }]);
  });

  it('is sealed with a fresh nonce each time, under its own name', () => {
    const home = makeTempHome();
    using opened = openVault(home);
    for (const name of ['one', 'two', 'three']) opened.vault.set(name, secret('the same'), OWNER);
    opened.vault.set('one', secret('the same'), OWNER);
    const rows = opened.secrets.listSealed();
    expect(new Set(rows.map(({ nonce }) => nonce.toString('hex'))).size).toBe(3);
    // Whoever writes the database cannot give one service the secret of another.
    const [one, , two] = rows;
    if (one === undefined || two === undefined) throw new Error('no rows');
    opened.secrets.reseal({ ...one, name: 'two' });
    expect(opened.vault.reveal('two')).toMatchObject({ kind: 'missing', next: 'portolan secrets set two' });
    expect(revealed(opened.vault, 'one')).toBe('the same');
  });

  it.each([
    ['empty', ''],
    ['of two lines', 'sk-1\r\nx-injected: yes'],
    ['with a control character', 'sk-\u0000'],
    ['with a C1 control character', 'sk-\u0085'],
    ['with a space at its end', 'sk-1 '],
    ['too long', 'x'.repeat(MAX_SECRET_BYTES + 1)],
  ])('%s is refused without being repeated', (_what, text) => {
    using opened = openVault(makeTempHome());
    const outcome = opened.vault.set('anthropic', secret(text), OWNER);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'bad_secret' });
    expect(JSON.stringify(outcome)).not.toContain('sk-');
    expect(opened.vault.list()).toEqual([]);
  });

  it('says nothing of itself where it is printed', () => {
    const value = secret('sk-hidden');
    const said = [String(value), JSON.stringify({ value }), inspect({ value }, { showHidden: true }), `${value}`];
    for (const text of said) expect(text).toContain('[secret]');
    for (const text of said) expect(text).not.toMatch(/sk-hidden|73 6b/);
  });

  it('is in the ledger by name alone', () => {
    using opened = openVault(makeTempHome());
    opened.vault.set('anthropic', secret('sk-very-secret'), OWNER);
    opened.vault.remove('anthropic', 1, OWNER);
    const entries = opened.ledger.listAbout('anthropic', 10);
    expect(entries.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['secret.set', OWNER],
      ['secret.removed', OWNER],
    ]);
    expect(JSON.stringify(entries)).not.toContain('sk-very');
  });
});

describe('the key in the home', () => {
  it('is made with the first secret, for the host’s user alone, whatever the umask', () => {
    const home = makeTempHome();
    using opened = openVault(home);
    expect(opened.vault.state).toEqual({ kind: 'empty' });
    expect(existsSync(home.vaultKey)).toBe(false);
    const umask = process.umask(0);
    try {
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
    } finally {
      process.umask(umask);
    }
    expect(statSync(home.vaultKey).mode & 0o777).toBe(0o600);
    expect(parseKey(readFileSync(home.vaultKey, 'utf8'))).not.toBeNull();
  });

  it.each(['640', '604', '660'])('is not used while others may read it (mode %s)', (octal) => {
    const mode = Number.parseInt(octal, 8);
    const home = makeTempHome();
    openVault(home).vault.set('anthropic', secret('sk-1'), OWNER);
    chmodSync(home.vaultKey, mode);
    using opened = openVault(home);
    expect(opened.vault.state).toMatchObject({
      kind: 'unusable',
      next: `chmod 600 ${home.vaultKey} && portolan secrets unlock`,
    });
    expect(opened.vault.reveal('anthropic').kind).toBe('locked');
    expect(opened.vault.set('other', secret('x'), OWNER)).toMatchObject({ kind: 'refused', code: 'vault_unusable' });
    chmodSync(home.vaultKey, 0o600);
    expect(opened.vault.open()).toMatchObject({ kind: 'open' });
  });

  it('is not used when it is a link', () => {
    const home = makeTempHome();
    openVault(home).vault.set('anthropic', secret('sk-1'), OWNER);
    const elsewhere = `${home.home}/elsewhere`;
    writeFileSync(elsewhere, readFileSync(home.vaultKey), { mode: 0o600 });
    rmSync(home.vaultKey);
    symlinkSync(elsewhere, home.vaultKey);
    using opened = openVault(home);
    expect(opened.vault.state).toMatchObject({ kind: 'unusable', why: `${home.vaultKey} is a link` });
  });

  it('is never made anew while something is sealed with a lost one, and the lost one is named', () => {
    const home = makeTempHome();
    openVault(home).vault.set('anthropic', secret('sk-1'), OWNER);
    const id = parseKey(readFileSync(home.vaultKey, 'utf8'))?.id ?? '';
    rmSync(home.vaultKey);
    using opened = openVault(home);
    expect(opened.vault.state).toMatchObject({ kind: 'unusable', why: expect.stringContaining(id) });
    expect(opened.vault.set('other', secret('x'), OWNER)).toMatchObject({ kind: 'refused' });
    expect(existsSync(home.vaultKey)).toBe(false);
    // Who gave it up removes what it sealed, and begins anew.
    expect(opened.vault.remove('anthropic', 1, OWNER)).toBe(true);
    expect(opened.vault.set('anthropic', secret('sk-2'), OWNER)).toMatchObject({ kind: 'set' });
    expect(revealed(opened.vault, 'anthropic')).toBe('sk-2');
  });

  it('that is another than the secrets’ opens nothing, and both are named', () => {
    const home = makeTempHome();
    openVault(home).vault.set('anthropic', secret('sk-1'), OWNER);
    const right = parseKey(readFileSync(home.vaultKey, 'utf8'))?.id ?? '';
    const wrong = makeKey();
    writeFileSync(home.vaultKey, formatKey(wrong));
    using opened = openVault(home);
    expect(opened.vault.state).toMatchObject({ kind: 'unusable', why: expect.stringContaining(right) });
    expect(opened.vault.state).toMatchObject({ why: expect.stringContaining(wrong.id) });
  });

  it('changes, and every secret with it', async () => {
    const home = makeTempHome();
    using opened = openVault(home);
    opened.vault.set('anthropic', secret('sk-1'), OWNER);
    const before = readFileSync(home.vaultKey, 'utf8');
    expect(await opened.vault.rotateKey(null, OWNER)).toMatchObject({ kind: 'done' });
    expect(readFileSync(home.vaultKey, 'utf8')).not.toBe(before);
    expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
    expect(opened.vault.list()).toMatchObject([{ revision: 1 }]);
    using again = openVault(home);
    expect(revealed(again.vault, 'anthropic')).toBe('sk-1');
  });

  it('stays when a secret cannot be opened: none is lost by changing it', async () => {
    const home = makeTempHome();
    using opened = openVault(home);
    for (const name of ['good', 'torn']) opened.vault.set(name, secret(`of-${name}`), OWNER);
    const torn = opened.secrets.sealed('torn');
    if (torn === null) throw new Error('no row');
    torn.ciphertext.writeUInt8(torn.ciphertext.readUInt8(0) ^ 1, 0);
    opened.secrets.reseal(torn);
    await expect(opened.vault.rotateKey(null, OWNER)).rejects.toMatchObject({ code: 'secret_damaged' });
    expect(revealed(opened.vault, 'good')).toBe('of-good');
    using again = openVault(home);
    expect(revealed(again.vault, 'good')).toBe('of-good');
  });
});

describe('a passphrase', () => {
  it('takes the key off the disk; the vault is locked at the next start, until it is given', async () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
      expect(await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'done' });
      // This host goes on.
      expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
    }
    expect(existsSync(home.vaultKey)).toBe(false);
    expect(statSync(home.vaultLock).mode & 0o777).toBe(0o600);
    using opened = openVault(home);
    expect(opened.vault.state.kind).toBe('locked');
    expect(opened.vault.reveal('anthropic')).toMatchObject({ kind: 'locked', next: 'portolan secrets unlock' });
    expect(opened.vault.set('other', secret('x'), OWNER)).toMatchObject({ code: 'vault_locked' });
    expect(await opened.vault.unlock(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'open' });
    expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
  });

  it('locks the vault again, as it is after a start, and tells who waits for that', async () => {
    const home = makeTempHome();
    using opened = openVault(home);
    const { vault } = opened;
    let changes = 0;
    vault.onChanged(() => void changes++);
    vault.set('anthropic', secret('sk-1'), OWNER);
    await vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    expect(await vault.lock(OWNER)).toEqual({ kind: 'locked' });
    expect(await vault.lock(OWNER)).toEqual({ kind: 'locked' });
    expect(changes).toBe(1);
    expect(vault.reveal('anthropic')).toMatchObject({ kind: 'locked', next: 'portolan secrets unlock' });
    expect(vault.open().kind).toBe('locked');
    expect(await vault.rotateKey(phrase(PASSPHRASE), OWNER)).toMatchObject({ code: 'vault_locked' });
    expect(await vault.unlock(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'open' });
    expect(revealed(vault, 'anthropic')).toBe('sk-1');
    expect(changes).toBe(2);
    const kinds = opened.ledger.listAbout('vault', 10).map(({ kind }) => kind);
    expect(kinds).toEqual(['vault.passphrase_set', 'vault.locked', 'vault.unlocked']);
  });

  it('is not taken out of use where nothing else opens the vault', async () => {
    const home = makeTempHome();
    using opened = openVault(home);
    const { vault } = opened;
    expect(await vault.lock(OWNER)).toMatchObject({ code: 'no_key' });
    vault.set('anthropic', secret('sk-1'), OWNER);
    expect(await vault.lock(OWNER)).toMatchObject({ code: 'no_passphrase', next: 'portolan secrets passphrase' });
    await vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    const kept = readFileSync(home.vaultLock, 'utf8');
    rmSync(home.vaultLock);
    expect(await vault.lock(OWNER)).toMatchObject({ code: 'key_not_kept', next: 'portolan secrets passphrase' });
    expect(revealed(vault, 'anthropic')).toBe('sk-1');
    writeFileSync(home.vaultLock, kept, { mode: 0o600 });
    expect(await vault.lock(OWNER)).toEqual({ kind: 'locked' });
  });

  it('that is being set keeps its key to the end: locking waits its turn', async () => {
    const home = makeTempHome();
    using opened = openVault(home);
    const { vault } = opened;
    vault.set('anthropic', secret('sk-1'), OWNER);
    await vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    const changing = vault.setPassphrase(phrase(`${PASSPHRASE}, and more`), OWNER);
    expect(await vault.lock(OWNER)).toMatchObject({ code: 'busy' });
    expect(await changing).toEqual({ kind: 'done' });
    expect(await vault.lock(OWNER)).toEqual({ kind: 'locked' });
    await vault.unlock(phrase(`${PASSPHRASE}, and more`), OWNER);
    expect(revealed(vault, 'anthropic')).toBe('sk-1');
  });

  it('that is being set does not close another key than the first secret was sealed with meanwhile', async () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      const setting = opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
      expect(await setting).toMatchObject({ kind: 'refused', code: 'busy', next: 'try again in a moment' });
      expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
      expect(await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'done' });
    }
    using again = openVault(home);
    expect(await again.vault.unlock(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'open' });
    expect(revealed(again.vault, 'anthropic')).toBe('sk-1');
  });

  it('that is being set when the host ends takes no key away', async () => {
    const home = makeTempHome();
    const opened = openVault(home);
    opened.vault.set('anthropic', secret('sk-1'), OWNER);
    const setting = opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    opened[Symbol.dispose]();
    expect(await setting).toMatchObject({ kind: 'refused' });
    expect(existsSync(home.vaultLock)).toBe(false);
    using again = openVault(home);
    expect(revealed(again.vault, 'anthropic')).toBe('sk-1');
  });

  it('of another key than the secrets’ opens nothing', async () => {
    const [home, other] = [makeTempHome(), makeTempHome()];
    for (const each of [home, other]) {
      using opened = openVault(each);
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    }
    const own = readFileSync(home.vaultLock);
    writeFileSync(home.vaultLock, readFileSync(other.vaultLock));
    using again = openVault(home);
    expect(again.vault.state).toMatchObject({ kind: 'unusable' });
    expect(await again.vault.unlock(phrase(PASSPHRASE), OWNER)).toMatchObject({ code: 'vault_unusable' });
    expect(again.vault.set('openai', secret('sk-2'), OWNER)).toMatchObject({ code: 'vault_unusable' });
    writeFileSync(home.vaultLock, own);
    expect(await again.vault.unlock(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'open' });
    expect(revealed(again.vault, 'anthropic')).toBe('sk-1');
  });

  it('that is wrong is slowed down, longer each time, and a right one is then taken', async () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    }
    using opened = openVault(home);
    const { vault, clock } = opened;
    expect(await vault.unlock(phrase('wrong'), OWNER)).toMatchObject({
      code: 'wrong_passphrase',
      untilMs: clock.now + 1_000,
    });
    expect(await vault.unlock(phrase(PASSPHRASE), OWNER)).toMatchObject({
      code: 'slow_down',
      untilMs: clock.now + 1_000,
    });
    clock.now += 1_000;
    expect(await vault.unlock(phrase('wrong'), OWNER)).toMatchObject({ untilMs: clock.now + 2_000 });
    clock.now += 2_000;
    expect(await vault.unlock(phrase(PASSPHRASE), OWNER)).toEqual({ kind: 'open' });
    const kinds = opened.ledger.listAbout('vault', 10).map(({ kind }) => kind);
    expect(kinds).toEqual(['vault.passphrase_set', 'vault.unlock_refused', 'vault.unlock_refused', 'vault.unlocked']);
  });

  it('is tried once at a time: many tries at once do not take the memory of the host', async () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    }
    using opened = openVault(home);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => opened.vault.unlock(phrase('wrong'), OWNER)));
    const codes = outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.code : 'open'));
    expect(codes.filter((code) => code === 'wrong_passphrase')).toHaveLength(1);
    expect(codes.filter((code) => code === 'slow_down')).toHaveLength(19);
  });

  it('comes off again', async () => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
      expect(await opened.vault.removePassphrase(OWNER)).toEqual({ kind: 'done' });
    }
    expect(existsSync(home.vaultLock)).toBe(false);
    using opened = openVault(home);
    expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
  });

  it('opens the vault at the start when a file of one’s own holds it', async () => {
    const home = makeTempHome();
    const file = `${home.home}/passphrase`;
    {
      using opened = openVault(home);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    }
    writeFileSync(file, `${PASSPHRASE}\n`, { mode: 0o644 });
    chmodSync(file, 0o644);
    using opened = openVault(home);
    await unlockFromFile(opened.vault, file);
    expect(opened.vault.state.kind).toBe('locked');
    chmodSync(file, 0o600);
    await unlockFromFile(opened.vault, file);
    expect(opened.vault.state.kind).toBe('open');
  });

  it.each([
    ['that asks for all the memory', { kdf: { N: 2 ** 30 } }],
    ['that makes guessing cheap', { kdf: { N: 2 ** 10 } }],
    ['of another version', { version: 2 }],
  ])('in a file %s is not looked at', async (_what, change) => {
    const home = makeTempHome();
    {
      using opened = openVault(home);
      await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER);
    }
    const lock = JSON.parse(readFileSync(home.vaultLock, 'utf8'));
    const changed = { ...lock, ...change, kdf: { ...lock.kdf, ...('kdf' in change ? change.kdf : {}) } };
    writeFileSync(home.vaultLock, JSON.stringify(changed));
    using opened = openVault(home);
    expect(opened.vault.state).toMatchObject({ kind: 'unusable', why: `${home.vaultLock} is damaged` });
  });
});

describe('the key of the environment', () => {
  it('is taken out of it, whatever becomes of it', () => {
    const key = makeKey();
    const environment = { PORTOLAN_VAULT_KEY: formatKey(key), OTHER: 'stays' };
    expect(takeVaultEnvironment(environment).keys.map(({ id }) => id)).toEqual([key.id]);
    expect(environment).toEqual({ OTHER: 'stays' });
    const bad = { PORTOLAN_VAULT_KEY: 'sk-not-a-key' };
    expect(() => takeVaultEnvironment(bad)).toThrow(/expected 32 bytes/);
    expect(() => takeVaultEnvironment({ PORTOLAN_VAULT_KEY: 'sk-not-a-key' })).not.toThrow(/sk-not/);
    expect(bad).toEqual({});
  });

  it('opens the vault without a file, and is changed by giving both', () => {
    const home = makeTempHome();
    const [first, second] = [makeKey(), makeKey()];
    const copy = (key: typeof first) => ({ ...key, bytes: Buffer.from(key.bytes) });
    {
      using opened = openVault(home, [copy(first)]);
      opened.vault.set('anthropic', secret('sk-1'), OWNER);
    }
    expect(existsSync(home.vaultKey)).toBe(false);
    {
      using wrong = openVault(home, [copy(second)]);
      expect(wrong.vault.state).toMatchObject({ kind: 'unusable', why: expect.stringContaining(first.id) });
      expect(wrong.vault.state).toMatchObject({ why: expect.stringContaining(second.id) });
    }
    {
      using both = openVault(home, [copy(second), copy(first)]);
      expect(revealed(both.vault, 'anthropic')).toBe('sk-1');
      expect(both.secrets.keyIds()).toEqual([second.id]);
    }
    using after = openVault(home, [copy(second)]);
    expect(revealed(after.vault, 'anthropic')).toBe('sk-1');
  });

  it('cannot be changed by the host, nor closed with a passphrase', async () => {
    const home = makeTempHome();
    using opened = openVault(home, [makeKey()]);
    opened.vault.set('anthropic', secret('sk-1'), OWNER);
    expect(await opened.vault.rotateKey(null, OWNER)).toMatchObject({ code: 'key_of_environment' });
    expect(await opened.vault.lock(OWNER)).toMatchObject({ code: 'key_of_environment', next: 'portolan stop' });
    expect(revealed(opened.vault, 'anthropic')).toBe('sk-1');
    expect(await opened.vault.setPassphrase(phrase(PASSPHRASE), OWNER)).toMatchObject({ code: 'key_of_environment' });
    expect(existsSync(home.vaultLock)).toBe(false);
  });
});

it('a row that was changed in the database is not opened', () => {
  const home = makeTempHome();
  using opened = openVault(home);
  opened.vault.set('anthropic', secret('sk-1'), OWNER);
  const db = new Database(home.centralDb);
  db.prepare('UPDATE secrets SET ciphertext = zeroblob(length(ciphertext))').run();
  db.close();
  expect(opened.vault.reveal('anthropic').kind).toBe('missing');
});
