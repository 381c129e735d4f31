import { Text } from '@mantine/core';
import type { Trace } from '../client/types.ts';
import { formatDuration, formatFullTime } from '../style/time.ts';
import classes from './details.module.css';
import { planWaterfall } from './plan-waterfall.ts';

/** Answers whose paths are drawn; a message that caused a flood of them is not worth more. */
const MAX_REPLIES = 5;

/** The stamped stages of a message, each as a bar from the stage before it; on to each of its answers. */
export function Waterfalls({ trace }: { trace: Trace }) {
  if (trace.replies.length === 0) return <Waterfall stages={trace.stages} />;
  return trace.replies.slice(0, MAX_REPLIES).map((reply) => (
    <div key={reply.id} className={classes.path}>
      <Text size="xs" c="dimmed" mb={4}>
        To the answer{reply.destination === null ? '' : ` for ${reply.destination}`}
      </Text>
      <Waterfall stages={reply.stages} />
    </div>
  ));
}

function Waterfall({ stages }: { stages: Trace['stages'] }) {
  const bars = planWaterfall(stages);
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
