/** Lengths of time as people type and read them: `90s`, `30m`, `24h`, `7d`. Pure. */
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/** In ms; null when it is none. */
export function parseLength(text: string): number | null {
  const match = /^(\d{1,6})\s*([smhd])$/.exec(text.trim().toLowerCase());
  if (match === null) return null;
  // The pattern admits these letters alone.
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
}

/** In its largest whole unit: `90s`, `24h`, `2d`. */
export function formatLength(lengthMs: number): string {
  const unit = (['d', 'h', 'm'] as const).find((one) => lengthMs > UNITS_MS[one] && lengthMs % UNITS_MS[one] === 0);
  const fitting = unit ?? (lengthMs % UNITS_MS.m === 0 ? 'm' : 's');
  return `${lengthMs / UNITS_MS[fitting]}${fitting}`;
}
