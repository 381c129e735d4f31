import { ActionIcon, Button, Skeleton, Text, Tooltip } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { useMemo, useRef } from 'react';
import { useMe } from '../sign-in/use-me.ts';
import { useConsole, useConsoleState } from '../state/context.tsx';
import { Icon, Mark } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import { NewChatButton } from './new-chat-button.tsx';
import { orderSessions } from './order.ts';
import classes from './session-list.module.css';
import { SessionRow } from './session-row.tsx';
import { SettingsMenu } from './settings-menu.tsx';

export function SessionList({ chosenId, onSearch }: { chosenId: string | null; onSearch: () => void }) {
  const console = useConsole();
  const notices = useNotices();
  const list = useConsoleState((state) => state.sessions);
  const sessions = useMemo(() => orderSessions(list.byId.values()), [list.byId]);
  const mayStart = useMe()?.may.openChats !== false;
  const rows = useRef<HTMLUListElement>(null);
  const focusableId = chosenId !== null && list.byId.has(chosenId) ? chosenId : sessions[0]?.id;

  function moveFocus(event: KeyboardEvent) {
    const links = [...(rows.current?.querySelectorAll('a') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
  }

  return (
    <nav className={classes.nav} aria-label="Chats">
      <header className={classes.header}>
        <Mark size={24} />
        <Text component="h1" className={classes.brand}>
          Portolan
        </Text>
        <Tooltip label="Find a chat (Ctrl K)" openDelay={400}>
          <ActionIcon variant="subtle" color="gray" size={42} aria-label="Find a chat" onClick={onSearch}>
            <Icon name="search" />
          </ActionIcon>
        </Tooltip>
        <SettingsMenu />
        <NewChatButton />
      </header>
      {list.load === 'loading' && <Loading />}
      {list.load === 'failed' && (
        <div className={classes.empty}>
          <Text size="sm">The chats could not be loaded.</Text>
          <Button variant="light" size="xs" onClick={() => notices.attempt(() => console.loadSessions(null))}>
            Try again
          </Button>
        </div>
      )}
      {list.load === 'ready' && sessions.length === 0 && (
        <div className={classes.empty}>
          <Text size="sm" c="dimmed">
            {mayStart
              ? 'No chats yet. Start one with the plus above.'
              : 'No chats: no agent knows you yet. An admin can let you in.'}
          </Text>
        </div>
      )}
      <ul ref={rows} className={classes.rows} onKeyDown={moveFocus}>
        {sessions.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            chosen={session.id === chosenId}
            focusable={session.id === focusableId}
          />
        ))}
        {list.nextCursor !== null && (
          <li className={classes.more}>
            <Button
              variant="subtle"
              size="xs"
              onClick={() => notices.attempt(() => console.loadSessions(list.nextCursor))}
            >
              Show older chats
            </Button>
          </li>
        )}
      </ul>
    </nav>
  );
}

function Loading() {
  return (
    <div className={classes.loading} role="status" aria-label="Loading chats">
      {['72%', '54%', '64%'].map((width) => (
        <div key={width}>
          <Skeleton height={12} width={width} mb={8} />
          <Skeleton height={10} width="90%" />
        </div>
      ))}
    </div>
  );
}
