import { VisuallyHidden } from '@mantine/core';
import { memo } from 'react';
import { Link } from 'react-router';
import type { Session } from '../client/types.ts';
import { useMe } from '../sign-in/use-me.ts';
import { formatFullTime, formatWhen } from '../style/time.ts';
import { describeSnippet, nameSession } from './order.ts';
import classes from './session-list.module.css';
import { StateDot } from './state-dot.tsx';

interface SessionRowProps {
  session: Session;
  chosen: boolean;
  /** One row of the list is in the tab order; arrow keys reach the others. */
  focusable: boolean;
}

export const SessionRow = memo(function SessionRow({ session, chosen, focusable }: SessionRowProps) {
  const myUserId = useMe()?.userId ?? null;
  const name = nameSession(session);
  const snippet = describeLast(session, myUserId);
  const at = session.lastMessage?.at ?? session.createdAt;
  return (
    <li>
      <Link
        to={`/sessions/${session.id}`}
        className={classes.row}
        aria-current={chosen ? 'page' : undefined}
        tabIndex={focusable ? 0 : -1}
        data-unread={session.unread > 0 || undefined}
        data-session={session.id}
      >
        <StateDot session={session} />
        <span className={classes.name}>
          {name}
          {name !== session.agentName && <span className={classes.agent}> · {session.agentName}</span>}
        </span>
        <time className={classes.when} dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
          {formatWhen(at, Date.now())}
        </time>
        <span className={classes.snippet} data-tone={snippet.tone}>
          {snippet.text}
        </span>
        {session.unread > 0 && (
          <span className={classes.badge}>
            {session.unread > 99 ? '99+' : session.unread}
            <VisuallyHidden> unread</VisuallyHidden>
          </span>
        )}
      </Link>
    </li>
  );
});

function describeLast(session: Session, myUserId: string | null): { text: string; tone: 'bad' | 'live' | undefined } {
  if (session.state === 'quarantined') return { text: 'Quarantined: needs a look', tone: 'bad' };
  if (session.state === 'failed') return { text: 'Failed: needs a look', tone: 'bad' };
  if (session.typing) return { text: 'typing…', tone: 'live' };
  return { text: describeSnippet(session, myUserId), tone: undefined };
}
