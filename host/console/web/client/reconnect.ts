/** First wait after a lost connection. Higher: a restart of the host is noticed late. Lower: a dead host is hammered. */
export const RECONNECT_BASE_MS = 400;
/** Longest wait. Higher: people stare at "reconnecting". Lower: a laptop asleep next door wastes battery. */
export const RECONNECT_MAX_MS = 15_000;

/**
 * How long to wait before connection attempt number `attempt` (1 = the first after a loss).
 * Doubles each time up to the limit, less up to a half by chance, so that tabs do not come back in step.
 * `random` is in 0..1.
 */
export function planReconnectMs(attempt: number, random: number): number {
  const full = Math.min(RECONNECT_MAX_MS, RECONNECT_BASE_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full * (1 - random / 2));
}
