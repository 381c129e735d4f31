import { Button, Text } from '@mantine/core';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { DetailsDrawer } from '../details/details-drawer.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { useConsole, useConsoleState } from '../state/context.tsx';
import { detach } from '../state/detach.ts';
import type { Pending } from '../state/pending.ts';
import { startOfDay } from '../style/time.ts';
import { Announcer } from './announcer.tsx';
import { FileDropZone, useAttachedFiles } from './attach.tsx';
import { Composer } from './composer.tsx';
import classes from './conversation.module.css';
import { ConversationHeader } from './header.tsx';
import { Hints } from './hints.tsx';
import { StateBanner } from './state-banner.tsx';
import { planTimeline } from './timeline.ts';
import { TimelineView } from './timeline-view.tsx';

export type Details = { kind: 'session' } | { kind: 'message'; messageId: string };

const NO_PENDING: readonly Pending[] = [];

/** One conversation: header, messages, composer. Mounted anew for each session. */
export function Conversation({ sessionId }: { sessionId: string }) {
  const console = useConsole();
  const session = useConsoleState((state) => state.sessions.byId.get(sessionId) ?? null);
  const conversation = useConsoleState((state) => state.conversations.get(sessionId) ?? null);
  const allPending = useConsoleState((state) => state.pending);
  const myUserId = useMe()?.userId ?? null;
  const [details, setDetails] = useState<Details | null>(null);
  const attached = useAttachedFiles(sessionId);

  useEffect(() => {
    detach(console.openConversation(sessionId));
    return () => console.trimConversation(sessionId);
  }, [console, sessionId]);

  const pending = useMemo(() => {
    const mine = allPending.filter((one) => one.sessionId === sessionId);
    return mine.length === 0 ? NO_PENDING : mine;
  }, [allPending, sessionId]);
  const rows = useMemo(
    () =>
      planTimeline({
        messages: conversation?.messages ?? [],
        pending,
        session,
        myUserId,
        readUpTo: conversation?.readUpTo ?? null,
        startOfDay,
      }),
    [conversation, pending, session, myUserId],
  );
  const showMessage = useCallback((messageId: string) => setDetails({ kind: 'message', messageId }), []);
  const ready = conversation?.load === 'ready';
  const pickHint = (text: string) => {
    console.send(sessionId, text, []);
    document.querySelector<HTMLElement>('[data-composer]')?.focus();
  };

  if (conversation?.load === 'failed' && session === null) return <NotFound sessionId={sessionId} />;
  return (
    <FileDropZone enabled={session?.writable ?? false} onFiles={attached.add}>
      <div className={classes.conversation}>
        <ConversationHeader session={session} onDetails={() => setDetails({ kind: 'session' })} />
        {session !== null && <StateBanner session={session} />}
        <TimelineView
          sessionId={sessionId}
          rows={rows}
          conversation={conversation}
          typing={session?.typing === true ? session.agentName : null}
          onDetails={showMessage}
          empty={ready && rows.length === 0 && session !== null ? <Hints session={session} onPick={pickHint} /> : null}
        />
        <Announcer messages={conversation?.messages ?? []} ready={ready} />
        <Composer sessionId={sessionId} session={session} attached={attached} />
      </div>
      <DetailsDrawer session={session} details={details} onClose={() => setDetails(null)} onMessage={showMessage} />
    </FileDropZone>
  );
}

function NotFound({ sessionId }: { sessionId: string }) {
  const console = useConsole();
  return (
    <div className={classes.notFound}>
      <Text fw={600}>This chat could not be opened</Text>
      <Text c="dimmed" size="sm">
        It may not exist on this host, its agent may be removed, or the host is away.
      </Text>
      <div>
        <Button variant="light" onClick={() => detach(console.openConversation(sessionId))}>
          Try again
        </Button>{' '}
        <Button variant="subtle" component={Link} to="/">
          All chats
        </Button>
      </div>
    </div>
  );
}
