import { Button, Progress } from '@mantine/core';
import { useConsole } from '../state/context.tsx';
import type { Pending } from '../state/pending.ts';
import { Icon } from '../style/icons.tsx';
import { formatSize } from '../style/time.ts';
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
  const console = useConsole();
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
      return (
        <>
          <span className={classes.state} data-tone="bad" role="alert">
            <Icon name="warning" size={14} />
            <span>
              Not sent: {status.problem.message}
              {status.problem.hint !== null && ` (${status.problem.hint})`}
            </span>
          </span>
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
}
