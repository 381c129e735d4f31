import { useHotkeys } from '@mantine/hooks';
import { useEffect, useMemo, useState } from 'react';
import classes from './console-view.module.css';
import { Conversation } from './conversation/conversation.tsx';
import { ConnectionLine } from './sessions/connection-line.tsx';
import { SessionList } from './sessions/session-list.tsx';
import { SessionSwitcher } from './sessions/session-switcher.tsx';
import { Welcome } from './sessions/welcome.tsx';
import { useConsoleState } from './state/context.tsx';
import { useVisibleHeight } from './style/use-visible-height.ts';

/** The whole page: sessions left, conversation right; on a phone one of the two. */
export function ConsoleView({ sessionId }: { sessionId: string | null }) {
  const [switching, setSwitching] = useState(false);
  useHotkeys([['mod+K', () => setSwitching(true)]], []);
  useTitle();
  useVisibleHeight();

  return (
    <div className={classes.page} data-pane={sessionId === null ? 'list' : 'conversation'}>
      <aside className={classes.side}>
        <SessionList chosenId={sessionId} onSearch={() => setSwitching(true)} />
      </aside>
      <main className={classes.main}>
        <ConnectionLine />
        {sessionId === null ? <Welcome /> : <Conversation key={sessionId} sessionId={sessionId} />}
      </main>
      <SessionSwitcher opened={switching} onClose={() => setSwitching(false)} />
    </div>
  );
}

function useTitle(): void {
  const sessions = useConsoleState((state) => state.sessions.byId);
  const unread = useMemo(() => [...sessions.values()].reduce((sum, session) => sum + session.unread, 0), [sessions]);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Portolan` : 'Portolan';
  }, [unread]);
}
