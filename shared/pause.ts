/** Waiting for a moment without giving up the thread: for locks that the other side holds for less than a millisecond. */

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps this long, fractions of a millisecond included. Nothing else of this process's thread runs meanwhile. */
export function pauseThread(ms: number): void {
  Atomics.wait(NEVER_WOKEN, 0, 0, ms);
}

/**
 * How often a lock is asked for again. SQLite's own waiting begins with a whole millisecond, which is longer
 * than the other side's commit takes to let go. Higher: messages wait. Lower: a processor is busy with asking.
 */
export const LOCK_LOOK_MS = 0.1;
