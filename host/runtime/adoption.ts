/** Whose a container is that was found by its label: this run's, or an orphan's. Pure. */
import type { ListedContainer } from './drivers/driver.ts';
import { isSettled } from './plan.ts';
import type { RuntimeRecord } from './ports.ts';

export type Adoption =
  | { kind: 'adopt' }
  /** Ours, and of no use: its session is gone, it never ran, or a newer run has taken over. */
  | { kind: 'remove'; why: 'no-session' | 'never-ran' | 'stale-run' | 'settled-run' };

/**
 * What to do with a container of this install. `record` is null when there is no such session.
 * Containers of other installs never get here: drivers do not list them.
 */
export function planAdoption(
  container: Pick<ListedContainer, 'epoch' | 'state'>,
  record: RuntimeRecord | null,
): Adoption {
  if (record === null) return { kind: 'remove', why: 'no-session' };
  if (container.state === 'created') return { kind: 'remove', why: 'never-ran' };
  if (container.epoch !== record.epoch) return { kind: 'remove', why: 'stale-run' };
  // Its end was recorded, and only the removal was missed.
  if (isSettled(record)) return { kind: 'remove', why: 'settled-run' };
  return { kind: 'adopt' };
}
