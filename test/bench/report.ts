/** What the bench measured, as rows for people and for programs. Pure. */

/** Limits on a row's figures, in the row's unit. */
export type Aim = Partial<Record<'p50' | 'p95' | 'p99', { atMost: number } | { atLeast: number }>>;

export interface Row {
  name: string;
  unit: string;
  p50: number;
  p95: number;
  p99: number;
  /** Null when nothing is asked of it: it stands there for comparison. */
  aim: string | null;
  met: boolean | null;
}

/**
 * The value that `share` (0 to 1) of the samples do not exceed: nearest rank, so always one that was measured.
 * Throws RangeError without samples.
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new RangeError('no samples');
  return value;
}

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** Of figures where less is better. */
export function summarise(samples: readonly number[]): Percentiles {
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95), p99: percentile(samples, 0.99) };
}

/** Of figures where more is better: `p95` is what 95 % of the samples reach. */
export function summariseRates(samples: readonly number[]): Percentiles {
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.05), p99: percentile(samples, 0.01) };
}

/** How much one is above the other, percentile by percentile. */
export function divide(above: Percentiles, below: Percentiles): Percentiles {
  return { p50: above.p50 / below.p50, p95: above.p95 / below.p95, p99: above.p99 / below.p99 };
}

/** How much more one is than the other, percentile by percentile. */
export function subtract(from: Percentiles, other: Percentiles): Percentiles {
  return { p50: from.p50 - other.p50, p95: from.p95 - other.p95, p99: from.p99 - other.p99 };
}

export function makeRow(name: string, unit: string, figures: Percentiles, aim: Aim | null = null): Row {
  return {
    name,
    unit,
    p50: round(figures.p50),
    p95: round(figures.p95),
    p99: round(figures.p99),
    aim: aim === null ? null : describeAim(aim, unit),
    met: aim === null ? null : isMet(figures, aim),
  };
}

/** A figure that has no spread: a count. */
export function makeCountRow(name: string, unit: string, count: number, atMost: number): Row {
  return makeRow(name, unit, { p50: count, p95: count, p99: count }, { p50: { atMost } });
}

const LEVELS = ['p50', 'p95', 'p99'] as const;

function isMet(figures: Percentiles, aim: Aim): boolean {
  return LEVELS.every((level) => {
    const limit = aim[level];
    if (limit === undefined) return true;
    return 'atMost' in limit ? figures[level] <= limit.atMost : figures[level] >= limit.atLeast;
  });
}

function describeAim(aim: Aim, unit: string): string {
  return LEVELS.flatMap((level) => {
    const limit = aim[level];
    if (limit === undefined) return [];
    return [`${level} ${'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`} ${unit}`];
  }).join(', ');
}

function round(value: number): number {
  if (value === 0) return 0;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const factor = 10 ** Math.min(digits, 4);
  return Math.round(value * factor) / factor;
}

const HEADINGS = ['', 'unit', 'p50', 'p95', 'p99', 'aim', 'met'];
const RIGHT_ALIGNED = [2, 3, 4];

export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    String(row.p50),
    String(row.p95),
    String(row.p99),
    row.aim ?? '',
    row.met === null ? '' : row.met ? 'yes' : 'NO',
  ]);
  const all = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_heading, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const lines = all.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT_ALIGNED.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}
