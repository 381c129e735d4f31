/** Longest wait that is read. Higher numbers are as good as this one: the host has its own bound. */
const MAX_MS = 24 * 3_600_000;

/** Of the header `retry-after`: seconds, or a date; `now` is epoch ms. Null when it is neither. Source: RFC 9110, 10.2.3. */
export function readRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(value)) return Math.min(Math.round(Number(value) * 1_000), MAX_MS);
  // What is no date in words would be taken for one in some way.
  const at = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - now), MAX_MS);
}
