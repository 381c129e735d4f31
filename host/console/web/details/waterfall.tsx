import { Text } from '@mantine/core';
import type { Trace } from '../client/types.ts';
import { formatDuration, formatFullTime } from '../style/time.ts';
import classes from './details.module.css';
import { planWaterfall } from './plan-waterfall.ts';

/** The stamped stages of a message, each as a bar from the stage before it. */
export function Waterfall({ trace }: { trace: Trace }) {
  const bars = planWaterfall(trace.stages);
  if (bars.length === 0) return <Text c="dimmed">No stage is stamped yet.</Text>;
  const wholeMs = (bars.at(-1)?.at ?? 0) - (bars[0]?.at ?? 0);
  return (
    <>
      <ol className={classes.waterfall}>
        {bars.map((bar) => (
          <li key={bar.key} title={formatFullTime(bar.at)}>
            <span>{bar.label}</span>
            <span className={classes.track} aria-hidden="true">
              <i style={{ left: `${bar.startPercent}%`, width: `${bar.widthPercent}%` }} />
            </span>
            <span className={classes.duration}>
              {bar.durationMs === null ? 'start' : formatDuration(bar.durationMs)}
            </span>
          </li>
        ))}
      </ol>
      <Text size="sm" mt={8} className={classes.total}>
        {formatDuration(wholeMs)} in all
      </Text>
    </>
  );
}
