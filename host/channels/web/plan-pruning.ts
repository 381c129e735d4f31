/** Which kept files go when there are too many or they are too old. Pure. */
import type { MessageId } from '../../../shared/ids.ts';

/** The kept files of one message. */
export interface KeptFolder {
  id: MessageId;
  sizeBytes: number;
  /** Epoch ms. */
  keptAt: number;
}

export interface KeptLimits {
  maxBytes: number;
  maxAgeMs: number;
}

/** When there is too much, this part of the limit is left: else each new file would remove one old one. */
const LEFT_OF_LIMIT = 0.9;

/** Too old goes in any case; then the oldest, until what is left fits well. */
export function planPruning(
  folders: readonly KeptFolder[],
  { maxBytes, maxAgeMs }: KeptLimits,
  now: number,
): { remove: KeptFolder[]; bytesLeft: number } {
  let bytesLeft = folders.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const goal = bytesLeft > maxBytes ? maxBytes * LEFT_OF_LIMIT : maxBytes;
  const remove: KeptFolder[] = [];
  for (const folder of folders.toSorted((one, other) => one.keptAt - other.keptAt)) {
    if (now - folder.keptAt <= maxAgeMs && bytesLeft <= goal) break;
    remove.push(folder);
    bytesLeft -= folder.sizeBytes;
  }
  return { remove, bytesLeft };
}
