import { Button, Loader, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Component, lazy, Suspense } from 'react';
import { useLocation } from 'react-router';
import classes from './admin-part.module.css';
import page from './frame/page.module.css';
import { ConnectionLine } from './sessions/connection-line.tsx';

/** A part of its own: who only chats never fetches it. */
export const loadAdminPages = () => import('./admin-pages.tsx');
const AdminPages = lazy(async () => ({ default: (await loadAdminPages()).AdminPages }));

/** The pages beside the chats: on their way, there, or not to be had with a way to ask again. */
export function AdminPart() {
  const { pathname } = useLocation();
  return (
    <div className={classes.part}>
      <ConnectionLine says="What is shown here may be old." />
      <Boundary key={pathname}>
        <Suspense
          fallback={
            <Place>
              <Loader size="sm" aria-label="Loading the page" />
            </Place>
          }
        >
          <AdminPages />
        </Suspense>
      </Boundary>
    </div>
  );
}

function Place({ children }: { children: ReactNode }) {
  return (
    <main className={page.page} id="content" tabIndex={-1}>
      <div className={page.column}>{children}</div>
    </main>
  );
}

/** The host is away, or another version of it has other files: only a page that is loaded anew can go on. */
class Boundary extends Component<{ children: ReactNode }, { isFailed: boolean }> {
  override state = { isFailed: false };

  static getDerivedStateFromError() {
    return { isFailed: true };
  }

  override render() {
    if (!this.state.isFailed) return this.props.children;
    return (
      <Place>
        <div role="alert">
          <Text>This page could not be shown.</Text>
          <Text size="sm" c="dimmed" mb={12}>
            The host may be away, or was updated meanwhile. What you wrote in chats is kept.
          </Text>
          <Button onClick={() => location.reload()}>Load it again</Button>
        </div>
      </Place>
    );
  }
}
