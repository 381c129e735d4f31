/** Builds the page's parts, in order: storage, state, view. */
import './style/library.css';
import './style/global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { refetchApprovals } from './approvals/use-approvals.ts';
import { ApiFault } from './client/fault.ts';
import { RightsFollower } from './sign-in/follow-rights.ts';
import { createConsole } from './state/console.ts';
import { PartsProvider } from './state/context.tsx';
import { detach } from './state/detach.ts';
import { createDrafts } from './state/drafts.ts';
import { createOutbox } from './state/outbox.ts';
import { NoticesProvider } from './style/notices.tsx';
import { theme } from './style/theme.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const outbox = createOutbox(indexedDB);
const drafts = createDrafts(localStorage);
/** What the host said no to is no other the next time. */
const retry = (failures: number, error: Error) => failures === 0 && (!(error instanceof ApiFault) || error.retryable);
const queries = new QueryClient({ defaultOptions: { queries: { retry, staleTime: 30_000 } } });
const rights = new RightsFollower(queries, () => console);
const console = createConsole(outbox, {
  onApprovals: () => detach(refetchApprovals(queries)),
  onRights: (isSure) => detach(rights.follow(isSure)),
});
const parts = { console, drafts, left: { storage: localStorage, outbox, drafts } };

createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto">
    <QueryClientProvider client={queries}>
      <PartsProvider value={parts}>
        <NoticesProvider>
          {/* Not as a transition: those yield to keys, and what is typed after a click lands in the chat that was left. */}
          <BrowserRouter useTransitions={false}>
            <App />
          </BrowserRouter>
        </NoticesProvider>
      </PartsProvider>
    </QueryClientProvider>
  </MantineProvider>,
);
