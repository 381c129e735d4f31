/** The addresses of this machine. */
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from './addresses.ts';

/** How long they hold. Higher: a new address is not known as this machine's. Lower: each request asks (0.1 ms). */
const KEPT_MS = 10_000;

/** As `canonicalAddress` writes them. */
export function makeOwnAddresses(now: () => number): () => ReadonlySet<string> {
  let kept: ReadonlySet<string> = new Set();
  let readAt = -Infinity;
  return () => {
    if (now() - readAt < KEPT_MS && now() >= readAt) return kept;
    const all = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
    kept = new Set(all.map(({ address }) => canonicalAddress(address.replace(/%.*$/, ''))));
    readAt = now();
    return kept;
  };
}
