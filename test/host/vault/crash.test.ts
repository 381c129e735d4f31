/** A host that is killed in the middle of a change of key: what it had is there for the next. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HomePaths } from '../../../host/config/home.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { bundleProgram } from '../../support/hosted/bundle.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { openVault, PASSPHRASE, revealed, secret } from './open-vault.ts';

/** Runs a change in a process that dies at the failpoint. */
async function die({ home }: HomePaths, what: string, at: string): Promise<void> {
  const program = await bundleProgram('test/host/vault/dying-vault.ts');
  const child = spawnSync(process.execPath, [program, home, what, at], { encoding: 'utf8' });
  expect(child.signal, `${child.stdout}\n${child.stderr}`).toBe('SIGKILL');
}

async function openAgain(home: HomePaths) {
  const opened = openVault(home);
  if (opened.vault.state.kind === 'locked') {
    const outcome = await opened.vault.unlock(SecretValue.ofPassphrase(PASSPHRASE), 'web:owner');
    expect(outcome).toEqual({ kind: 'open' });
  }
  return opened;
}

async function fill(home: HomePaths, withPassphrase: boolean): Promise<void> {
  using opened = openVault(home);
  for (const name of ['anthropic', 'github']) opened.vault.set(name, secret(`key-of-${name}`), 'web:owner');
  if (withPassphrase) await opened.vault.setPassphrase(SecretValue.ofPassphrase(PASSPHRASE), 'web:owner');
}

const STEPS = ['vault.rotate.written', 'vault.rotate.sealed', 'vault.rotate.moved'];

describe('a host killed while it changes the key', () => {
  it.each(STEPS.flatMap((step) => [false, true].map((withPassphrase) => ({ step, withPassphrase }))))(
    'opens every secret at the next start ($step, passphrase: $withPassphrase)',
    { timeout: 60_000 },
    async ({ step, withPassphrase }) => {
      const home = makeTempHome();
      await fill(home, withPassphrase);
      await die(home, 'rotate', step);
      using opened = await openAgain(home);
      expect(['anthropic', 'github'].map((name) => revealed(opened.vault, name))).toEqual([
        'key-of-anthropic',
        'key-of-github',
      ]);
      // Nothing of the change lies about, and the next one goes through.
      expect([home.vaultKey, home.vaultLock].filter((path) => existsSync(`${path}.next`))).toEqual([]);
      const rotated = await opened.vault.rotateKey(SecretValue.ofPassphrase(PASSPHRASE), 'web:owner');
      expect(rotated.kind).toBe('done');
      expect(revealed(opened.vault, 'github')).toBe('key-of-github');
    },
  );

  it('makes the first key anew when it died before that had its name', async () => {
    const home = makeTempHome();
    await die(home, 'set', 'vault.file.written');
    expect(existsSync(home.vaultKey)).toBe(false);
    using opened = openVault(home);
    expect(opened.vault.state).toEqual({ kind: 'empty' });
    expect(opened.vault.set('github', secret('key-of-github'), 'web:owner')).toMatchObject({
      kind: 'set',
      isNew: true,
    });
    expect(revealed(opened.vault, 'github')).toBe('key-of-github');
    expect(existsSync(`${home.vaultKey}.making`)).toBe(false);
  });

  it('opens with the passphrase when the plain key was not yet taken away, and takes it away then', async () => {
    const home = makeTempHome();
    await fill(home, false);
    await die(home, 'close', 'vault.passphrase.written');
    expect(existsSync(home.vaultKey)).toBe(true);
    // As a crash right after the key got its name leaves it.
    copyFileSync(home.vaultKey, `${home.vaultKey}.making`);
    using opened = await openAgain(home);
    expect(revealed(opened.vault, 'github')).toBe('key-of-github');
    expect([home.vaultKey, `${home.vaultKey}.making`].filter((path) => existsSync(path))).toEqual([]);
  });

  it('still asks for the passphrase when that was to be taken off', async () => {
    const home = makeTempHome();
    await fill(home, true);
    await die(home, 'unclose', 'vault.passphrase.unwrapped');
    using opened = await openAgain(home);
    expect(opened.vault.state).toMatchObject({ kind: 'open', source: 'passphrase' });
    expect(revealed(opened.vault, 'github')).toBe('key-of-github');
  });
});
