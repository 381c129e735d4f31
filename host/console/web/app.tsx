import { Center, Loader } from '@mantine/core';
import { useEffect } from 'react';
import { Route, Routes, useParams } from 'react-router';
import { AdminPart, loadAdminPages } from './admin-part.tsx';
import { ConsoleView } from './console-view.tsx';
import { loadMarkdown } from './conversation/message-body.tsx';
import { Shell } from './frame/shell.tsx';
import { SignIn } from './sign-in/sign-in.tsx';
import { useAccess } from './sign-in/use-access.ts';
import { useMe } from './sign-in/use-me.ts';
import { useConsole, useConsoleState } from './state/context.tsx';

export function App() {
  const access = useAccess();
  switch (access.kind) {
    case 'checking':
      return (
        <Center h="100dvh">
          <Loader size="sm" aria-label="Signing in" />
        </Center>
      );
    case 'signed-out':
      return <SignIn problem={access.problem} onToken={access.signIn} />;
    case 'signed-in':
      return <Connected onSignedOut={access.signedOut} />;
  }
}

function Connected({ onSignedOut }: { onSignedOut: () => void }) {
  const console = useConsole();
  const connection = useConsoleState((state) => state.connection.kind);
  usePagesAtHand();

  useEffect(() => {
    // Fetched while the first messages are; without it they would be drawn twice.
    loadMarkdown().catch((error: unknown) => reportError(error));
    console.start();
    const hurry = () => {
      if (document.visibilityState === 'visible') console.hurry();
    };
    window.addEventListener('online', hurry);
    document.addEventListener('visibilitychange', hurry);
    return () => {
      window.removeEventListener('online', hurry);
      document.removeEventListener('visibilitychange', hurry);
      console.close();
    };
  }, [console]);

  useEffect(() => {
    if (connection !== 'signed-out') return;
    // Done with: the next sign-in of this page starts afresh.
    console.apply({ kind: 'connection', connection: { kind: 'connecting' } });
    onSignedOut();
  }, [console, connection, onSignedOut]);

  return (
    <Shell>
      <Routes>
        <Route path="/" element={<ConsoleView sessionId={null} />} />
        <Route path="/sessions/:sessionId" element={<ChosenSession />} />
        <Route path="*" element={<AdminPart />} />
      </Routes>
    </Shell>
  );
}

/** Fetches the pages of who has them once the chats are there, so that a click finds them, also while the host is away. */
function usePagesAtHand(): void {
  const me = useMe();
  const areChatsThere = useConsoleState((state) => state.sessions.load === 'ready');
  const isWanted = areChatsThere && (me?.may.administer === true || me?.may.managePeople === true);
  useEffect(() => {
    if (isWanted) loadAdminPages().catch((error: unknown) => reportError(error));
  }, [isWanted]);
}

function ChosenSession() {
  const { sessionId } = useParams();
  return <ConsoleView sessionId={sessionId ?? null} />;
}
