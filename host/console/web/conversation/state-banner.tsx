import { Button } from '@mantine/core';
import { type CSSProperties, useEffect, useState } from 'react';
import { releaseSession } from '../client/api.ts';
import type { Session, SessionState } from '../client/types.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import { useConsole } from '../state/context.tsx';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import classes from './conversation.module.css';

interface Banner {
  tone: string;
  text: string;
  action: string | null;
}

const BANNERS: Partial<Record<SessionState, Banner>> = {
  waiting: { tone: 'var(--warn)', text: 'Waiting to start. Messages are kept and answered then.', action: null },
  failed: { tone: 'var(--bad)', text: 'The agent’s container failed.', action: 'Try again' },
  quarantined: {
    tone: 'var(--odd)',
    text: 'This chat is quarantined: its container broke the rules, so nothing it sends is read.',
    action: 'Release',
  },
};

/** A wait whose end is known counts down. */
function TriesAgain({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((at - now) / 1_000));
  return <>Waiting, again in {seconds} s. Messages are kept and answered then.</>;
}

/** Says what stands in the way of an answer, and offers the way out. */
export function StateBanner({ session }: { session: Session }) {
  const console = useConsole();
  const notices = useNotices();
  const isAdmin = administers(useMe(), session.agentId);
  const banner = BANNERS[session.state];
  if (banner === undefined) return null;

  function release() {
    notices.attempt(async () => console.apply({ kind: 'session', session: await releaseSession(session.id) }));
  }

  const style: CSSProperties & { '--tone': string } = { '--tone': banner.tone };
  return (
    <div className={classes.banner} style={style} role="status">
      <Icon name={session.state === 'waiting' ? 'clock' : 'warning'} />
      <div>
        {session.triesAgainAt === null ? banner.text : <TriesAgain at={session.triesAgainAt} />}
        {session.stateReason !== null && <div className={classes.bannerReason}>{session.stateReason}</div>}
      </div>
      {banner.action !== null && isAdmin && (
        <Button size="xs" variant="default" onClick={release}>
          {banner.action}
        </Button>
      )}
    </div>
  );
}
