import { Navigate, Route, Routes } from 'react-router';
import { AgentPage } from './agents/agent-page.tsx';
import { AgentsPage } from './agents/agents-page.tsx';
import { ApprovalsPage } from './approvals/approvals-page.tsx';
import { EgressPage } from './egress/egress-page.tsx';
import { LedgerPage } from './ledger/ledger-page.tsx';
import { PeoplePage } from './people/people-page.tsx';
import { SecretsPage } from './secrets/secrets-page.tsx';
import { UsagePage } from './usage/usage-page.tsx';

/** The pages beside the chats, fetched together: `admin-part.tsx` is the way to them. */
export function AdminPages() {
  return (
    <Routes>
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
  );
}
