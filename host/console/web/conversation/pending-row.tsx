import { Button, Progress } from '@mantine/core';
import type { Problem } from '../client/fault.ts';
import { useConsole } from '../state/context.tsx';
import type { Pending } from '../state/pending.ts';
import { Icon } from '../style/icons.tsx';
import { formatClock, formatSize } from '../style/time.ts';
import attachmentClasses from './attachment-list.module.css';
import classes from './message.module.css';

/** My message before the host has confirmed it. */
export function PendingRow({ pending, startsGroup }: { pending: Pending; startsGroup: boolean }) {
  return (
    <article
      className={classes.row}
      data-mine
      data-starts={startsGroup || undefined}
      data-pending={pending.status.kind}
      aria-label="You, being sent"
    >
      {startsGroup && (
        <div className={classes.heading}>
          <time className={classes.time} dateTime={new Date(pending.createdAt).toISOString()}>
            {formatClock(pending.createdAt)}
          </time>
        </div>
      )}
      <div className={classes.line}>
        <div className={classes.bubble}>
          {pending.text !== '' && <div className={classes.plain}>{pending.text}</div>}
          {pending.files.map((file) => (
            <div key={`${file.name} ${file.size} ${file.lastModified}`} className={attachmentClasses.file}>
              <Icon name="file" />
              <span className={attachmentClasses.name}>{file.name}</span>
              <span className={attachmentClasses.size}>{formatSize(file.size)}</span>
            </div>
          ))}
        </div>
      </div>
      <div className={classes.footer}>
        <Status pending={pending} />
      </div>
    </article>
  );
}

function Status({ pending }: { pending: Pending }) {
  const { status } = pending;
  switch (status.kind) {
    case 'waiting':
      return (
        <span className={classes.state}>
          <Icon name="clock" size={14} />
          Waiting to be sent
        </span>
      );
    case 'sending': {
      const percent = status.totalBytes > 0 ? Math.round((100 * status.sentBytes) / status.totalBytes) : 0;
      const uploads = pending.files.length > 0 && percent > 0;
      return (
        <>
          {uploads && <Progress className={classes.progress ?? ''} value={percent} size="sm" aria-label="Upload" />}
          <span className={classes.state}>
            <Icon name="clock" size={14} />
            {uploads ? `${percent} %` : 'Sending…'}
          </span>
        </>
      );
    }
    case 'failed':
      return <Failed pending={pending} problem={status.problem} />;
  }
}

function Failed({ pending, problem }: { pending: Pending; problem: Problem }) {
  const console = useConsole();
  return (
    <>
      {problem.hostAway ? (
        <span className={classes.state}>
          <Icon name="clock" size={14} />
          Waiting for the host
        </span>
      ) : (
        <span className={classes.state} data-tone="bad" role="alert">
          <Icon name="warning" size={14} />
          <span>
            Not sent: {problem.message}
            {problem.hint !== null && ` (${problem.hint})`}
          </span>
        </span>
      )}
      <span className={classes.settle}>
        <Button size="compact-xs" variant="default" onClick={() => console.retry(pending.clientId)}>
          Try again
        </Button>
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => console.discard(pending.clientId)}>
          Discard
        </Button>
      </span>
    </>
  );
}
