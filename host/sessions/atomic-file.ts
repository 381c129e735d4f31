/** Replaces a file as a whole: readers see the old text or the new, never a part. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/** Writes beside and renames. `mode` holds whatever the umask. */
export function replaceFile(path: string, text: string, mode: number): void {
  const making = `${path}.making`;
  writeFileSync(making, text, { mode });
  chmodSync(making, mode);
  renameSync(making, path);
}
