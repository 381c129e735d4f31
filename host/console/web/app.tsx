import { Center, Loader } from '@mantine/core';
import { useEffect } from 'react';
import { Navigate, Route, Routes, useParams } from 'react-router';
import { AgentPage } from './agents/agent-page.tsx';
import { AgentsPage } from './agents/agents-page.tsx';
import { ApprovalsPage } from './approvals/approvals-page.tsx';
import { ConsoleView } from './console-view.tsx';
import { loadMarkdown } from './conversation/message-body.tsx';
import { EgressPage } from './egress/egress-page.tsx';
import { Shell } from './frame/shell.tsx';
import { LedgerPage } from './ledger/ledger-page.tsx';
import { PeoplePage } from './people/people-page.tsx';
import { SecretsPage } from './secrets/secrets-page.tsx';
import { SignIn } from './sign-in/sign-in.tsx';
import { useAccess } from './sign-in/use-access.ts';
import { useConsole, useConsoleState } from './state/context.tsx';
import { UsagePage } from './usage/usage-page.tsx';

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
        <Route path="/approvals" element={<ApprovalsPage />} />
        <Route path="/agents" element={<AgentsPage />} />
        <Route path="/agents/:agentId" element={<AgentPage />} />
        <Route path="/usage" element={<UsagePage />} />
        <Route path="/egress" element={<EgressPage />} />
        <Route path="/secrets" element={<SecretsPage />} />
        <Route path="/people" element={<PeoplePage />} />
        <Route path="/ledger" element={<LedgerPage />} />
        <Route path="*" element={<Navigate to="/" replace />} />
      </Routes>
    </Shell>
  );
}

function ChosenSession() {
  const { sessionId } = useParams();
  return <ConsoleView sessionId={sessionId ?? null} />;
}
