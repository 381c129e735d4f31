/**
 * Freezing without leaving a database locked. A freeze in the middle of a commit would hold the lock for as
 * long as the container stays frozen, and nobody could write to it.
 *
 * I1. Before: the runner says it is idle, and goes on saying so through 20 ms in which nothing rang.
 * I2. After: inbound.db can be locked and outbound.db read. If not, or if something rang, it thaws at once.
 */
import { type ContainerId, epochMs } from '../../shared/ids.ts';
import { type ContainerDriver, DriverFault } from './drivers/driver.ts';
import { PROBE_DEADLINE_MS, type RuntimePolicy } from './policy.ts';
import type { RuntimeClock, RuntimeSessions } from './ports.ts';
import type { Tracked } from './tracked.ts';

export interface SafePauseParts {
  driver: ContainerDriver;
  sessions: RuntimeSessions;
  clock: RuntimeClock;
  policy: RuntimePolicy;
}

export type PauseOutcome =
  | { kind: 'paused' }
  /** It was not idle after all, or work came. */
  | { kind: 'called-off' }
  /** A lock was held, or the engine could not freeze it: it runs on. */
  | { kind: 'unsafe' };

/** Freezes the tracked container, which the plan found idle. Throws DriverFault. */
export async function pauseSafely(parts: SafePauseParts, tracked: Tracked): Promise<PauseOutcome> {
  const { driver, sessions, clock, policy } = parts;
  const { sessionId, container, liveness } = tracked;
  if (container === null || liveness?.kind !== 'live') return { kind: 'called-off' };
  const ringsBefore = tracked.rings;
  await sleep(clock, policy.quietMs);
  if (tracked.rings !== ringsBefore) return { kind: 'called-off' };
  const later = await sessions.readLiveness(sessionId);
  const isStillIdle = later.kind === 'live' && later.idleSinceMs === liveness.idleSinceMs && later.openClaims === 0;
  if (!isStillIdle || tracked.rings !== ringsBefore) return { kind: 'called-off' };

  if (!(await tryPause(driver, container.id))) return { kind: 'unsafe' };
  let isSafe = false;
  try {
    isSafe = await within(clock, PROBE_DEADLINE_MS, sessions.probeLocks(sessionId));
  } finally {
    // Also when the probe threw: what cannot be checked does not stay frozen.
    if (!isSafe || tracked.rings !== ringsBefore) await driver.resume(container.id);
  }
  if (!isSafe) return { kind: 'unsafe' };
  return { kind: tracked.rings === ringsBefore ? 'paused' : 'called-off' };
}

/** False when the engine could not: on a busy machine the kernel sometimes gives up in the middle, and thaws. */
async function tryPause(driver: ContainerDriver, id: ContainerId): Promise<boolean> {
  try {
    await driver.pause(id);
    return true;
  } catch (error) {
    if (error instanceof DriverFault && error.kind === 'engine-refused') return false;
    throw error;
  }
}

function sleep(clock: RuntimeClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.at(epochMs(clock.now() + ms), resolve);
  });
}

/** False when the answer does not come in time. */
async function within(clock: RuntimeClock, ms: number, answer: Promise<boolean>): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.at(epochMs(clock.now() + ms), () => resolve(false));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}
