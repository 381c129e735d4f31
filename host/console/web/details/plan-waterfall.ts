import type { Trace } from '../client/types.ts';

export interface Bar {
  key: string;
  label: string;
  /** Start and width, in percent of the whole path. */
  startPercent: number;
  widthPercent: number;
  /** Since the stage before; null for the first. */
  durationMs: number | null;
  at: number;
}

const LABELS: Record<string, string> = {
  received: 'Received',
  routed: 'Routed',
  committed: 'Committed',
  woken: 'Container woken',
  claimed: 'Claimed by the runner',
  provider_started: 'Provider started',
  first_output: 'First output',
  row_committed: 'Answer committed',
  read: 'Read by the host',
  sent: 'Sent',
};

/** The narrowest bar that can be seen, in percent. */
const MIN_WIDTH = 0.6;

/** One bar per stage, from the stage before it to its own time. */
export function planWaterfall(stages: Trace['stages']): Bar[] {
  const ordered = stages.toSorted((a, b) => a.at - b.at);
  const first = ordered[0];
  const last = ordered.at(-1);
  if (first === undefined || last === undefined) return [];
  const wholeMs = Math.max(last.at - first.at, 0.001);
  return ordered.map((stage, index) => {
    const before = ordered[index - 1] ?? stage;
    const startPercent = Math.min((100 * (before.at - first.at)) / wholeMs, 100 - MIN_WIDTH);
    const widthPercent = Math.max((100 * (stage.at - before.at)) / wholeMs, MIN_WIDTH);
    return {
      key: `${stage.stage} ${index}`,
      label: LABELS[stage.stage] ?? stage.stage,
      startPercent,
      widthPercent: Math.min(widthPercent, 100 - startPercent),
      durationMs: index === 0 ? null : stage.at - before.at,
      at: stage.at,
    };
  });
}
