/** A moment as a model writes it: epoch milliseconds, an ISO time with offset, or a local ISO time. */

const LOCAL = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$/i;

export type Moment = { ok: true; epochMs: number } | { ok: false; problem: string };

/**
 * A local time means the clock in `timezone` (IANA name), which is the process's own when null. One that a
 * change to summer time skips means the same moment after the change.
 */
export function parseMoment(at: number | string, timezone: string | null): Moment {
  if (typeof at === 'number') return { ok: true, epochMs: at };
  const text = at.trim();
  const local = LOCAL.exec(text);
  if (!local && !WITH_OFFSET.test(text)) {
    return { ok: false, problem: `${JSON.stringify(at)} is no time; write it like 2026-11-22T09:00` };
  }
  const iso = local ? `${local[1]}T${local[2]}${local[3] ?? ':00'}` : text.replace(' ', 'T');
  try {
    const epochMs = local && timezone !== null ? readInZone(iso, timezone) : Date.parse(iso);
    return Number.isFinite(epochMs)
      ? { ok: true, epochMs }
      : { ok: false, problem: `${JSON.stringify(at)} is not in the calendar` };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ok: false, problem: `there is no time zone ${JSON.stringify(timezone)}; use a name like Europe/Berlin` };
  }
}

/** Twice, because the offset is that of the moment looked for, which the first look only comes near. */
function readInZone(iso: string, timezone: string): number {
  const asUtc = Date.parse(`${iso}Z`);
  if (!Number.isFinite(asUtc)) return asUtc;
  const near = asUtc - offsetAt(asUtc, timezone);
  return asUtc - Math.min(offsetAt(near, timezone), offsetAt(asUtc - offsetAt(near, timezone), timezone));
}

/** How far the zone's clock is ahead of UTC, ms. Throws RangeError for a name that is no zone. */
function offsetAt(epochMs: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const clock = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return clock - Math.floor(epochMs / 1_000) * 1_000;
}
