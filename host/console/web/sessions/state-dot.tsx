import { Tooltip } from '@mantine/core';
import type { Session, SessionState } from '../client/types.ts';
import classes from './state-dot.module.css';

/** What each state means to the person who waits for an answer. */
const MEANING: Record<SessionState, { label: string; means: string }> = {
  running: { label: 'Running', means: 'the container is up and answers at once' },
  paused: { label: 'Paused', means: 'frozen to save power; thaws with the next message' },
  idle: { label: 'Idle', means: 'no container; starts with the next message' },
  starting: { label: 'Starting', means: 'the container is on its way up' },
  stopping: { label: 'Stopping', means: 'the container is on its way down' },
  waiting: { label: 'Waiting', means: 'messages are kept until it can start' },
  failed: { label: 'Failed', means: 'the container could not do its work' },
  quarantined: { label: 'Quarantined', means: 'set aside because its container broke the rules' },
};

export function labelState(session: Session): string {
  return MEANING[session.state].label;
}

/** Tells a session's state by colour, shape, tooltip and hidden text. */
export function StateDot({ session, size = 10 }: { session: Session; size?: number }) {
  const { label, means } = MEANING[session.state];
  return (
    <Tooltip label={`${label}: ${session.stateReason ?? means}`} openDelay={250} multiline maw={320} withArrow>
      <span className={classes.dot} data-state={session.state} style={{ width: size, height: size }}>
        <span className={classes.hidden}>{label}</span>
      </span>
    </Tooltip>
  );
}
