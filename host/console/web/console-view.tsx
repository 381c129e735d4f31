import { useHotkeys } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import classes from './console-view.module.css';
import { Conversation } from './conversation/conversation.tsx';
import { ConnectionLine } from './sessions/connection-line.tsx';
import { orderSessions } from './sessions/order.ts';
import { SessionList } from './sessions/session-list.tsx';
import { SessionSwitcher } from './sessions/session-switcher.tsx';
import { Welcome } from './sessions/welcome.tsx';
import { useConsoleState } from './state/context.tsx';
import { detach } from './state/detach.ts';

/** The chats: sessions left, conversation right; on a phone one of the two. */
export function ConsoleView({ sessionId }: { sessionId: string | null }) {
  const [switching, setSwitching] = useState(false);
  useHotkeys([['mod+K', () => setSwitching(true)]], []);
  useNewestAtFirst(sessionId);

  return (
    <div className={classes.page} data-pane={sessionId === null ? 'list' : 'conversation'}>
      <aside className={classes.side}>
        <SessionList chosenId={sessionId} onSearch={() => setSwitching(true)} />
      </aside>
      <main className={classes.main} id="content" tabIndex={-1}>
        <ConnectionLine says="What you write is kept and sent when the host is back." />
        {sessionId === null ? <Welcome /> : <Conversation key={sessionId} sessionId={sessionId} />}
      </main>
      <SessionSwitcher opened={switching} onClose={() => setSwitching(false)} />
    </div>
  );
}

/** A wide page opened without a chat shows the newest one; on a phone the list is the start. */
function useNewestAtFirst(sessionId: string | null): void {
  const sessions = useConsoleState((state) => state.sessions);
  const navigate = useNavigate();
  const settled = useRef(false);
  useEffect(() => {
    if (settled.current || (sessionId === null && sessions.load !== 'ready')) return;
    settled.current = true;
    const newest = orderSessions(sessions.byId.values())[0];
    if (sessionId !== null || newest === undefined || window.matchMedia('(max-width: 760px)').matches) return;
    detach(Promise.resolve(navigate(`/sessions/${newest.id}`, { replace: true })));
  }, [sessionId, sessions, navigate]);
}
