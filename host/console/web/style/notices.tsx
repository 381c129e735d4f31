import { Notification } from '@mantine/core';
import type { ReactNode } from 'react';
import { createContext, useCallback, useContext, useMemo, useState } from 'react';
import type { Problem } from '../client/fault.ts';
import { describeProblem } from '../client/fault.ts';
import classes from './notices.module.css';

/** A notice stays this long. Higher: they pile up. Lower: slow readers miss them. */
const NOTICE_MS = 9_000;

interface Notice extends Problem {
  id: number;
}

export interface Notices {
  /** Runs what a click asked for; a failure is shown in the corner. */
  attempt(work: () => Promise<unknown>): void;
}

const NoticesContext = createContext<Notices | null>(null);
let nextId = 1;

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const remove = useCallback((id: number) => setNotices((all) => all.filter((one) => one.id !== id)), []);
  const value = useMemo<Notices>(
    () => ({
      attempt(work) {
        work().catch((error: unknown) => {
          const notice = { ...describeProblem(error), id: nextId++ };
          setNotices((all) => [...all.slice(-2), notice]);
          setTimeout(() => remove(notice.id), NOTICE_MS);
        });
      },
    }),
    [remove],
  );
  return (
    <NoticesContext.Provider value={value}>
      {children}
      <div className={classes.corner} role="alert">
        {notices.map((notice) => (
          <Notification
            key={notice.id}
            title={notice.message}
            color="red"
            withBorder
            onClose={() => remove(notice.id)}
            closeButtonProps={{ 'aria-label': 'Close notice' }}
          >
            {notice.hint}
          </Notification>
        ))}
      </div>
    </NoticesContext.Provider>
  );
}

export function useNotices(): Notices {
  const notices = useContext(NoticesContext);
  if (notices === null) throw new Error('NoticesProvider is missing');
  return notices;
}
