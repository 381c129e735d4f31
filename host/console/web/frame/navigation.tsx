import { VisuallyHidden } from '@mantine/core';
import { Link } from 'react-router';
import { useWaiting } from '../approvals/use-approvals.ts';
import type { Me } from '../client/types.ts';
import type { IconName } from '../style/icon-paths.ts';
import { Icon } from '../style/icons.tsx';
import classes from './navigation.module.css';

interface Place {
  to: string;
  label: string;
  icon: IconName;
  isFor: (me: Me) => boolean;
}

const PLACES: readonly Place[] = [
  { to: '/', label: 'Chats', icon: 'chats', isFor: () => true },
  { to: '/approvals', label: 'Approvals', icon: 'approvals', isFor: ({ may }) => may.administer },
  { to: '/agents', label: 'Agents', icon: 'agent', isFor: ({ may }) => may.administer },
  { to: '/people', label: 'People', icon: 'people', isFor: ({ may }) => may.managePeople },
  { to: '/ledger', label: 'Ledger', icon: 'ledger', isFor: ({ may }) => may.seeEverything },
];

/** The pages that this person has use for: a rail, on a phone a bar at the bottom. Nothing beside chats: not there. */
export function Navigation({ me, pathname }: { me: Me; pathname: string }) {
  const places = PLACES.filter((place) => place.isFor(me));
  const waiting = useWaiting(me.may.administer).length;
  const current = PLACES.find(({ to }) => to !== '/' && pathname.startsWith(to))?.to ?? '/';
  if (places.length < 2) return null;
  return (
    <nav className={classes.rail} aria-label="Pages">
      {places.map(({ to, label, icon }) => (
        <Link key={to} to={to} className={classes.link ?? ''} aria-current={to === current ? 'page' : undefined}>
          <Icon name={icon} />
          {label}
          {to === '/approvals' && waiting > 0 && (
            <span className={classes.badge}>
              {waiting > 99 ? '99+' : waiting}
              <VisuallyHidden> waiting</VisuallyHidden>
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}
