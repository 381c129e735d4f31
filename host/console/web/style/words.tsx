import page from '../frame/page.module.css';

/** A text of the host's, with what stands between backticks as code in a box: whoever chose it cannot look like the host. */
export function Words({ text }: { text: string }) {
  // Every second piece stood between two of them; one without its partner stays as it is.
  const pieces = text.split(/`([^`\n]+)`/);
  return pieces.map((piece, at) =>
    at % 2 === 0 ? (
      piece
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move.
      <code key={at} className={page.quoted}>
        {piece}
      </code>
    ),
  );
}

/** The same where nothing can be drawn: a name for screen readers. */
export function plain(text: string): string {
  return text.replaceAll('`', '');
}
