import type { ReactNode } from 'react';
import { useState } from 'react';
import page from '../frame/page.module.css';

/** Folded; what is inside is fetched when it is unfolded. */
export function LogDetails({ children }: { children: ReactNode }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details className={page.unfold} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>The build’s log</summary>
      {isOpen && children}
    </details>
  );
}
