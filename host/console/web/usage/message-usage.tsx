import type { MessageUsage } from '../client/types.ts';
import classes from './usage.module.css';
import { describeUsage } from './words.ts';

/** What answering a message cost, in one line; its details say the rest. */
export function MessageUsageLine({ usage, onDetails }: { usage: MessageUsage; onDetails: () => void }) {
  const words = describeUsage(usage);
  return (
    <button
      type="button"
      className={classes.line}
      aria-label={`Answering this cost ${words}; details`}
      onClick={onDetails}
    >
      {words}
    </button>
  );
}
