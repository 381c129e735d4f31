import { memo, useState } from 'react';
import type { LedgerEntry } from '../client/types.ts';
import page from '../frame/page.module.css';
import { formatFullTime, formatMoment } from '../style/time.ts';
import classes from './ledger.module.css';

interface EntryProps {
  entry: LedgerEntry;
  onSubject: (subject: string) => void;
}

/** One entry as a sentence, with all of it to unfold. */
export const Entry = memo(function Entry({ entry, onSubject }: EntryProps) {
  const [isOpen, setIsOpen] = useState(false);
  const { at, words, position, subject } = entry;
  return (
    <li className={classes.entry} data-kind={entry.kind}>
      <time dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
        {formatMoment(at, Date.now())}
      </time>
      <p className={classes.words}>{words}</p>
      <details className={page.unfold} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
        <summary>
          {entry.kind} · {position}
        </summary>
        {isOpen && (
          <>
            <pre className={page.raw}>{describeAll(entry)}</pre>
            {subject !== null && (
              <button type="button" className={classes.about} onClick={() => onSubject(subject)}>
                All about {subject}
              </button>
            )}
          </>
        )}
      </details>
    </li>
  );
});

function describeAll({ words: _, at, ...rest }: LedgerEntry): string {
  return JSON.stringify({ ...rest, at: new Date(at).toISOString() }, null, 2);
}
