import { Link } from 'react-router';
import { findNextStep } from '../client/next-step.ts';
import { isOwner } from '../people/role.ts';
import { useMe } from '../sign-in/use-me.ts';
import page from './page.module.css';

/** What to do next: the page's own way, with a link where it leads elsewhere, or what to type. */
export function Next({ next }: { next: string }) {
  const me = useMe();
  const { words, to } = findNextStep(next);
  if (words === null) {
    return (
      <p className={page.soft}>
        Next, type: <code className={page.code}>{next}</code>
      </p>
    );
  }
  const isLink = to !== null && (to !== '/secrets' || isOwner(me));
  return (
    <p className={page.soft}>
      {isLink ? (
        <Link className={page.link} to={to}>
          {words}
        </Link>
      ) : (
        words
      )}
    </p>
  );
}
