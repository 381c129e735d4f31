/** How much memory the machine has left. */
import { readFileSync } from 'node:fs';
import { MIN_FREE_MEMORY } from './policy.ts';
import type { RuntimeClock } from './ports.ts';

/** How long a measured figure holds. Longer: idle containers stop late. Shorter: a read for each plan. */
const MEASURE_MS = 1_000;

/** Says whether less than MIN_FREE_MEMORY of the machine's memory is left; never where the kernel does not tell. */
export function makeMemoryGauge(clock: RuntimeClock, path = '/proc/meminfo'): () => boolean {
  let measuredMs = Number.NEGATIVE_INFINITY;
  let isShort = false;
  return () => {
    const now = clock.now();
    if (now - measuredMs >= MEASURE_MS) {
      measuredMs = now;
      isShort = isMemoryShort(readMemoryInfo(path));
    }
    return isShort;
  };
}

/** `text` is that of /proc/meminfo. */
export function isMemoryShort(text: string): boolean {
  const total = /^MemTotal:\s+(\d+) kB$/m.exec(text)?.[1];
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  if (total === undefined || available === undefined) return false;
  return Number(available) < Number(total) * MIN_FREE_MEMORY;
}

function readMemoryInfo(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
