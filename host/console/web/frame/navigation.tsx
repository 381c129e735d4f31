import { Popover, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { Link } from 'react-router';
import { useWaiting } from '../approvals/use-approvals.ts';
import type { Me } from '../client/types.ts';
import { isOwner } from '../people/role.ts';
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
  { to: '/usage', label: 'Usage', icon: 'usage', isFor: ({ may }) => may.administer },
  { to: '/egress', label: 'Egress', icon: 'egress', isFor: ({ may }) => may.administer },
  { to: '/secrets', label: 'Secrets', icon: 'secrets', isFor: isOwner },
  { to: '/people', label: 'People', icon: 'people', isFor: ({ may }) => may.managePeople },
  { to: '/ledger', label: 'Ledger', icon: 'ledger', isFor: ({ may }) => may.seeEverything },
];

/** Places that a phone's bar has room for, before the rest is behind “More”. */
const ON_BAR = 4;

/** The pages that this person has use for: a rail, on a phone a bar at the bottom. Nothing beside chats: not there. */
export function Navigation({ me, pathname }: { me: Me; pathname: string }) {
  const isPhone = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false });
  const places = PLACES.filter((place) => place.isFor(me));
  const waiting = useWaiting(me.may.administer).length;
  const current = PLACES.find(({ to }) => to !== '/' && pathname.startsWith(to))?.to ?? '/';
  if (places.length < 2) return null;
  const isSplit = isPhone === true && places.length > ON_BAR + 1;
  const shown = isSplit ? places.slice(0, ON_BAR) : places;
  return (
    <nav className={classes.rail} aria-label="Pages">
      {shown.map((place) => (
        <PlaceLink key={place.to} place={place} isCurrent={place.to === current} waiting={waiting} />
      ))}
      {isSplit && <MorePlaces key={pathname} places={places.slice(ON_BAR)} current={current} />}
    </nav>
  );
}

interface PlaceLinkProps {
  place: Place;
  isCurrent: boolean;
  /** Approvals that wait. */
  waiting?: number;
}

function PlaceLink({ place: { to, label, icon }, isCurrent, waiting = 0 }: PlaceLinkProps) {
  return (
    <Link to={to} className={classes.link ?? ''} aria-current={isCurrent ? 'page' : undefined}>
      <Icon name={icon} />
      {label}
      {to === '/approvals' && waiting > 0 && (
        <span className={classes.badge}>
          {waiting > 99 ? '99+' : waiting}
          <VisuallyHidden> waiting</VisuallyHidden>
        </span>
      )}
    </Link>
  );
}

/** Drawn anew with each page, and so closed. */
function MorePlaces({ places, current }: { places: readonly Place[]; current: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const isHere = places.some(({ to }) => to === current);
  return (
    <Popover opened={isOpen} onChange={setIsOpen} position="top-end" withinPortal={false} trapFocus>
      <Popover.Target>
        <button
          type="button"
          className={classes.link}
          data-here={isHere || undefined}
          onClick={() => setIsOpen((was) => !was)}
        >
          <Icon name="more" />
          More
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.sheet ?? ''} aria-label="More pages" onClick={() => setIsOpen(false)}>
        {places.map((place) => (
          <PlaceLink key={place.to} place={place} isCurrent={place.to === current} />
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}
