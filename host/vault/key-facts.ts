/** What `planKey` judges, read from the home. Used by the host when it starts, and by the doctor, who changes nothing. */
import type { HomePaths } from '../config/home.ts';
import { parseKey, type VaultKey } from './cipher.ts';
import { parseLock } from './passphrase.ts';
import type { KeyFacts, KeyFileFact, KeyFiles } from './plan-key.ts';
import { type PrivateFile, readPrivateFile } from './private-file.ts';

/** The end of the name of a change of key that is not settled. */
export const NEXT = '.next';

export function readKeyFacts(
  { vaultKey, vaultLock }: Pick<HomePaths, 'vaultKey' | 'vaultLock'>,
  environment: readonly VaultKey[],
  sealedWith: readonly string[],
): KeyFacts {
  return {
    environment: environment.map(({ id }) => id),
    lock: readBoth(vaultLock, describeLock),
    key: readBoth(vaultKey, describeKey),
    sealedWith,
    paths: { key: vaultKey, lock: vaultLock },
  };
}

/** Null: there is none that may be used. */
export function readKey(path: string): VaultKey | null {
  const file = readPrivateFile(path);
  return file.kind === 'text' ? parseKey(file.text) : null;
}

function readBoth(path: string, describe: (path: string, file: PrivateFile) => KeyFileFact): KeyFiles {
  return { now: describe(path, readPrivateFile(path)), next: describe(path + NEXT, readPrivateFile(path + NEXT)) };
}

function describeKey(path: string, file: PrivateFile): KeyFileFact {
  if (file.kind !== 'text') return file;
  const key = parseKey(file.text);
  if (key === null) return { kind: 'refused', why: `${path} holds no key`, next: `cp <backup> ${path}` };
  key.bytes.fill(0);
  return { kind: 'key', id: key.id };
}

function describeLock(path: string, file: PrivateFile): KeyFileFact {
  if (file.kind !== 'text') return file;
  const lock = parseLock(file.text);
  if (lock === null) return { kind: 'refused', why: `${path} is damaged`, next: `cp <backup> ${path}` };
  return { kind: 'key', id: lock.keyId };
}
