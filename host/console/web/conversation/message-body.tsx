import type { ReactNode } from 'react';
import { Component, lazy, Suspense } from 'react';
import classes from './message.module.css';
import { isPlainText } from './plain-text.ts';

/** A part of its own: the page is there before it, and texts are shown as they are until it is. */
export const loadMarkdown = () => import('./markdown.tsx');
const Markdown = lazy(loadMarkdown);

/** The text of a message; an agent's is Markdown, a person's is what they typed. */
export function MessageBody({ text, plain }: { text: string; plain: boolean }) {
  const asIs = <div className={classes.plain}>{text}</div>;
  if (plain || isPlainText(text)) return asIs;
  return (
    <MarkdownBoundary fallback={asIs}>
      <Suspense fallback={asIs}>
        <Markdown text={text} />
      </Suspense>
    </MarkdownBoundary>
  );
}

/** A text that the Markdown parser fails on is still a message: shown as it is. */
class MarkdownBoundary extends Component<{ fallback: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}
