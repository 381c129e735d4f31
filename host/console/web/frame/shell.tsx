import type { ReactNode } from 'react';
import { useEffect, useMemo } from 'react';
import { useLocation } from 'react-router';
import { useMe } from '../sign-in/use-me.ts';
import { useConsoleState } from '../state/context.tsx';
import { useVisibleHeight } from '../style/use-visible-height.ts';
import { Navigation } from './navigation.tsx';
import classes from './shell.module.css';

/** Navigation beside the page that is shown. */
export function Shell({ children }: { children: ReactNode }) {
  const me = useMe();
  const { pathname } = useLocation();
  const isInChat = pathname.startsWith('/sessions/');
  const isAlone = me === null || !(me.may.administer || me.may.managePeople);
  useVisibleHeight();
  useTitle(pathname);
  return (
    <div className={classes.shell} data-alone={isAlone || undefined} data-in-chat={isInChat || undefined}>
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      {me !== null && !isAlone && <Navigation me={me} pathname={pathname} />}
      <div className={classes.place}>{children}</div>
    </div>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  approvals: 'Approvals · ',
  agents: 'Agents · ',
  usage: 'Usage · ',
  egress: 'Egress · ',
  secrets: 'Secrets · ',
  people: 'People · ',
  ledger: 'Ledger · ',
};

function useTitle(pathname: string): void {
  const sessions = useConsoleState((state) => state.sessions.byId);
  const unread = useMemo(() => [...sessions.values()].reduce((sum, session) => sum + session.unread, 0), [sessions]);
  useEffect(() => {
    const page = TITLES[pathname.split('/')[1] ?? ''] ?? '';
    document.title = unread > 0 ? `(${unread}) ${page}Portolan` : `${page}Portolan`;
  }, [unread, pathname]);
}
