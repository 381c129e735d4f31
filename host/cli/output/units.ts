/** Times, durations and sizes, as people read them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago `at` was, in its largest unit: `now`, `12s ago`, `3h ago`, `in 5m`. Epoch ms. */
export function formatAge(at: number, now: number): string {
  const distance = now - at;
  if (Math.abs(distance) < SECOND) return 'now';
  const length = formatSpan(Math.abs(distance));
  return distance > 0 ? `${length} ago` : `in ${length}`;
}

function formatSpan(spanMs: number): string {
  if (spanMs < MINUTE) return `${Math.floor(spanMs / SECOND)}s`;
  if (spanMs < HOUR) return `${Math.floor(spanMs / MINUTE)}m`;
  if (spanMs < DAY) return `${Math.floor(spanMs / HOUR)}h`;
  return `${Math.floor(spanMs / DAY)}d`;
}

/** A duration with three significant digits at most: `0.84 ms`, `12 ms`, `3.2 s`, `5 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10) return `${durationMs.toFixed(2)} ms`;
  if (durationMs < SECOND) return `${durationMs.toFixed(durationMs < 100 ? 1 : 0)} ms`;
  if (durationMs < MINUTE) return `${(durationMs / SECOND).toFixed(1)} s`;
  return `${Math.round(durationMs / MINUTE)} min`;
}

/** Bytes in binary units: `512 B`, `1.5 KiB`, `25 MiB`. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = sizeBytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  const digits = at === 0 || value >= 10 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[at]}`;
}

/** Local clock time `14:05`, with the date in front when it is another day than `now`. */
export function formatClock(at: number, now: number): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** The same with seconds: `14:05:09`. */
export function formatClockSeconds(at: number, now: number): string {
  return `${formatClock(at, now)}:${two(new Date(at).getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Date and clock time in a named zone: `2026-11-24 09:00`, with seconds when there are any. Epoch ms, IANA name. */
export function formatZoned(at: number, timezone: string): string {
  const hasSeconds = Math.floor(at / SECOND) % 60 !== 0;
  // The Swedish order is the one that sorts.
  return new Intl.DateTimeFormat('sv', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    ...(hasSeconds ? { second: '2-digit' } : {}),
  }).format(at);
}
