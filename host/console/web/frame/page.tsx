import type { ReactNode } from 'react';
import classes from './page.module.css';

interface PageProps {
  title: string;
  about: string;
  /** Above the title: the way back. */
  back?: ReactNode;
  /** Right of the title: what can be done here. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page beside the chats: its title, what it is for, and its sections in one column. */
export function Page({ title, about, back, actions, children }: PageProps) {
  return (
    <main className={classes.page} id="content" tabIndex={-1}>
      <div className={classes.column}>
        <header className={classes.header}>
          <div>
            {back}
            <h1>{title}</h1>
            <p className={classes.about}>{about}</p>
          </div>
          {actions}
        </header>
        {children}
      </div>
    </main>
  );
}

export function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section className={classes.section} aria-label={title}>
      <h2>{title}</h2>
      {note !== undefined && <p className={classes.note}>{note}</p>}
      {children}
    </section>
  );
}
