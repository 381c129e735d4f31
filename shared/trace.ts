/**
 * The ten stages of a message's path, in order. A stamp is epoch milliseconds with a fraction
 * (microsecond resolution), taken from the same kernel clock on both sides of the container.
 */
export const STAGES = [
  'received',
  'routed',
  'committed',
  'woken',
  'claimed',
  'provider_started',
  'first_output',
  'row_committed',
  'read',
  'sent',
] as const;
export type Stage = (typeof STAGES)[number];
export type Stamps = Partial<Record<Stage, number>>;

/** Now, epoch ms with a fraction. */
export function stampNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
}
