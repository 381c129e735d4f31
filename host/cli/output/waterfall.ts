/** A waterfall: one line per stage, with a bar from the stage before it. Pure. */
import type { Style } from './style.ts';
import { pad } from './text.ts';
import { formatDuration } from './units.ts';

interface StageTime {
  stage: string;
  /** Epoch ms with a fraction. */
  at: number;
}

const MIN_BAR_COLUMNS = 10;
const MAX_BAR_COLUMNS = 60;

/**
 * `expected` names every stage in order; one that has no time yet is shown as open, so that a message that is
 * stuck shows where. Times before the one in front (clocks may jump) give an empty bar, never a negative one.
 */
export function formatWaterfall(
  stages: readonly StageTime[],
  expected: readonly string[],
  style: Style,
  columns: number,
): string {
  const times = new Map(stages.map(({ stage, at }) => [stage, at]));
  const order = [...expected, ...stages.map(({ stage }) => stage).filter((stage) => !expected.includes(stage))];
  const start = Math.min(...times.values());
  const totalMs = Math.max(...times.values()) - start;
  const nameColumns = Math.max(...order.map((stage) => stage.length));
  const timeColumns = 9;
  const room = columns - nameColumns - 2 * timeColumns - 6;
  const barColumns = Math.min(MAX_BAR_COLUMNS, Math.max(MIN_BAR_COLUMNS, room));
  let previous = start;
  const lines = order.map((stage) => {
    const at = times.get(stage);
    const name = pad(stage, nameColumns);
    if (at === undefined) return style.dim(`${name}  ${pad('–', timeColumns, 'right')}`);
    const stepMs = Math.max(0, at - previous);
    const bar = drawBar(previous - start, Math.max(at, previous) - start, totalMs, barColumns);
    previous = Math.max(previous, at);
    const isSlow = totalMs > 0 && stepMs >= totalMs / 3;
    const painted = isSlow ? style.yellow(bar) : style.cyan(bar);
    const step = pad(`+${formatDuration(stepMs)}`, timeColumns, 'right');
    return `${name}  ${pad(formatDuration(at - start), timeColumns, 'right')}  ${painted}  ${isSlow ? style.yellow(step) : style.dim(step)}`;
  });
  return times.size === 0 ? style.dim('nothing is stamped yet') : lines.join('\n');
}

function drawBar(fromMs: number, toMs: number, totalMs: number, columns: number): string {
  if (totalMs <= 0) return pad('▏', columns);
  const from = Math.min(columns - 1, Math.floor((fromMs / totalMs) * columns));
  const to = Math.min(columns, Math.round((toMs / totalMs) * columns));
  return pad(`${' '.repeat(from)}${to > from ? '█'.repeat(to - from) : '▏'}`, columns);
}
