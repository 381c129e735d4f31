import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { fetchMe, logIn } from '../client/api.ts';
import type { Problem } from '../client/fault.ts';
import { ApiFault, describeProblem } from '../client/fault.ts';
import type { Me } from '../client/types.ts';
import { useLeft } from '../state/context.tsx';
import { detach } from '../state/detach.ts';
import { handOver } from '../state/handover.ts';
import { ME } from './use-me.ts';

/** Between looks for a host that is not there. Higher: the page comes up late. Lower: needless noise. */
const AWAY_RETRY_MS = 2_000;

export type Access =
  | { kind: 'checking' }
  | { kind: 'signed-out'; problem: Problem | null; signIn: (token: string) => void }
  | { kind: 'signed-in'; signedOut: () => void };

type Known = { kind: 'checking' } | { kind: 'signed-out'; problem: Problem | null } | { kind: 'signed-in'; me: Me };

/** Whether this browser may use the host: by its cookie, or by the one-time token in the URL's fragment. */
export function useAccess(): Access {
  const [known, setKnown] = useState<Known>({ kind: 'checking' });

  const queries = useQueryClient();
  const left = useLeft();

  const check = useCallback(
    (token: string | null) => {
      setKnown({ kind: 'checking' });
      const settle = async () => {
        const next = await establish(token);
        if (next.kind === 'signed-in') {
          if (await handOver(next.me.userId, left)) {
            location.reload();
            return;
          }
          queries.setQueryData(ME, next.me);
        }
        setKnown(next);
        // The token is not used up by a host that did not answer.
        if (next.kind === 'signed-out' && next.problem?.hostAway) setTimeout(() => detach(settle()), AWAY_RETRY_MS);
      };
      detach(settle());
    },
    [queries, left],
  );

  useEffect(() => {
    check(takeToken());
    // A second link opened in this tab changes only the fragment, which loads nothing by itself.
    const onHash = () => {
      const token = takeToken();
      if (token !== null) check(token);
    };
    window.addEventListener('hashchange', onHash);
    return () => window.removeEventListener('hashchange', onHash);
  }, [check]);

  const signedOut = useCallback(() => setKnown({ kind: 'signed-out', problem: null }), []);
  switch (known.kind) {
    case 'checking':
      return known;
    case 'signed-out':
      return { ...known, signIn: check };
    case 'signed-in':
      return { kind: 'signed-in', signedOut };
  }
}

async function establish(token: string | null): Promise<Known> {
  try {
    if (token !== null) await logIn(token);
    return { kind: 'signed-in', me: await fetchMe() };
  } catch (error) {
    // A used link in a browser that is signed in already: nothing is wrong.
    if (token !== null && error instanceof ApiFault && error.status === 401) {
      const before = await establish(null);
      return before.kind === 'signed-in' ? before : { kind: 'signed-out', problem: describeProblem(error) };
    }
    if (token === null && error instanceof ApiFault && error.status === 401)
      return { kind: 'signed-out', problem: null };
    return { kind: 'signed-out', problem: describeProblem(error) };
  }
}

/** The token of `/#token=…`, taken out of the address bar and the history. */
function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** A token as people paste it: alone, or still inside its link. */
export function parsePastedToken(pasted: string): string {
  const text = pasted.trim();
  const at = text.indexOf('#token=');
  return at < 0 ? text : decodeURIComponent(text.slice(at + '#token='.length));
}
