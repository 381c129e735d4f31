/** A file that holds the vault's passphrase: of a service manager, or of somebody who types it nowhere. */
import { readPrivateFile } from './private-file.ts';

/** The first line of a file that nobody else may read. */
export function readPassphrase(
  path: string,
): { kind: 'passphrase'; text: string } | { kind: 'refused'; why: string; next: string } {
  const file = readPrivateFile(path);
  if (file.kind === 'absent') return { kind: 'refused', why: `there is no file ${path}`, next: `ls -l ${path}` };
  if (file.kind === 'refused') return file;
  return { kind: 'passphrase', text: (file.text.split(/\r?\n/)[0] ?? '').trim() };
}
