import { ActionIcon, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { Session } from '../client/types.ts';
import { nameSession } from '../sessions/order.ts';
import { labelState, StateDot } from '../sessions/state-dot.tsx';
import { Icon } from '../style/icons.tsx';
import classes from './conversation.module.css';

export function ConversationHeader({ session, onDetails }: { session: Session | null; onDetails: () => void }) {
  const name = session === null ? '' : nameSession(session);
  return (
    <header className={classes.header}>
      <ActionIcon
        component={Link}
        to="/"
        variant="subtle"
        color="gray"
        size={44}
        className={classes.back ?? ''}
        aria-label="All chats"
      >
        <Icon name="back" />
      </ActionIcon>
      <div className={classes.titles}>
        <h2 className={classes.title} tabIndex={-1} data-conversation-title>
          {name || '\u00a0'}
        </h2>
        {session !== null && (
          <div className={classes.subtitle}>
            <StateDot session={session} size={8} />
            <span aria-hidden="true">{labelState(session)}</span>
            {name !== session.agentName && <span>· {session.agentName}</span>}
            {session.channelType !== null && session.channelType !== 'web' && <span>· {session.channelType}</span>}
          </div>
        )}
      </div>
      <Tooltip label="Details" openDelay={400}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={44}
          aria-label="Chat details"
          disabled={session === null}
          onClick={onDetails}
        >
          <Icon name="info" />
        </ActionIcon>
      </Tooltip>
    </header>
  );
}
