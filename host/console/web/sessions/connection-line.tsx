import { Button, Loader } from '@mantine/core';
import { useConsole, useConsoleState } from '../state/context.tsx';
import classes from './connection-line.module.css';

/** A calm line above the conversation, or a page, while the host is out of reach. `says`: what that means there. */
export function ConnectionLine({ says }: { says: string }) {
  const console = useConsole();
  const connection = useConsoleState((state) => state.connection);
  // One quick reconnect is nobody's business.
  const shown = connection.kind === 'reconnecting' && (connection.attempt > 1 || connection.retryAtMs === null);
  return (
    <div role="status" aria-live="polite">
      {shown && (
        <div className={classes.line}>
          <Loader size={14} color="var(--warn)" />
          <span>Reconnecting… {says}</span>
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => console.hurry()}>
            Try now
          </Button>
        </div>
      )}
    </div>
  );
}
