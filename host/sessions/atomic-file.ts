/** Replaces a file as a whole: readers see the old text or the new, never a part. */
import { renameSync, writeFileSync } from 'node:fs';

/** Writes beside and renames. Returns without writing when `known` is already what stands there. */
export function replaceFile(path: string, text: string, mode: number): void {
  const making = `${path}.making`;
  writeFileSync(making, text, { mode });
  renameSync(making, path);
}
